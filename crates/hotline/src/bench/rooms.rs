//! What is measured on Postgres with several servers or many sites, each in a room of its own.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::limits::Limit;
use super::postgres::Postgres;
use super::routers::words;
use super::{BenchFlags, routers, sites};
use crate::lang::Lang;

/// How much longer than a load of a round the sites are loaded: there are many, and each gets few calls.
const SITES_LENGTHS: u32 = 5;

/// What they came to, as far as they were asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Rooms {
    pub(super) routers: Option<routers::Measured>,
    pub(super) sites: Option<sites::Measured>,
}

impl Rooms {
    /// Measures those that were asked for.
    ///
    /// # Errors
    /// When a service fails.
    pub(super) async fn measure(dir: &Path, flags: &BenchFlags) -> Result<Rooms> {
        let Some(file) = &flags.postgres else { return Ok(Rooms::default()) };
        let postgres = Postgres::named(file)?;
        let mut rooms = Rooms::default();
        if flags.takeovers() > 0 {
            let ask = routers::Ask {
                takeovers: flags.takeovers(),
                turns: flags.rounds(),
                rate: flags.rate,
                length: flags.length(),
            };
            rooms.routers = Some(routers::measure(dir, &postgres, ask).await?);
        }
        if flags.sites() > 0 {
            let length = flags.length() * SITES_LENGTHS;
            rooms.sites = Some(sites::measure(dir, &postgres, flags.sites(), length).await?);
        }
        Ok(rooms)
    }

    /// What their figures must reach.
    pub(super) fn limits(&self) -> Vec<Limit> {
        let mut limits = self.routers.as_ref().map(words::limits).unwrap_or_default();
        let refused = self.sites.as_ref().map(|sites| sites.refused() as f64);
        limits.extend(refused.map(|refused| Limit::at_most("sites_calls_refused", refused, 0.0).always()));
        limits
    }

    /// For people.
    pub(super) fn lines(&self, lang: Lang) -> Vec<String> {
        let mut lines = self.routers.as_ref().map(|routers| words::lines(routers, lang)).unwrap_or_default();
        lines.extend(self.sites.iter().flat_map(|sites| sites.lines(lang)));
        lines
    }

    /// For programs, each by its name.
    pub(super) fn objects(&self) -> [(&'static str, Option<Value>); 2] {
        [
            ("routers", self.routers.as_ref().map(words::object)),
            ("sites", self.sites.as_ref().map(sites::Measured::object)),
        ]
    }
}
