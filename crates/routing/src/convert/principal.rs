use api::v1;
use api::v1::principal_ref::Principal as Named;

use super::field::{Invalid, name};
use crate::principal::Who;

/// Somebody with a token.
pub(crate) fn who(named: Named) -> Result<Who, Invalid> {
    Ok(match named {
        Named::GatewayId(id) => Who::Gateway(name("principal.gateway_id", &id)?),
        Named::OperatorId(id) => Who::Operator(name("principal.operator_id", &id)?),
        Named::SupervisorId(id) => Who::Supervisor(name("principal.supervisor_id", &id)?),
        Named::AdminId(id) => Who::Admin(name("principal.admin_id", &id)?),
        Named::WallboardId(id) => Who::Wallboard(name("principal.wallboard_id", &id)?),
        Named::IntegratorId(id) => Who::Integrator(name("principal.integrator_id", &id)?),
    })
}

/// A principal as the wire names it.
pub(crate) fn principal_ref(who: &Who) -> v1::PrincipalRef {
    let id = who.id().to_owned();
    let named = match who {
        Who::Gateway(_) => Named::GatewayId(id),
        Who::Operator(_) => Named::OperatorId(id),
        Who::Supervisor(_) => Named::SupervisorId(id),
        Who::Admin(_) => Named::AdminId(id),
        Who::Wallboard(_) => Named::WallboardId(id),
        Who::Integrator(_) => Named::IntegratorId(id),
    };
    v1::PrincipalRef { principal: Some(named) }
}
