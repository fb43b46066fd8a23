use std::future::Future;

use tonic::{Response, Status};

use crate::client::Client;
use crate::v1;

/// A request that can be sent again: it is idempotent by its request id, by the ids it names, or because it only reads.
pub trait Unary: Clone + Send {
    /// The answer.
    type Reply: Send;
    /// Where the request id goes, if the request has one.
    fn request_id_mut(&mut self) -> Option<&mut String>;
    /// Sends it once.
    fn call(self, client: &Client) -> impl Future<Output = Result<Response<Self::Reply>, Status>> + Send;
}

macro_rules! unary {
    ($service:ident: $($method:ident($request:ident) -> $reply:ident $(by $id:ident)?),+ $(,)?) => {$(
        impl Unary for v1::$request {
            type Reply = v1::$reply;
            fn request_id_mut(&mut self) -> Option<&mut String> {
                unary!(@id self $($id)?)
            }
            async fn call(self, client: &Client) -> Result<Response<v1::$reply>, Status> {
                client.$service().$method(self).await
            }
        }
    )+};
    (@id $self:ident $id:ident) => { Some(&mut $self.$id) };
    (@id $self:ident) => { None };
}

unary!(gateway: report(ReportRequest) -> ReportResponse);

unary!(operator:
    heartbeat(HeartbeatRequest) -> HeartbeatResponse,
    go_on_duty(GoOnDutyRequest) -> GoOnDutyResponse by request_id,
    pause(PauseRequest) -> PauseResponse by request_id,
    resume(ResumeRequest) -> ResumeResponse by request_id,
    leave(LeaveRequest) -> LeaveResponse by request_id,
    confirm_delivery(ConfirmDeliveryRequest) -> ConfirmDeliveryResponse by request_id,
    accept(AcceptRequest) -> AcceptResponse by request_id,
    decline(DeclineRequest) -> DeclineResponse by request_id,
    confirm_media(ConfirmMediaRequest) -> ConfirmMediaResponse by request_id,
    hold(HoldRequest) -> HoldResponse by request_id,
    retrieve(RetrieveRequest) -> RetrieveResponse by request_id,
    transfer(TransferRequest) -> TransferResponse by request_id,
    consult(ConsultRequest) -> ConsultResponse by request_id,
    complete_transfer(CompleteTransferRequest) -> CompleteTransferResponse by request_id,
    hang_up(HangUpRequest) -> HangUpResponse by request_id,
    end_wrap_up(EndWrapUpRequest) -> EndWrapUpResponse by request_id,
    block_caller(OperatorServiceBlockCallerRequest) -> OperatorServiceBlockCallerResponse by request_id,
);

unary!(supervisor:
    list_calls(ListCallsRequest) -> ListCallsResponse,
    get_call(GetCallRequest) -> GetCallResponse,
    explain_call(ExplainCallRequest) -> ExplainCallResponse,
    explain_operator(ExplainOperatorRequest) -> ExplainOperatorResponse,
    divert_line(DivertLineRequest) -> DivertLineResponse by request_id,
    open_line(OpenLineRequest) -> OpenLineResponse by request_id,
    close_line(CloseLineRequest) -> CloseLineResponse by request_id,
    move_call(MoveCallRequest) -> MoveCallResponse by request_id,
    pause_operator(PauseOperatorRequest) -> PauseOperatorResponse by request_id,
    force_operator(ForceOperatorRequest) -> ForceOperatorResponse by request_id,
    block_caller(BlockCallerRequest) -> BlockCallerResponse by request_id,
    unblock_caller(UnblockCallerRequest) -> UnblockCallerResponse by request_id,
);

unary!(admin:
    get_plan(GetPlanRequest) -> GetPlanResponse,
    list_plans(ListPlansRequest) -> ListPlansResponse,
    list_tokens(ListTokensRequest) -> ListTokensResponse,
    validate_plan(ValidatePlanRequest) -> ValidatePlanResponse,
    diff_plan(DiffPlanRequest) -> DiffPlanResponse,
    apply_plan(ApplyPlanRequest) -> ApplyPlanResponse by request_id,
    add_operator(AddOperatorRequest) -> AddOperatorResponse by request_id,
    change_operator(ChangeOperatorRequest) -> ChangeOperatorResponse by request_id,
    remove_operator(RemoveOperatorRequest) -> RemoveOperatorResponse by request_id,
    list_operators(ListOperatorsRequest) -> ListOperatorsResponse,
    invite_operator(InviteOperatorRequest) -> InviteOperatorResponse,
    issue_token(IssueTokenRequest) -> IssueTokenResponse,
    revoke_token(RevokeTokenRequest) -> RevokeTokenResponse,
);

unary!(history:
    list_records(ListRecordsRequest) -> ListRecordsResponse,
    get_path(GetPathRequest) -> GetPathResponse,
    explain_past_call(ExplainPastCallRequest) -> ExplainPastCallResponse,
    explain_past_operator(ExplainPastOperatorRequest) -> ExplainPastOperatorResponse,
);

unary!(roster:
    get_roster(GetRosterRequest) -> GetRosterResponse,
    validate_roster(ValidateRosterRequest) -> ValidateRosterResponse,
    apply_roster(ApplyRosterRequest) -> ApplyRosterResponse,
    list_due(ListDueRequest) -> ListDueResponse,
);

unary!(sites:
    create_site(CreateSiteRequest) -> CreateSiteResponse by request_id,
    list_sites(ListSitesRequest) -> ListSitesResponse,
    retire_site(RetireSiteRequest) -> RetireSiteResponse by request_id,
    get_format(GetFormatRequest) -> GetFormatResponse,
    raise_format(RaiseFormatRequest) -> RaiseFormatResponse by request_id,
);

unary!(audit:
    list_audit(ListAuditRequest) -> ListAuditResponse,
    verify_audit(VerifyAuditRequest) -> VerifyAuditResponse,
    reveal_caller(RevealCallerRequest) -> RevealCallerResponse,
    export_subject(ExportSubjectRequest) -> ExportSubjectResponse,
    erase_subject(EraseSubjectRequest) -> EraseSubjectResponse,
    approve_erasure(ApproveErasureRequest) -> ApproveErasureResponse,
    list_erasures(ListErasuresRequest) -> ListErasuresResponse,
);

unary!(clock: step(StepRequest) -> StepResponse);
