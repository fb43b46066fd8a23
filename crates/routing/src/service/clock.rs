use std::sync::Arc;

use api::v1;
use api::v1::clock_service_server::ClockService;
use exchange::StepTo;
use switchboard::time::SiteTime;
use tonic::{Request, Response, Status};

use crate::refusal;
use crate::site::Site;

/// Drives a stepped clock.
pub(crate) struct Clock(pub(crate) Arc<Site>);

#[tonic::async_trait]
impl ClockService for Clock {
    async fn step(&self, request: Request<v1::StepRequest>) -> Result<Response<v1::StepResponse>, Status> {
        let request = request.into_inner();
        let to = SiteTime(request.to_us);
        let to = if request.stop_at_deadline { StepTo::Due { at_most: to } } else { StepTo::At(to) };
        let stepped = self.0.exchange.step(to).await.map_err(refusal::not_stepped)?;
        let mut receipt = self.0.receipt(stepped.cursor, stepped.at).await;
        if let Some(told) = &mut receipt.stepped {
            told.next_deadline_us = stepped.next.map(|next| next.0);
        }
        Ok(Response::new(v1::StepResponse { receipt: Some(receipt) }))
    }
}
