//! Many sites on one server and one Postgres: what an idle site costs in memory and processor, and how long a call waits
//! for its offer among all of them.
//!
//! The desks of a site share a connection, as those behind one proxy do.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use api::{Bearer, Client, v1};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::floor::add_operator;
use super::postgres::Postgres;
use super::report::rounded;
use super::routers::{Begin, Calls, Counts, Desk, Gateway, Ringing, Router, client};
use super::times::Times;
use crate::lang::Lang;

/// Operators of each site.
const OPERATORS: usize = 15;
/// Calls a second at all sites together.
const RATE: u32 = 200;
/// Sites that are being begun at the same time.
const BEGINNING_MAX: usize = 8;
/// How long at most nothing happens before memory is read and while the idle sites' cost is: two heartbeats of every desk.
const QUIET_MAX: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(2);
const GATEWAY: &str = "gateway-1";

/// What they came to.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    sites: u32,
    /// Until all of them were begun and staffed.
    began_in: Duration,
    /// Memory of the server, before and with them.
    before_kb: u64,
    with_kb: u64,
    /// Of one processor, by the server, while nobody calls: heartbeats and looking after each site.
    idle_share: f64,
    offers: Times,
    /// Of one processor, by the server, under the load.
    busy_share: f64,
    counts: Counts,
}

/// Begins so many sites, and measures.
///
/// # Errors
/// When the server fails, or a call is stuck.
pub(super) async fn measure(
    parent: &Path,
    postgres: &Postgres,
    sites: u32,
    length: Duration,
) -> Result<Measured> {
    let database = postgres.database().await?;
    let begin = Begin { database: &database, redis_at: None, gateways: &[GATEWAY] };
    let router = Router::start(parent, &begin).await?;
    let address = router.address();
    let home = client(&address, &router.token("admin", None)?)?;
    let (calls, began, before) = (Calls::default(), Instant::now(), router.usage()?);
    let beginning = stream::iter(0..sites).map(|nth| Site::begin(&home, &address, nth, &calls));
    let floor: Vec<Site> = beginning.buffer_unordered(BEGINNING_MAX).try_collect().await?;
    let began_in = began.elapsed();
    let still = length.min(QUIET_MAX);
    sleep(still).await;
    let quiet = router.usage()?;
    sleep(still).await;
    let idle = router.usage()?;
    let ringing = Ringing::begin(floor.iter().map(|site| site.gateway.clone()).collect(), RATE);
    sleep(WARM_UP).await;
    let (from, calm) = (Instant::now(), router.usage()?);
    sleep(length).await;
    let (until, busy) = (Instant::now(), router.usage()?);
    ringing.end(&calls).await?;
    let measured = Measured {
        sites,
        began_in,
        before_kb: before.resident_kb,
        with_kb: idle.resident_kb,
        idle_share: (idle.on_cpu - quiet.on_cpu).as_secs_f64() / still.as_secs_f64(),
        offers: calls.waits(from, until, |_| true),
        busy_share: (busy.on_cpu - calm.on_cpu).as_secs_f64() / (until - from).as_secs_f64(),
        counts: calls.counts(),
    };
    drop(floor);
    router.end().await;
    Ok(measured)
}

/// One site with everybody on duty.
struct Site {
    gateway: Gateway,
    _desks: Vec<Desk>,
}

impl Site {
    async fn begin(home: &Client, address: &str, nth: u32, calls: &Calls) -> Result<Site> {
        let site_id = format!("site-{nth}");
        let request = v1::CreateSiteRequest { site_id, ..Default::default() };
        let token = home.send(request).await.context("beginning a site")?.token;
        let admin = client(address, &token)?;
        let principal = v1::principal_ref::Principal::GatewayId(GATEWAY.to_owned());
        let principal = Some(v1::PrincipalRef { principal: Some(principal) });
        let request = v1::IssueTokenRequest { principal, lasting_ms: None };
        let token = admin.send(request).await.context("a gateway's token")?.token;
        let gateway = Gateway::open(admin.with_token(Bearer::new(&token)?), 0, calls);
        let mut desks = Vec::new();
        for number in 0..OPERATORS {
            let token = add_operator(&admin, &format!("operator-{number}"), "").await?;
            desks.push(Desk::open(admin.with_token(Bearer::new(&token)?), 0, number, calls));
        }
        gateway.is_attached().await?;
        for desk in &desks {
            desk.is_ready().await?;
        }
        Ok(Site { gateway, _desks: desks })
    }
}

impl Measured {
    fn site_kb(&self) -> f64 {
        self.with_kb.saturating_sub(self.before_kb) as f64 / f64::from(self.sites.max(1))
    }

    /// Of a second, in milliseconds of one processor, by each site.
    fn site_idle_ms(&self) -> f64 {
        self.idle_share * 1_000.0 / f64::from(self.sites.max(1))
    }

    /// Calls that were refused.
    pub(super) fn refused(&self) -> u64 {
        self.counts.refused
    }

    /// For people.
    pub(super) fn lines(&self, lang: Lang) -> Vec<String> {
        let Measured { sites, offers, counts, .. } = self;
        let (site_kb, idle_ms) = (self.site_kb(), self.site_idle_ms());
        let (idle, busy, began) = (self.idle_share, self.busy_share, self.began_in.as_secs_f64());
        match lang {
            Lang::Zh => vec![
                format!(
                    "{sites} 个站点，各 {OPERATORS} 名接线员，{began:.0} 秒建成；每个站点内存 {site_kb:.0} kB"
                ),
                format!("  空闲时占处理器 {idle:.2}，每个站点每秒 {idle_ms:.2} 毫秒"),
                format!("  每秒 {RATE} 个来电：派线 {offers}；占处理器 {busy:.2}"),
                format!("  来电 {} 个，拒绝 {}，接听过迟 {}", counts.lives, self.refused(), counts.late),
            ],
            Lang::En => vec![
                format!(
                    "{sites} sites of {OPERATORS} operators, begun in {began:.0} s: memory of a site {site_kb:.0} kB"
                ),
                format!("  idle: {idle:.2} of a processor, {idle_ms:.2} ms a second for each site"),
                format!("  {RATE} calls/s: offer {offers}; {busy:.2} of a processor"),
                format!(
                    "  {} calls, {} refused, {} answered too late",
                    counts.lives,
                    self.refused(),
                    counts.late
                ),
            ],
        }
    }

    /// For programs.
    pub(super) fn object(&self) -> Value {
        let counts = &self.counts;
        json!({
            "sites": self.sites,
            "operators": OPERATORS,
            "calls_per_s": RATE,
            "began_in_s": rounded(self.began_in.as_secs_f64()),
            "site_kb": rounded(self.site_kb()),
            "resident_kb": self.with_kb,
            "idle_cpu_share": rounded(self.idle_share),
            "site_idle_ms_per_s": rounded(self.site_idle_ms()),
            "busy_cpu_share": rounded(self.busy_share),
            "offer": self.offers.json(),
            "calls": { "lives": counts.lives, "refused": counts.refused, "late": counts.late },
        })
    }
}
