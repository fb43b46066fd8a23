use std::sync::Arc;
use std::time::{Instant, SystemTime};

use api::v1;
use api::v1::session_service_server::SessionService;
use session::AuditEntry;
use tonic::{Code, Request, Response, Status};

use super::admin::token_fault;
use crate::audited::About;
use crate::convert;
use crate::door::too_many_guesses;
use crate::invites::{Invited, invited};
use crate::listening::Peer;
use crate::principal::Who;
use crate::refusal::{self, Reason};
use crate::site::Site;
use crate::sites::Sites;

/// For whoever has an invitation and no token yet.
pub(crate) struct Session(pub(crate) Arc<Sites>);

#[tonic::async_trait]
impl SessionService for Session {
    async fn redeem_invite(
        &self,
        request: Request<v1::RedeemInviteRequest>,
    ) -> Result<Response<v1::RedeemInviteResponse>, Status> {
        let peer = Peer::ip(request.extensions().get());
        let text = request.into_inner().invite;
        let mut found = self.found(&text).await?;
        if found.is_none() && self.0.is_shared() {
            // It may be to a site that another router began a moment ago.
            self.0.find_sites().await;
            found = self.found(&text).await?;
        }
        let Some((site, found)) = found else {
            return Err(match self.0.guesses.wrong(peer, Instant::now()) {
                Ok(()) => nobodys(),
                Err(wait) => too_many_guesses(wait),
            });
        };
        if found.is_over {
            return Err(over());
        }
        let Who::Operator(operator) = found.principal.who else { return Err(nobodys()) };
        let known = |switchboard: &switchboard::Switchboard| switchboard.operator(operator).is_some();
        let mut is_known = site.exchange.read(known);
        if !is_known && site.is_shared {
            // Added at another router a moment ago, perhaps.
            is_known = site.catch_up().await && site.exchange.read(known);
        }
        if !is_known {
            return Err(nobodys());
        }
        // To its end, also when nobody waits for the answer any more: otherwise an invitation would be spent for nothing.
        let redeemed = tokio::spawn(async move { redeemed(&site, found).await });
        redeemed.await.map_err(|fault| Status::internal(fault.to_string()))?
    }
}

impl Session {
    /// An invitation, and the site it is to: it does not say so itself.
    async fn found(&self, text: &str) -> Result<Option<(Arc<Site>, Invited)>, Status> {
        for site in self.0.all() {
            let found = invited(&*site.registry, site.id(), text, SystemTime::now()).await;
            if let Some(found) = found.map_err(|fault| token_fault(&fault))? {
                return Ok(Some((site, found)));
            }
        }
        Ok(None)
    }
}

/// Recorded first, then spent, then a token: of two who come at once with the same, one has it.
async fn redeemed(site: &Site, found: Invited) -> Result<Response<v1::RedeemInviteResponse>, Status> {
    let Invited { principal, id, .. } = found;
    let who = principal.who;
    let act = site.recorder.without_token(who, "invite.redeem");
    let object = format!("{}:{}", who.role().name(), who.id());
    act.asks(About { object, ..About::default() }).await?;
    let spent = site.registry.spend_invite(site.id(), &id).await;
    let answer = match spent.map_err(|fault| crate::stores::registry_fault(&fault)) {
        Ok(true) => site.principals.mint(principal).await.map_err(|fault| token_fault(&fault)),
        Ok(false) => Err(nobodys()),
        Err(fault) => Err(fault),
    };
    act.end(if answer.is_ok() { AuditEntry::DONE } else { AuditEntry::REFUSED }.to_owned()).await;
    let token = answer?;
    tracing::info!(role = who.role().name(), id = who.id(), "invitation redeemed");
    let principal = Some(convert::principal_ref(&who));
    Ok(Response::new(v1::RedeemInviteResponse { principal, token: token.reveal().to_owned() }))
}

fn nobodys() -> Status {
    let mend = "ask for another invitation; each is worth a token once, and the latest one alone";
    let reason = Reason { status: Code::Unauthenticated, code: "NO_VALID_INVITE", mend };
    refusal::status(reason, "nobody has this invitation, or it was redeemed")
}

fn over() -> Status {
    let reason =
        Reason { status: Code::Unauthenticated, code: "INVITE_EXPIRED", mend: "ask for another invitation" };
    refusal::status(reason, "this invitation has expired")
}
