//! Starts the switchboards of this server's sites.

use std::path::PathBuf;
use std::sync::Arc;

use exchange::{Clock, Exchange, ExchangeConfig};
use presence::Redis;
use routing::{OpenSite, Opening};
use session::{Derived, FORMAT_OLDEST, Journal, Roll, Writer};
use switchboard::id::SiteId;

use super::redis_at;

/// Starts the switchboard of a site.
pub(super) struct Opener {
    pub(super) home: SiteId,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) derived: Arc<dyn Derived>,
    pub(super) clock: Clock,
    pub(super) evidence: Option<PathBuf>,
    /// Where routers of the same journal hear of each other, if there may be several.
    pub(super) roll: Option<Arc<dyn Roll>>,
    pub(super) shown_in: Option<Arc<Redis>>,
}

impl OpenSite for Opener {
    fn open(&self, site: SiteId) -> Opening<'_> {
        let writer = Writer::new(uuid::Uuid::new_v4().to_string());
        let mut config =
            ExchangeConfig::alone(site, writer).with_derived(self.derived.clone()).named(&name());
        if let Some(evidence) = &self.evidence {
            config = config.with_evidence(evidence.clone());
        }
        if let Some(shown_in) = &self.shown_in {
            config = redis_at::shown(config, shown_in, site, self.clock, self.roll.is_some());
        }
        if let Some(roll) = &self.roll {
            config = config.among_routers(roll.clone());
        }
        Box::pin(async move {
            if site != self.home {
                // Whoever serves the home site reads a site that begins now.
                let home = self.journal.head(self.home).await?;
                config = config.beginning_in(home.format.max(FORMAT_OLDEST));
            }
            Exchange::spawn(config, self.journal.clone(), self.clock).await
        })
    }
}

/// What people call this server among several: its machine, and its process there.
fn name() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}/{}", machine.trim(), std::process::id())
}
