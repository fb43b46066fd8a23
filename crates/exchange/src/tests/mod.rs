//! What the exchange promises about answers and appends, and the planted mistakes that must break each promise.

mod commit_order;
mod contest;
mod faults;
#[path = "../../tests/site/mod.rs"]
mod site;
mod turns;
mod way;

use std::path::PathBuf;
use std::sync::Arc;

use session::{Journal, Writer};

use crate::planted::{Mistake, Planted};
use crate::{Clock, Exchange, ExchangeConfig, ExchangeHandle};

/// An exchange with a mistake in it, or without.
async fn start(journal: Arc<dyn Journal>, writer: &str, mistake: Option<Mistake>) -> ExchangeHandle {
    let mut config = ExchangeConfig::alone(site::main_site(), Writer::new(writer));
    config.planted = Planted { mistake };
    spawn(config, journal).await
}

/// An exchange with a mistake in it, which keeps what led to it.
async fn start_keeping_evidence(
    journal: Arc<dyn Journal>,
    mistake: Mistake,
    evidence: PathBuf,
) -> ExchangeHandle {
    let mut config = ExchangeConfig::alone(site::main_site(), Writer::new("a")).with_evidence(evidence);
    config.planted = Planted { mistake: Some(mistake) };
    spawn(config, journal).await
}

async fn spawn(config: ExchangeConfig, journal: Arc<dyn Journal>) -> ExchangeHandle {
    Exchange::spawn(config, journal, Clock::STEPPED).await.expect("the journal can be read")
}
