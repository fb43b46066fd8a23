//! Messages that hold something no log may show.

use std::fmt;

use crate::v1::{
    AddOperatorResponse, Arrival, CreateSiteResponse, ExportSubjectResponse, InviteOperatorResponse,
    IssueTokenResponse, RedeemInviteRequest, RedeemInviteResponse, RevealCallerResponse, SubjectRef,
    subject_ref,
};

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("call_id", &self.call_id)
            .field("line_id", &self.line_id)
            .field("withheld", &self.number.is_empty())
            .field("skill_ids", &self.skill_ids)
            .field("waited_ms", &self.waited_ms)
            .field("diverted_destination_id", &self.diverted_destination_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AddOperatorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddOperatorResponse").field("receipt", &self.receipt).finish_non_exhaustive()
    }
}

impl fmt::Debug for CreateSiteResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSiteResponse").finish_non_exhaustive()
    }
}

impl fmt::Debug for IssueTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueTokenResponse").finish_non_exhaustive()
    }
}

impl fmt::Debug for InviteOperatorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteOperatorResponse").field("expires_us", &self.expires_us).finish_non_exhaustive()
    }
}

impl fmt::Debug for RedeemInviteRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemInviteRequest").finish_non_exhaustive()
    }
}

impl fmt::Debug for RedeemInviteResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemInviteResponse").field("principal", &self.principal).finish_non_exhaustive()
    }
}

impl fmt::Debug for RevealCallerResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevealCallerResponse").field("caller_ref", &self.caller_ref).finish_non_exhaustive()
    }
}

impl fmt::Debug for ExportSubjectResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportSubjectResponse")
            .field("caller_ref", &self.caller_ref)
            .field("calls", &self.calls.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectRef").field("subject", &self.subject).finish()
    }
}

impl fmt::Debug for subject_ref::Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            subject_ref::Subject::CallerRef(caller) => f.debug_tuple("CallerRef").field(caller).finish(),
            subject_ref::Subject::Number(_) => f.write_str("Number(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_not_shown() {
        let arrival = Arrival { number: b"13812345678".to_vec(), ..Arrival::default() };
        let shown = format!("{arrival:?}");
        assert!(!shown.contains("138") && !shown.contains("49, 51, 56"), "{shown}");
        assert!(shown.contains("withheld: false"));
        let number = || "13812345678".to_owned();
        let subject = SubjectRef { subject: Some(subject_ref::Subject::Number(number())) };
        let revealed = RevealCallerResponse { number: number(), ..RevealCallerResponse::default() };
        let exported = ExportSubjectResponse { number: number(), ..ExportSubjectResponse::default() };
        let shown = format!("{subject:?} {revealed:?} {exported:?}");
        assert!(!shown.contains("138"), "{shown}");
    }

    #[test]
    fn a_token_is_not_shown() {
        let reply = AddOperatorResponse { token: "hl_op-1_abc".into(), ..AddOperatorResponse::default() };
        assert!(!format!("{reply:?}").contains("hl_op"));
        let reply = IssueTokenResponse { token: "hl_op-1_abc".into() };
        assert!(!format!("{reply:?}").contains("hl_op"));
        let invited = InviteOperatorResponse { invite: "hi_1_abc".into(), expires_us: 1 };
        let request = RedeemInviteRequest { invite: "hi_1_abc".into() };
        let redeemed = RedeemInviteResponse { token: "hl_op-1_abc".into(), principal: None };
        let shown = format!("{invited:?} {request:?} {redeemed:?}");
        assert!(!shown.contains("hi_1") && !shown.contains("hl_op"), "{shown}");
    }
}
