//! Who may ask: principals and their roles.

use switchboard::command::Actor;
use switchboard::id::{GatewayId, OperatorId, PrincipalId, SiteId};

/// What a principal may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A telephony gateway: its own legs.
    Gateway,
    /// A person who answers: the own desk and calls.
    Operator,
    /// Boards, explanations, lines, calls of others.
    Supervisor,
    /// Plan, people, the record.
    Admin,
    /// A screen on the wall: figures of lines and teams, nobody's name and no call.
    Wallboard,
    /// Another program of the hospital: the record as it grows, without a number or a name.
    Integrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 6] =
        [Role::Gateway, Role::Operator, Role::Supervisor, Role::Admin, Role::Wallboard, Role::Integrator];

    /// Its name in the token file.
    pub fn name(self) -> &'static str {
        match self {
            Role::Gateway => "gateway",
            Role::Operator => "operator",
            Role::Supervisor => "supervisor",
            Role::Admin => "admin",
            Role::Wallboard => "wallboard",
            Role::Integrator => "integrator",
        }
    }
}

/// Somebody with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    /// At which site.
    pub site: SiteId,
    /// Who, and in which role.
    pub who: Who,
}

/// Who a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A gateway.
    Gateway(GatewayId),
    /// An operator.
    Operator(OperatorId),
    /// A supervisor.
    Supervisor(PrincipalId),
    /// An administrator.
    Admin(PrincipalId),
    /// A screen on the wall.
    Wallboard(PrincipalId),
    /// Another program.
    Integrator(PrincipalId),
}

impl Who {
    /// In which role.
    pub fn role(&self) -> Role {
        match self {
            Who::Gateway(_) => Role::Gateway,
            Who::Operator(_) => Role::Operator,
            Who::Supervisor(_) => Role::Supervisor,
            Who::Admin(_) => Role::Admin,
            Who::Wallboard(_) => Role::Wallboard,
            Who::Integrator(_) => Role::Integrator,
        }
    }

    /// As whom the switchboard is asked; nobody, who only reads.
    pub fn actor(&self) -> Option<Actor> {
        match *self {
            Who::Gateway(id) => Some(Actor::Gateway(id)),
            Who::Operator(id) => Some(Actor::Operator(id)),
            Who::Supervisor(id) => Some(Actor::Supervisor(id)),
            Who::Admin(id) => Some(Actor::Admin(id)),
            Who::Wallboard(_) | Who::Integrator(_) => None,
        }
    }

    /// In a role by its name, if there is such a role and it may have such an id.
    pub(crate) fn named(role: &str, id: &str) -> Option<Who> {
        let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
        Some(match role {
            Role::Gateway => Who::Gateway(id.parse().ok()?),
            Role::Operator => Who::Operator(id.parse().ok()?),
            Role::Supervisor => Who::Supervisor(id.parse().ok()?),
            Role::Admin => Who::Admin(id.parse().ok()?),
            Role::Wallboard => Who::Wallboard(id.parse().ok()?),
            Role::Integrator => Who::Integrator(id.parse().ok()?),
        })
    }

    /// The id alone.
    pub fn id(&self) -> &str {
        match self {
            Who::Gateway(id) => id.as_str(),
            Who::Operator(id) => id.as_str(),
            Who::Supervisor(id) | Who::Admin(id) | Who::Wallboard(id) | Who::Integrator(id) => id.as_str(),
        }
    }
}
