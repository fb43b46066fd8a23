//! What the health service says: whether clients should be sent here.

use std::sync::Arc;

use api::PROMPT;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::sites::Sites;

/// Whose health is told; the nameless one is the whole server's.
const SERVICES: &[&str] = &[
    "",
    "hotline.v1.GatewayService",
    "hotline.v1.OperatorService",
    "hotline.v1.SupervisorService",
    "hotline.v1.AdminService",
];

/// Tells the same under every name.
pub(crate) async fn tell(health: &HealthReporter, status: ServingStatus) {
    health.set_service_status(PROMPT, status).await;
    tell_services(health, status).await;
}

async fn tell_services(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(*service, status).await;
    }
}

/// Tells whether there is a site that takes decisions and stores them in time, whenever that changes: one hospital's
/// trouble does not send away the others. Whoever has another router to go to is told sooner.
pub(crate) async fn follow(health: HealthReporter, sites: Arc<Sites>) {
    let mut told = [true; 2];
    loop {
        let ready = sites.is_any_ready();
        let now = [ready, ready && !sites.is_late()];
        if now[0] != told[0] {
            tell_services(&health, said(now[0])).await;
        }
        if now[1] != told[1] {
            health.set_service_status(PROMPT, said(now[1])).await;
        }
        told = now;
        sites.stirred.notified().await;
    }
}

fn said(serves: bool) -> ServingStatus {
    if serves { ServingStatus::Serving } else { ServingStatus::NotServing }
}
