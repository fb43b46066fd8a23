//! Who is there while commands are timed: a gateway through which callers ring in, and somebody for whom they wait.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use api::v1::fact::Fact;
use api::{Bearer, Client, GatewayFeed, v1};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::commands::Made;
use super::table::Round;
use crate::tokens::{ADDRESS_FILE, Address, FILE, TokenFile};

/// Callers ring in on one of these and are moved to the other.
const LINES: [&str; 2] = ["outpatient-1", "outpatient-2"];

type Inventory = fn() -> Vec<String>;

/// A gateway whose stream is open, and an administrator's connection. Dropping it ends both.
pub(super) struct Live {
    runtime: Handle,
    admin: Client,
    gateway: Client,
    listening: JoinHandle<()>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Live {
    /// Connects to the server of this data directory. `began_s` makes of each run's gateway and person another one.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(super) fn begin(runtime: &Handle, data: &Path, began_s: u64) -> Result<Live> {
        runtime.block_on(async {
            let (admin, gateway) = (client(data, "admin")?, client(data, "gateway")?);
            let inventory: Inventory = Vec::new;
            let mut feed = gateway.attach(GatewayFeed { incarnation: began_s, reaches: None, inventory });
            feed.next().await.context("attaching a gateway")?;
            // Its orders are read and not followed: there is nobody to hear them.
            let listening = tokio::spawn(async move { while feed.next().await.is_ok() {} });
            let live = Live { runtime: runtime.clone(), admin, gateway, listening };
            live.have_somebody_paused(&format!("t{began_s}-paused")).await?;
            Ok(live)
        })
    }

    /// Makes something so. It is not timed.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub(super) fn make(&self, made: Made, round: &Round) -> Result<()> {
        let call_id = round.call.clone();
        self.runtime.block_on(async {
            match made {
                Made::OnDuty => self.have_on_duty(&round.id).await,
                Made::RingsIn => {
                    let (line_id, number) = (LINES[0].to_owned(), round.number.clone().into_bytes());
                    let arrival = v1::Arrival { call_id, line_id, number, ..Default::default() };
                    self.report(Fact::Arrival(arrival)).await
                }
                Made::HangsUp => self.report(Fact::CallerHungUp(v1::CallerHungUp { call_id })).await,
            }
        })
    }

    /// Somebody with an ordinary telephone, on duty and paused: callers wait there.
    async fn have_somebody_paused(&self, id: &str) -> Result<()> {
        let profile = v1::OperatorProfile {
            home_line_ids: LINES.iter().map(ToString::to_string).collect(),
            device: v1::DeviceKind::Telephone.into(),
            ..Default::default()
        };
        let operator_id = id.to_owned();
        let add = v1::AddOperatorRequest { operator_id, profile: Some(profile), ..Default::default() };
        self.admin.send(add).await.context("adding somebody")?;
        self.have_on_duty(id).await?;
        let (operator_id, reason) = (id.to_owned(), "timing".to_owned());
        let pause = v1::PauseOperatorRequest { operator_id, reason, ..Default::default() };
        self.admin.send(pause).await.map(drop).context("pausing somebody")
    }

    /// No command does this: people come on duty by themselves.
    async fn have_on_duty(&self, id: &str) -> Result<()> {
        let (operator_id, to) = (id.to_owned(), v1::Force::On.into());
        let force = v1::ForceOperatorRequest { operator_id, to, ..Default::default() };
        self.admin.send(force).await.map(drop).context("having somebody on duty")
    }

    async fn report(&self, fact: Fact) -> Result<()> {
        let request = v1::ReportRequest { facts: vec![v1::Fact { fact: Some(fact) }] };
        let reported = self.gateway.send(request).await.context("a gateway's report")?;
        match reported.results.into_iter().next().and_then(|result| result.result) {
            Some(v1::fact_result::Result::Noted(_)) => Ok(()),
            other => bail!("what a gateway reported was not noted: {other:?}"),
        }
    }
}

/// As the server wrote down for whoever is on this machine.
fn client(data: &Path, role: &str) -> Result<Client> {
    let (address, file): (Address, TokenFile) = (read(data, ADDRESS_FILE)?, read(data, FILE)?);
    let entry = file.tokens.iter().find(|entry| entry.role == role);
    let entry = entry.with_context(|| format!("there is no token for a {role}"))?;
    Ok(Client::new(&address.address, Bearer::new(&entry.token)?)?)
}

fn read<T: DeserializeOwned>(data: &Path, name: &str) -> Result<T> {
    let path = data.join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}
