//! What the health service says: whether clients should be sent here.

use std::sync::Arc;

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

/// Tells the same of every service.
pub(crate) async fn tell(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        health.set_service_status(*service, status).await;
    }
}

/// Tells whether there is a site that takes decisions and stores them in time, whenever that changes: one hospital's
/// trouble does not send away the others.
pub(crate) async fn follow(health: HealthReporter, sites: Arc<Sites>) {
    let mut told = true;
    loop {
        let ready = sites.is_any_ready();
        if ready != told {
            told = ready;
            tell(&health, if ready { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
        }
        sites.stirred.notified().await;
    }
}
