//! A server on this machine with its own data directory, and whoever sits before its command line.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use api::v1::fact::Fact as Is;
use api::{Bearer, Client, Refusal, v1};
use serde_json::Value;
use tempfile::TempDir;

/// A server, and a directory from which it is spoken to.
pub(crate) struct House {
    dir: TempDir,
    child: Child,
    pub(crate) address: String,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl House {
    pub(crate) fn open() -> House {
        House::open_with(&[])
    }

    pub(crate) fn open_with(more: &[&str]) -> House {
        let dir = tempfile::tempdir().expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["serve", "--listen", "127.0.0.1:0", "--with-parent", "--log", "warn", "--data"])
            .arg(dir.path().join("data"))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("a ready line");
        let address = ready["address"].as_str().expect("an address").to_owned();
        House { dir, child, address }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// A file that only its owner reads.
    pub(crate) fn write_private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    /// The command, from the directory that has `data` in it, with nothing of whoever runs the tests.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command_in(self.dir.path(), arguments)
    }

    pub(crate) fn ask(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments))
    }

    /// What it said on standard output, when all went well.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let said = self.ask(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.out
    }

    pub(crate) fn object(&self, arguments: &[&str]) -> Value {
        let text = self.told(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).expect("one object")
    }

    /// The object, once it is as it should be: some of them follow the decisions a moment later.
    pub(crate) fn until(&self, arguments: &[&str], is_so: impl Fn(&Value) -> bool) -> Value {
        let give_up_at = Instant::now() + Duration::from_secs(60);
        loop {
            let object = self.object(arguments);
            if is_so(&object) {
                return object;
            }
            assert!(Instant::now() < give_up_at, "{arguments:?} never came to it: {object}");
        }
    }

    pub(crate) fn token(&self, role: &str) -> String {
        let text = fs::read_to_string(self.path("data/tokens.json")).expect("the token file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let entries = file["tokens"].as_array().expect("tokens");
        let entry = entries.iter().find(|entry| entry["role"] == role).expect("this role");
        entry["token"].as_str().expect("a token").to_owned()
    }

    /// The token that an invitation is worth, or the code of the no.
    pub(crate) fn redeem(&self, invite: &str) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let nobody = Client::without_token(&self.address).expect("an address");
            let request = v1::RedeemInviteRequest { invite: invite.to_owned() };
            let redeemed = nobody.session().redeem_invite(request).await;
            redeemed.map(|reply| reply.into_inner().token).map_err(|status| Refusal::of(&status).reason)
        })
    }

    /// Somebody with an ordinary telephone, on duty on a line and paused: callers wait there.
    pub(crate) fn have_somebody_paused(&self, id: &str, line: &str) {
        self.told(&["operator", "add", id, "--home", line, "--device", "telephone"]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let bearer = Bearer::new(&self.token("supervisor")).expect("a token");
            let supervisor = Client::new(&self.address, bearer).expect("an address");
            let (operator_id, to) = (id.to_owned(), v1::Force::On.into());
            let force = v1::ForceOperatorRequest { operator_id, to, ..Default::default() };
            supervisor.send(force).await.expect("on duty");
        });
        self.told(&["operator", "pause", id, "--reason", "lunch"]);
    }

    /// Callers ring in, each by call id and line, and are inside when this returns.
    pub(crate) fn ring(&self, calls: &[(&str, &str)]) {
        let arrival = |(call, line): &(&str, &str)| {
            Is::Arrival(v1::Arrival {
                call_id: (*call).to_owned(),
                line_id: (*line).to_owned(),
                number: format!("138{call}").into_bytes(),
                ..v1::Arrival::default()
            })
        };
        self.report(calls.iter().map(arrival).collect());
    }

    /// The caller of an open call hangs up.
    pub(crate) fn hang_up(&self, call: &str) {
        let call_id = call.to_owned();
        self.report(vec![Is::CallerHungUp(v1::CallerHungUp { call_id })]);
    }

    /// A stepped clock goes on to here.
    pub(crate) fn step(&self, to_us: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let bearer = Bearer::new(&self.token("admin")).expect("a token");
            let admin = Client::new(&self.address, bearer).expect("an address");
            admin.send(v1::StepRequest { to_us, stop_at_deadline: false }).await.expect("stepped");
        });
    }

    fn report(&self, facts: Vec<Is>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let bearer = Bearer::new(&self.token("gateway")).expect("a token");
            let gateway = Client::new(&self.address, bearer).expect("an address");
            let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
            let mut stream = gateway.gateway().attach(attach).await.expect("attached").into_inner();
            stream.message().await.expect("a message").expect("the first");
            let facts = facts.into_iter().map(|fact| v1::Fact { fact: Some(fact) }).collect();
            gateway.send(v1::ReportRequest { facts }).await.expect("noted");
        });
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The command, from a directory, in English, with nothing of whoever runs the tests.
pub(crate) fn command_in(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HOTLINE_") {
            command.env_remove(name);
        }
    }
    for name in ["LC_ALL", "LC_MESSAGES", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(dir)
        .env("LANG", "C")
        .env("HOME", dir)
        .env("XDG_CONFIG_HOME", dir.join("config"))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null());
    command
}

pub(crate) fn said(mut command: Command) -> Said {
    let output = command.output().expect("it ran");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Said { code: output.status.code().expect("an end"), out: text(output.stdout), err: text(output.stderr) }
}

impl Said {
    /// Refused with this code, nothing on standard output, and each of these words.
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.out.is_empty(), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {}", self.err);
        }
    }
}
