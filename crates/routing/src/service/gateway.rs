use std::sync::Arc;

use api::v1;
use api::v1::fact_result::Result as FactOutcome;
use api::v1::gateway_service_server::GatewayService;
use exchange::Refused;
use futures_util::stream::unfold;
use presence::Holder;
use switchboard::command::{Actor, Command, Input};
use switchboard::decision::Reply;
use switchboard::id::GatewayId;
use switchboard::rejection::Rejection;
use tonic::{Request, Response, Status};

use super::Outgoing;
use crate::convert::{self, Reported};
use crate::principal::Who;
use crate::refusal::{self, reason_of};
use crate::site::{Site, principal};
use crate::streams::{Whose, cursor};

/// For gateways.
pub(crate) struct Gateway(pub(crate) Arc<Site>);

#[tonic::async_trait]
impl GatewayService for Gateway {
    type AttachStream = Outgoing<v1::GatewayServiceAttachResponse>;

    async fn attach(
        &self,
        request: Request<v1::GatewayServiceAttachRequest>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (site, who, gateway) = self.asker(&request)?;
        let request = request.into_inner();
        let incarnation = request.incarnation;
        let calls = convert::calls("call_ids", &request.call_ids)?;
        let reaches = convert::reach(request.reaches)?;
        let command = Command::AttachGateway { incarnation, reaches, calls: calls.clone() };
        site.ask(who, "", command).await?;
        let (stream, mailbox) = site.streams.open_gateway(gateway, calls, request.resume.map(cursor));
        let open = site.opened(Holder::Gateway { gateway, incarnation }, Whose::Gateway(gateway), stream)?;
        Ok(Response::new(Box::pin(unfold((mailbox, open), |(mailbox, open)| async move {
            let news = mailbox.next().await?;
            Some((news.map(|news| news.message()), (mailbox, open)))
        }))))
    }

    async fn report(
        &self,
        request: Request<v1::ReportRequest>,
    ) -> Result<Response<v1::ReportResponse>, Status> {
        let (site, _, gateway) = self.asker(&request)?;
        let facts = convert::reported(gateway, request.into_inner().facts)?;
        let mut results = Vec::with_capacity(facts.len());
        for fact in facts {
            results.push(note(site, gateway, fact).await?);
        }
        let receipt = Some(site.present_receipt().await);
        Ok(Response::new(v1::ReportResponse { receipt, results }))
    }
}

impl Gateway {
    fn asker<T>(&self, request: &Request<T>) -> Result<(&Arc<Site>, Who, GatewayId), Status> {
        match principal(request)?.who {
            who @ Who::Gateway(gateway) => Ok((&self.0, who, gateway)),
            _ => Err(refusal::rejected(&Rejection::NotYours)),
        }
    }
}

/// Hands one fact in. What the switchboard says of it is a result; only a site that cannot decide ends the report,
/// and whatever came before is noted: the gateway sends it all again.
async fn note(site: &Site, gateway: GatewayId, fact: Reported) -> Result<v1::FactResult, Status> {
    let command = match fact {
        Reported::Fact(command) => command,
        Reported::Arrival(ringing) => {
            // A lane that is full has no room for whoever it is: nobody's row is to wait for an append that never comes.
            if let Some(refused) = site.exchange.refuses_arrival(ringing.line) {
                return Err(refusal::refused(refused));
            }
            let (caller, kind) = site.caller(ringing.call, &ringing.number).await?;
            ringing.of(caller, kind)
        }
    };
    let input = Input { actor: Actor::Gateway(gateway), request: None, command };
    let result = match site.exchange.ask(input).await {
        Ok(committed) => FactOutcome::Noted(v1::FactNoted { line_id: line_of(committed.reply) }),
        Err(Refused::Rejection(rejection)) => FactOutcome::Refused(fact_refused(&rejection)),
        Err(refused) => return Err(refusal::refused(refused)),
    };
    Ok(v1::FactResult { result: Some(result) })
}

fn line_of(reply: Reply) -> String {
    match reply {
        Reply::Arrived { line } => line.to_string(),
        _ => String::new(),
    }
}

fn fact_refused(rejection: &Rejection) -> v1::FactRefused {
    let reason = reason_of(rejection);
    v1::FactRefused {
        reason: reason.code.to_owned(),
        message: rejection.to_string(),
        mend: reason.mend.to_owned(),
    }
}
