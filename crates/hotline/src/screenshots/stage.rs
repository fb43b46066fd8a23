//! A small hospital in the middle of a morning: who waits, who talks, and a server to be asked about it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use api::v1::fact::Fact as Is;
use api::{Bearer, Client, v1};
use tempfile::TempDir;

use crate::serve::Ready;
use crate::tokens::{self, TokenFile};

/// The calls, in the order in which they ring in.
pub(super) const CALLS: [&str; 7] = [
    "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11",
    "2f7d41b0-8c1a-7e52-b3d4-90ab61c7e5f2",
    "3a61c9e4-11f0-7b8d-8d2e-5c0f7a9b1e03",
    "4b90d2f7-52aa-7c13-a6f1-08e3b5d7c914",
    "5cc7e3a8-9b44-70d6-9e70-1fa2c4e6d825",
    "6de814b9-0e55-7fa7-82c9-2eb3d5f70936",
    "7ef925ca-6f66-7ab8-b7d8-3dc4e608a147",
];
/// Half past eight, in microseconds since the site's midnight.
const MORNING_US: u64 = 30_600_000_000;
const SECOND_US: u64 = 1_000_000;

/// The hospital's server, and where commands are typed.
pub(super) struct Stage {
    dir: TempDir,
    server: Child,
}

impl Stage {
    /// Starts the server and plays until there is something to see.
    pub(super) fn set() -> Result<Stage> {
        let dir = tempfile::tempdir()?;
        let mut server = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--with-parent", "--clock", "stepped", "--seed", "7"])
            .args(["--log", "error", "--data"])
            .arg(dir.path().join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = server.stdout.take().context("the server's output is piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let stage = Stage { dir, server };
        let ready: Ready = serde_json::from_str(&line).context("the server did not start")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(play(&ready.address, &stage.dir.path().join("data").join(tokens::FILE)))?;
        Ok(stage)
    }

    /// What a command says, in colours, on standard output and standard error as they come.
    pub(super) fn screen(&self, typed: &[String], lang: &str) -> Result<Vec<String>> {
        let (mut reader, writer) = std::io::pipe()?;
        let mut command = Command::new(std::env::current_exe()?);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOTLINE_") {
                command.env_remove(name);
            }
        }
        command
            .args(typed)
            .args(["--lang", lang])
            .current_dir(self.dir.path())
            .env("XDG_CONFIG_HOME", self.dir.path())
            .env("TZ", "Asia/Shanghai")
            .env("CLICOLOR_FORCE", "1")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let mut child = command.spawn()?;
        // With the command goes this process's hold on the pipe: the end of the output is seen.
        drop(command);
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        child.wait()?;
        Ok(text.lines().map(|line| line.trim_end().to_owned()).collect())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // One that ended has nothing left to kill.
        let _ended = self.server.kill().and_then(|()| self.server.wait());
    }
}

/// Gateway and office of the hospital.
struct Players {
    gateway: Client,
    admin: Client,
    now_us: u64,
}

async fn play(address: &str, tokens: &Path) -> Result<()> {
    let file: TokenFile = serde_json::from_slice(&std::fs::read(tokens)?)?;
    let client = |role: &str| -> Result<Client> {
        let Some(entry) = file.tokens.iter().find(|entry| entry.role == role) else {
            bail!("the server made no token for the role {role}");
        };
        Ok(Client::new(address, Bearer::new(&entry.token)?)?)
    };
    let mut players = Players { gateway: client("gateway")?, admin: client("admin")?, now_us: 0 };
    let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    let mut legs = players.gateway.gateway().attach(attach).await?.into_inner();
    legs.message().await?;
    players.step_to(MORNING_US).await?;
    for (id, team, home) in [
        ("pro-1", "professionals", "emergency"),
        ("pro-2", "professionals", "outpatient-1"),
        ("vol-1", "volunteers", "switchboard"),
        ("vol-2", "volunteers", ""),
        ("youth-1", "youth", ""),
    ] {
        players.comes(id, team, home).await?;
    }
    players.day().await
}

impl Players {
    /// One is answered at once, one after a ring that nobody took; three wait, and an emergency that somebody talks with.
    async fn day(&mut self) -> Result<()> {
        self.ring(CALLS[0], "switchboard").await?;
        self.pick_up(CALLS[0], 1).await?;
        self.pass(20).await?;
        self.ring(CALLS[1], "emergency").await?;
        self.leg(CALLS[1], 1, v1::LegEvent::Ringing).await?;
        self.pass(11).await?;
        self.pick_up(CALLS[1], 2).await?;
        self.pass(5).await?;
        self.ring(CALLS[2], "outpatient-1").await?;
        self.pick_up(CALLS[2], 1).await?;
        for id in ["vol-1", "vol-2", "youth-1", "pro-1"] {
            self.pauses(id).await;
        }
        for (call, line) in [(CALLS[3], "outpatient-2"), (CALLS[4], "outpatient-2"), (CALLS[5], "duty")] {
            self.pass(4).await?;
            self.ring(call, line).await?;
        }
        self.pass(9).await
    }

    async fn comes(&self, id: &str, team: &str, home: &str) -> Result<()> {
        let home_line_ids = Some(home).filter(|line| !line.is_empty()).map(str::to_owned);
        let profile = v1::OperatorProfile {
            team_ids: vec![team.to_owned()],
            home_line_ids: home_line_ids.into_iter().collect(),
            device: v1::DeviceKind::Telephone.into(),
            ..Default::default()
        };
        let operator_id = id.to_owned();
        let add = v1::AddOperatorRequest {
            operator_id: operator_id.clone(),
            profile: Some(profile),
            ..Default::default()
        };
        self.admin.send(add).await?;
        let to = v1::Force::On.into();
        self.admin.send(v1::ForceOperatorRequest { operator_id, to, ..Default::default() }).await?;
        Ok(())
    }

    /// Whoever rings or talks is left alone.
    async fn pauses(&self, id: &str) {
        let (operator_id, reason) = (id.to_owned(), "lunch".to_owned());
        let pause = v1::PauseOperatorRequest { operator_id, reason, ..Default::default() };
        drop(self.admin.send(pause).await);
    }

    async fn ring(&self, call: &str, line: &str) -> Result<()> {
        let number =
            format!("1380013{}", &call[..4].bytes().map(|b| (b'0' + b % 10) as char).collect::<String>());
        self.report(vec![Is::Arrival(v1::Arrival {
            call_id: call.to_owned(),
            line_id: line.to_owned(),
            number: number.into_bytes(),
            ..Default::default()
        })])
        .await
    }

    /// An ordinary telephone is picked up, key 1 is pressed, and both hear each other.
    async fn pick_up(&self, call: &str, attempt: u32) -> Result<()> {
        let call_id = call.to_owned();
        let leg = |event: v1::LegEvent| {
            let (call_id, event) = (call_id.clone(), event.into());
            Is::Leg(v1::LegReport { call_id, attempt, event, cause: String::new() })
        };
        let key = v1::Digit { call_id: call_id.clone(), attempt: Some(attempt), key: "1".to_owned() };
        self.report(vec![leg(v1::LegEvent::Answered), Is::Digit(key), leg(v1::LegEvent::Bridged)]).await
    }

    async fn leg(&self, call: &str, attempt: u32, event: v1::LegEvent) -> Result<()> {
        let (call_id, event) = (call.to_owned(), event.into());
        self.report(vec![Is::Leg(v1::LegReport { call_id, attempt, event, cause: String::new() })]).await
    }

    async fn report(&self, facts: Vec<Is>) -> Result<()> {
        let facts = facts.into_iter().map(|fact| v1::Fact { fact: Some(fact) }).collect();
        let reply = self.gateway.send(v1::ReportRequest { facts }).await?;
        for result in reply.results {
            if let Some(v1::fact_result::Result::Refused(refused)) = result.result {
                bail!("the hospital was played wrongly: {refused:?}");
            }
        }
        Ok(())
    }

    async fn pass(&mut self, seconds: u64) -> Result<()> {
        self.step_to(self.now_us + seconds * SECOND_US).await
    }

    async fn step_to(&mut self, to_us: u64) -> Result<()> {
        self.now_us = to_us;
        self.admin.send(v1::StepRequest { to_us, stop_at_deadline: false }).await?;
        Ok(())
    }
}
