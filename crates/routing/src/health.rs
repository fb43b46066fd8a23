//! What the health service says: whether clients should be sent here.

use exchange::Readiness;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

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

/// Tells whether the site takes decisions and stores them in time, whenever that changes.
pub(crate) async fn follow(health: HealthReporter, mut readiness: watch::Receiver<Readiness>) {
    loop {
        let now = *readiness.borrow_and_update();
        let status = match now {
            Readiness::Ready => ServingStatus::Serving,
            Readiness::CommitOverdue | Readiness::Degraded | Readiness::Closed => ServingStatus::NotServing,
        };
        tell(&health, status).await;
        // An error means that the exchange is gone; closed was the last it said.
        if readiness.changed().await.is_err() {
            return;
        }
    }
}
