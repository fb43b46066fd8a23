//! Who may call what: one table by full method name. A method without a row is never served, because the router does
//! not start with one.

use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorSet;

use crate::principal::Role;

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// These roles.
    Roles(&'static [Role]),
}

const GATEWAY: Access = Access::Roles(&[Role::Gateway]);
const OPERATOR: Access = Access::Roles(&[Role::Operator]);
const OFFICE: Access = Access::Roles(&[Role::Supervisor, Role::Admin]);
const ADMIN: Access = Access::Roles(&[Role::Admin]);
const BOARD: Access = Access::Roles(&[Role::Supervisor, Role::Admin, Role::Wallboard]);
const RECORD: Access = Access::Roles(&[Role::Admin, Role::Integrator]);

/// Every method there is.
const METHODS: &[(&str, Access)] = &[
    ("/hotline.v1.GatewayService/Attach", GATEWAY),
    ("/hotline.v1.GatewayService/Report", GATEWAY),
    ("/hotline.v1.OperatorService/Attach", OPERATOR),
    ("/hotline.v1.OperatorService/Heartbeat", OPERATOR),
    ("/hotline.v1.OperatorService/GoOnDuty", OPERATOR),
    ("/hotline.v1.OperatorService/Pause", OPERATOR),
    ("/hotline.v1.OperatorService/Resume", OPERATOR),
    ("/hotline.v1.OperatorService/Leave", OPERATOR),
    ("/hotline.v1.OperatorService/ConfirmDelivery", OPERATOR),
    ("/hotline.v1.OperatorService/Accept", OPERATOR),
    ("/hotline.v1.OperatorService/Decline", OPERATOR),
    ("/hotline.v1.OperatorService/ConfirmMedia", OPERATOR),
    ("/hotline.v1.OperatorService/Hold", OPERATOR),
    ("/hotline.v1.OperatorService/Retrieve", OPERATOR),
    ("/hotline.v1.OperatorService/Transfer", OPERATOR),
    ("/hotline.v1.OperatorService/Consult", OPERATOR),
    ("/hotline.v1.OperatorService/CompleteTransfer", OPERATOR),
    ("/hotline.v1.OperatorService/HangUp", OPERATOR),
    ("/hotline.v1.OperatorService/EndWrapUp", OPERATOR),
    ("/hotline.v1.OperatorService/BlockCaller", OPERATOR),
    ("/hotline.v1.SupervisorService/WatchBoard", BOARD),
    ("/hotline.v1.SupervisorService/ListCalls", OFFICE),
    ("/hotline.v1.SupervisorService/GetCall", OFFICE),
    ("/hotline.v1.SupervisorService/ExplainCall", OFFICE),
    ("/hotline.v1.SupervisorService/ExplainOperator", OFFICE),
    ("/hotline.v1.SupervisorService/DivertLine", OFFICE),
    ("/hotline.v1.SupervisorService/OpenLine", OFFICE),
    ("/hotline.v1.SupervisorService/CloseLine", OFFICE),
    ("/hotline.v1.SupervisorService/MoveCall", OFFICE),
    ("/hotline.v1.SupervisorService/PauseOperator", OFFICE),
    ("/hotline.v1.SupervisorService/ForceOperator", OFFICE),
    ("/hotline.v1.SupervisorService/BlockCaller", OFFICE),
    ("/hotline.v1.SupervisorService/UnblockCaller", OFFICE),
    ("/hotline.v1.HistoryService/ListRecords", OFFICE),
    ("/hotline.v1.HistoryService/GetPath", OFFICE),
    ("/hotline.v1.HistoryService/ExplainPastCall", OFFICE),
    ("/hotline.v1.HistoryService/ExplainPastOperator", OFFICE),
    ("/hotline.v1.RosterService/GetRoster", OFFICE),
    ("/hotline.v1.RosterService/ValidateRoster", OFFICE),
    ("/hotline.v1.RosterService/ApplyRoster", ADMIN),
    ("/hotline.v1.RosterService/ListDue", OFFICE),
    ("/hotline.v1.AdminService/GetPlan", ADMIN),
    ("/hotline.v1.AdminService/ListPlans", ADMIN),
    ("/hotline.v1.AdminService/ListTokens", ADMIN),
    ("/hotline.v1.AdminService/ValidatePlan", ADMIN),
    ("/hotline.v1.AdminService/DiffPlan", ADMIN),
    ("/hotline.v1.AdminService/ApplyPlan", ADMIN),
    ("/hotline.v1.AdminService/AddOperator", ADMIN),
    ("/hotline.v1.AdminService/ChangeOperator", ADMIN),
    ("/hotline.v1.AdminService/RemoveOperator", ADMIN),
    ("/hotline.v1.AdminService/ListOperators", OFFICE),
    ("/hotline.v1.AdminService/TailEvents", RECORD),
    ("/hotline.v1.AdminService/InviteOperator", ADMIN),
    ("/hotline.v1.AdminService/IssueToken", ADMIN),
    ("/hotline.v1.AdminService/RevokeToken", ADMIN),
    ("/hotline.v1.AuditService/ListAudit", ADMIN),
    ("/hotline.v1.AuditService/VerifyAudit", ADMIN),
    ("/hotline.v1.AuditService/RevealCaller", OFFICE),
    ("/hotline.v1.AuditService/ExportSubject", ADMIN),
    ("/hotline.v1.AuditService/EraseSubject", ADMIN),
    ("/hotline.v1.AuditService/ApproveErasure", ADMIN),
    ("/hotline.v1.AuditService/ListErasures", ADMIN),
    ("/hotline.v1.SiteService/CreateSite", ADMIN),
    ("/hotline.v1.SiteService/ListSites", ADMIN),
    ("/hotline.v1.SiteService/RetireSite", ADMIN),
    ("/hotline.v1.SiteService/GetFormat", ADMIN),
    ("/hotline.v1.SiteService/RaiseFormat", ADMIN),
    // Whoever redeems an invitation has no token yet.
    ("/hotline.v1.SessionService/RedeemInvite", Access::Public),
    ("/hotline.v1.ClockService/Step", ADMIN),
    ("/grpc.health.v1.Health/Check", Access::Public),
    ("/grpc.health.v1.Health/Watch", Access::Public),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Access::Public),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Access::Public),
];

/// The row of a method.
pub fn access(method: &str) -> Option<Access> {
    METHODS.iter().find(|(name, _)| *name == method).map(|(_, access)| *access)
}

/// The table and what is served differ: the router does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableFault {
    /// Nobody said who may call it.
    #[error("the method {0} has no row in the authorisation table; say who may call it")]
    WithoutRow(String),
    /// Nobody said whether calls of it are recorded.
    #[error("the method {0} has no row in the table of what is recorded; say whether its calls are")]
    Unrecorded(String),
    /// The row is about nothing.
    #[error("a table has a row for {0}, which is no method that it could be about")]
    WithoutMethod(String),
    /// The description itself cannot be read.
    #[error("the description of the services cannot be read: {0}")]
    Unreadable(#[from] prost::DecodeError),
}

/// Compares the table with the methods of these descriptions, in both directions.
///
/// # Errors
/// [`TableFault`]: the first difference.
pub fn check_table(descriptions: &[&[u8]]) -> Result<(), TableFault> {
    let mut methods = BTreeSet::new();
    for description in descriptions {
        methods.extend(methods_of(&FileDescriptorSet::decode(*description)?).map(|(name, _)| name));
    }
    if let Some(method) = methods.iter().find(|method| access(method).is_none()) {
        return Err(TableFault::WithoutRow(method.clone()));
    }
    match METHODS.iter().find(|(name, _)| !methods.contains(*name)) {
        Some((name, _)) => Err(TableFault::WithoutMethod((*name).to_owned())),
        None => Ok(()),
    }
}

/// Each method by its full name, and whether it answers with a stream.
pub(crate) fn methods_of(files: &FileDescriptorSet) -> impl Iterator<Item = (String, bool)> {
    files.file.iter().flat_map(|file| {
        file.service.iter().flat_map(move |service| {
            service.method.iter().map(move |method| {
                let name = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                (name, method.server_streaming())
            })
        })
    })
}

/// Every method of these descriptions that answers with a stream.
///
/// # Errors
/// [`TableFault::Unreadable`].
pub(crate) fn streaming(descriptions: &[&[u8]]) -> Result<BTreeSet<String>, TableFault> {
    let mut found = BTreeSet::new();
    for description in descriptions {
        let files = FileDescriptorSet::decode(*description)?;
        found.extend(methods_of(&files).filter(|(_, streams)| *streams).map(|(name, _)| name));
    }
    Ok(found)
}

/// A method's name as it stands in the table, if it has a row.
pub(crate) fn known(method: &str) -> Option<&'static str> {
    METHODS.iter().find(|(name, _)| *name == method).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::{FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto};

    fn described(method: &str) -> Vec<u8> {
        let method = MethodDescriptorProto { name: Some(method.to_owned()), ..Default::default() };
        let service =
            ServiceDescriptorProto { name: Some("AdminService".into()), method: vec![method], options: None };
        let file = FileDescriptorProto {
            package: Some("hotline.v1".into()),
            service: vec![service],
            ..Default::default()
        };
        FileDescriptorSet { file: vec![file] }.encode_to_vec()
    }

    #[test]
    fn a_method_without_a_row_is_found() {
        let fault = check_table(&[&described("SellEverything")]).expect_err("no row");
        assert_eq!(fault, TableFault::WithoutRow("/hotline.v1.AdminService/SellEverything".into()));
    }

    #[test]
    fn a_row_without_a_method_is_found() {
        let fault = check_table(&[&described("GetPlan")]).expect_err("rows are left over");
        assert!(matches!(fault, TableFault::WithoutMethod(_)), "{fault}");
    }

    #[test]
    fn no_method_has_two_rows() {
        let names: BTreeSet<&str> = METHODS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), METHODS.len());
    }
}
