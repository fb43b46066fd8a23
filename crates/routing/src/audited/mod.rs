//! What is recorded of whom before it is done: one table by full method name, and the slip that each act is recorded
//! on. A method that the office may call and that has no row here is never served.
//!
//! The door writes a slip for each call of a recorded method; whoever does the act says on it what is asked, and goes on
//! only when that is durable; the door says how it ended. An act that ended well without a word on its slip is a
//! mistake of this program, and is answered as one.

mod about;
mod after;
mod slip;
mod why;

use prost::Message;
use prost_types::FileDescriptorSet;
use session::AuditEntry;
use tonic::Code;

pub(crate) use self::about::{About, about};
pub(crate) use self::after::tell_ends;
pub(crate) use self::slip::{Act, Recorder};
pub(crate) use self::why::{needed_why, why_of};
use crate::authorize::{Access, TableFault, access, methods_of};
use crate::principal::Role;

/// Whether calls of a method are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It changes nothing, and shows nothing of a person.
    No,
    /// Under this name.
    As(&'static str),
}

use Recorded::{As, No};

/// The act of making somebody's token.
pub(crate) const TOKEN_ISSUED: &str = "token.issue";

/// Every method that a supervisor or an administrator may call.
const METHODS: &[(&str, Recorded)] = &[
    ("/hotline.v1.SupervisorService/WatchBoard", No),
    ("/hotline.v1.SupervisorService/ListCalls", No),
    ("/hotline.v1.SupervisorService/GetCall", No),
    ("/hotline.v1.SupervisorService/ExplainCall", No),
    ("/hotline.v1.SupervisorService/ExplainOperator", No),
    ("/hotline.v1.SupervisorService/DivertLine", As("line.divert")),
    ("/hotline.v1.SupervisorService/OpenLine", As("line.open")),
    ("/hotline.v1.SupervisorService/CloseLine", As("line.close")),
    ("/hotline.v1.SupervisorService/MoveCall", As("call.move")),
    ("/hotline.v1.SupervisorService/PauseOperator", As("operator.pause")),
    ("/hotline.v1.SupervisorService/ForceOperator", As("operator.force")),
    ("/hotline.v1.SupervisorService/BlockCaller", As("caller.block")),
    ("/hotline.v1.SupervisorService/UnblockCaller", As("caller.unblock")),
    ("/hotline.v1.AdminService/GetPlan", No),
    ("/hotline.v1.AdminService/ListPlans", No),
    ("/hotline.v1.AdminService/ListTokens", No),
    ("/hotline.v1.AdminService/ValidatePlan", No),
    ("/hotline.v1.AdminService/DiffPlan", No),
    ("/hotline.v1.AdminService/ApplyPlan", As("plan.apply")),
    ("/hotline.v1.AdminService/AddOperator", As("operator.add")),
    ("/hotline.v1.AdminService/ChangeOperator", As("operator.change")),
    ("/hotline.v1.AdminService/RemoveOperator", As("operator.remove")),
    ("/hotline.v1.AdminService/ListOperators", No),
    ("/hotline.v1.AdminService/TailEvents", No),
    ("/hotline.v1.AdminService/InviteOperator", As("operator.invite")),
    ("/hotline.v1.AdminService/IssueToken", As(TOKEN_ISSUED)),
    ("/hotline.v1.AdminService/RevokeToken", As("token.revoke")),
    ("/hotline.v1.AuditService/ListAudit", No),
    ("/hotline.v1.AuditService/VerifyAudit", No),
    ("/hotline.v1.AuditService/RevealCaller", As("caller.reveal")),
    ("/hotline.v1.AuditService/ExportSubject", As("subject.export")),
    ("/hotline.v1.AuditService/EraseSubject", As("subject.erase")),
    ("/hotline.v1.AuditService/ApproveErasure", As("subject.approve")),
    ("/hotline.v1.AuditService/ListErasures", No),
    ("/hotline.v1.HistoryService/ListRecords", No),
    ("/hotline.v1.HistoryService/GetPath", No),
    ("/hotline.v1.HistoryService/ExplainPastCall", No),
    ("/hotline.v1.HistoryService/ExplainPastOperator", No),
    ("/hotline.v1.RosterService/GetRoster", No),
    ("/hotline.v1.RosterService/ValidateRoster", No),
    ("/hotline.v1.RosterService/ApplyRoster", As("roster.apply")),
    ("/hotline.v1.RosterService/ListDue", No),
    ("/hotline.v1.SiteService/CreateSite", As("site.create")),
    ("/hotline.v1.SiteService/ListSites", No),
    ("/hotline.v1.SiteService/RetireSite", As("site.retire")),
    ("/hotline.v1.SiteService/GetFormat", No),
    ("/hotline.v1.SiteService/RaiseFormat", As("site.raise_format")),
    // Time on a stepped clock is nobody's decision.
    ("/hotline.v1.ClockService/Step", No),
];

/// The row of a method.
pub fn recorded(method: &str) -> Option<Recorded> {
    METHODS.iter().find(|(name, _)| *name == method).map(|(_, recorded)| *recorded)
}

/// Compares the table with the methods of these descriptions that the office may call, in both directions.
///
/// # Errors
/// [`TableFault`]: the first difference.
pub fn check_recorded(descriptions: &[&[u8]]) -> Result<(), TableFault> {
    let mut offices = Vec::new();
    for description in descriptions {
        let files = FileDescriptorSet::decode(*description)?;
        offices.extend(methods_of(&files).map(|(name, _)| name).filter(|name| is_the_offices(name)));
    }
    if let Some(method) = offices.iter().find(|method| recorded(method).is_none()) {
        return Err(TableFault::Unrecorded(method.clone()));
    }
    match METHODS.iter().find(|(name, _)| !offices.iter().any(|method| method == name)) {
        Some((name, _)) => Err(TableFault::WithoutMethod((*name).to_owned())),
        None => Ok(()),
    }
}

fn is_the_offices(method: &str) -> bool {
    let Some(Access::Roles(roles)) = access(method) else { return false };
    roles.contains(&Role::Supervisor) || roles.contains(&Role::Admin)
}

/// The outcome of an answer, as the audit has it.
pub(crate) fn outcome(code: Code, reason: Option<&str>) -> String {
    match (code, reason) {
        (Code::Ok, _) => AuditEntry::DONE.to_owned(),
        (_, Some(reason)) => reason.to_owned(),
        (code, None) => crate::figures::name_of(code).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a method's name begins with if it only looks.
    const LOOKS: [&str; 7] = ["Get", "List", "Watch", "Explain", "Validate", "Diff", "Verify"];

    /// Independent of the table: by its name, and by whether its request can be sent again as the same act.
    #[test]
    fn every_method_of_the_office_that_changes_something_is_recorded() {
        let files = FileDescriptorSet::decode(api::FILE_DESCRIPTOR_SET).expect("a description");
        let mut changing = 0;
        for file in &files.file {
            for service in &file.service {
                for method in &service.method {
                    let name = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    if !is_the_offices(&name) || service.name() == "ClockService" {
                        continue;
                    }
                    let request = method.input_type().rsplit('.').next().expect("a name");
                    let messages = file.message_type.iter().find(|message| message.name() == request);
                    let fields = messages.map(|message| &message.field).into_iter().flatten();
                    let is_an_act = fields.map(|field| field.name()).any(|name| name == "request_id");
                    let looks = LOOKS.iter().any(|verb| method.name().starts_with(verb))
                        || method.name() == "TailEvents";
                    let is_recorded = matches!(recorded(&name), Some(As(_)));
                    assert_eq!(is_recorded, !looks, "{name}");
                    assert!(is_recorded || !is_an_act, "{name} has a request id and is not recorded");
                    changing += usize::from(is_recorded);
                }
            }
        }
        assert!(changing >= 18, "{changing} methods");
    }

    #[test]
    fn a_method_of_the_office_without_a_row_is_found() {
        check_recorded(&[api::FILE_DESCRIPTOR_SET]).expect("a row for each");
        let fault = check_recorded(&[]).expect_err("rows are left over");
        assert!(matches!(fault, TableFault::WithoutMethod(_)), "{fault}");
    }

    #[test]
    fn acts_have_names_of_their_own() {
        let mut names: Vec<&str> = METHODS
            .iter()
            .filter_map(|(_, recorded)| if let As(name) = recorded { Some(*name) } else { None })
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
