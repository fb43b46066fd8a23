//! Networks that lose what is sent: two servers and their database in network namespaces of their own, and packets that
//! do not arrive, one way, both ways, or one in ten, between a server and the database, and between a server and its
//! people. TCP finds out as it does with real cables.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::hospital::{Hospital, Staffing, until};
use crate::pair::Pair;
use crate::paused::waits_in_words;
use crate::server::verify;

/// Servers of tests that were killed are ended with what is there.
const PLACE: &str = "HOTLINE_TEST_POSTGRES_DIR";
/// Addresses that no network uses (RFC 2544); each end takes its own number in it.
const NETWORK: &str = "198.18.77";
const PEOPLE: u8 = 1;
const ROUTERS: [u8; 2] = [2, 3];
const DATABASE: u8 = 4;

/// What is lost of the packets between two.
#[derive(Debug, Clone, Copy)]
enum Loss {
    /// All that come in from there.
    ComingIn,
    /// All that go out to there.
    GoingOut,
    /// All.
    Both,
    /// One in ten, either way.
    OneInTen,
}

const LOSSES: [Loss; 4] = [Loss::OneInTen, Loss::ComingIn, Loss::GoingOut, Loss::Both];

/// A switch with four ends: the people's, in the namespace of this process, and three in namespaces of their own.
struct Network {
    name: String,
}

impl Network {
    fn lay() -> Network {
        let network = Network { name: format!("hl{}", std::process::id()) };
        let switch = network.space(0);
        run("ip", &["netns", "add", &switch]);
        run("ip", &["-n", &switch, "link", "add", "switch", "type", "bridge"]);
        run("ip", &["-n", &switch, "link", "set", "switch", "up"]);
        // The people's end is here.
        let (end, process) = (&network.name, std::process::id().to_string());
        run(
            "ip",
            &["-n", &switch, "link", "add", "end1", "type", "veth", "peer", "name", end, "netns", &process],
        );
        run("ip", &["address", "add", &format!("{}/24", address(PEOPLE)), "dev", end]);
        run("ip", &["link", "set", end, "up"]);
        network.plug(PEOPLE);
        for number in [ROUTERS[0], ROUTERS[1], DATABASE] {
            network.end(number);
        }
        network
    }

    /// The namespace of an end; that of the switch is 0.
    fn space(&self, number: u8) -> String {
        format!("{}-{number}", self.name)
    }

    fn end(&self, number: u8) {
        let (switch, space, plug) = (self.space(0), self.space(number), format!("end{number}"));
        run("ip", &["netns", "add", &space]);
        let to = ["peer", "name", "wire", "netns", &space];
        run("ip", &[&["-n", &switch, "link", "add", &plug, "type", "veth"][..], &to].concat());
        run("ip", &["-n", &space, "address", "add", &format!("{}/24", address(number)), "dev", "wire"]);
        run("ip", &["-n", &space, "link", "set", "wire", "up"]);
        run("ip", &["-n", &space, "link", "set", "lo", "up"]);
        self.plug(number);
        self.filters(
            number,
            "add table inet wire; add chain inet wire in { type filter hook input priority 0; }; \
             add chain inet wire out { type filter hook output priority 0; }",
        );
    }

    fn plug(&self, number: u8) {
        let (switch, plug) = (self.space(0), format!("end{number}"));
        run("ip", &["-n", &switch, "link", "set", &plug, "master", "switch", "up"]);
    }

    fn filters(&self, number: u8, words: &str) {
        run("ip", &["netns", "exec", &self.space(number), "nft", words]);
    }

    /// Packets between these two are lost from here on.
    fn loses(&self, router: u8, other: u8, loss: Loss) {
        let (other, chance) = (address(other), "numgen random mod 10 == 0");
        let coming = |when: &str| format!("add rule inet wire in ip saddr {other} {when} drop");
        let going = |when: &str| format!("add rule inet wire out ip daddr {other} {when} drop");
        let rules = match loss {
            Loss::ComingIn => coming(""),
            Loss::GoingOut => going(""),
            Loss::Both => format!("{}; {}", coming(""), going("")),
            Loss::OneInTen => format!("{}; {}", coming(chance), going(chance)),
        };
        self.filters(router, &rules);
    }

    /// Everything arrives again.
    fn heals(&self) {
        ROUTERS.iter().for_each(|router| self.filters(*router, "flush table inet wire"));
    }

    /// How a program is started at an end.
    fn at(&self, number: u8) -> Vec<String> {
        ["ip", "netns", "exec", &self.space(number)].map(str::to_owned).to_vec()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for number in [DATABASE, ROUTERS[1], ROUTERS[0], 0] {
            // What was not laid is not there.
            let _gone = Command::new("ip").args(["netns", "delete", &self.space(number)]).output();
        }
    }
}

fn address(number: u8) -> String {
    format!("{NETWORK}.{number}")
}

fn run(program: &str, words: &[&str]) {
    let output = Command::new(program).args(words).output().expect("it is there");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A database server at its end of the network.
struct Far {
    /// How it is asked from any end.
    address: String,
    script: Vec<String>,
    dir: TempDir,
}

impl Far {
    fn start(network: &Network) -> Far {
        let place = std::env::var_os(PLACE).expect("run: tests/tools/postgres.sh run cargo test …");
        let dir = tempfile::tempdir_in(place).expect("a temporary directory");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tools/postgres.sh");
        let mut script = network.at(DATABASE);
        script.extend(["bash".to_owned(), path.display().to_string()]);
        let mut far = Far { address: String::new(), script, dir };
        far.told("start");
        far.told("stop");
        // A made one listens to its own machine alone.
        let data = far.dir.path().join("server/data");
        append(&data.join("postgresql.conf"), "listen_addresses = '*'\n");
        append(&data.join("pg_hba.conf"), &format!("host all all {NETWORK}.0/24 scram-sha-256\n"));
        far.address = far.told("start").replace("127.0.0.1", &address(DATABASE));
        far
    }

    /// How many connections it keeps for the router at this end.
    fn connections_of(&self, router: u8) -> usize {
        let asked =
            format!("SELECT count(*) FROM pg_stat_activity WHERE client_addr = '{}'", address(router));
        let mut command = Command::new("psql");
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--command", &asked]);
        let said = command.arg(&self.address).output().expect("psql is there");
        let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        said.parse().unwrap_or_else(|_| panic!("{said}"))
    }

    fn told(&self, what: &str) -> String {
        let mut command = Command::new(&self.script[0]);
        let said = command.args(&self.script[1..]).arg(what).arg(self.dir.path().join("server")).output();
        let said = said.expect("it is there");
        assert!(said.status.success(), "{what}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // Whatever is left of it ends with the servers of the run.
        let mut command = Command::new(&self.script[0]);
        let _gone = command.args(&self.script[1..]).arg("kill").arg(self.dir.path().join("server")).output();
    }
}

fn append(path: &Path, text: &str) {
    let old = std::fs::read_to_string(path).expect("it is there");
    std::fs::write(path, old + text).expect("written");
}

/// How long packets are lost: shorter than a statement may take, and longer.
const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(13);
/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_lost_on_the_way_nobody_is() {
    let network = Network::lay();
    let far = Far::start(&network);
    let mut pair = Pair::of(&far.address, |which, server| {
        server.listening_at(&address(ROUTERS[which])).through(network.at(ROUTERS[which]))
    });
    let mut hospital = pair.hospital(Staffing::usual(83)).await;
    for (other, name) in [(DATABASE, "routers and Postgres"), (PEOPLE, "routers and people")] {
        for loss in LOSSES {
            for routers in [&ROUTERS[..1], &ROUTERS[..]] {
                let lasts = if matches!(loss, Loss::Both) { LONG } else { SHORT };
                let what = format!("{name}, {loss:?} at {} for {lasts:?}", routers.len());
                hospital.books.read(&pair.first.journal()).await;
                hospital.books.answered();
                routers.iter().for_each(|router| network.loses(*router, other, loss));
                tokio::time::sleep(lasts).await;
                network.heals();
                back(&mut hospital, &pair, &what).await;
            }
        }
    }

    // A machine that is gone without a word.
    [DATABASE, PEOPLE].iter().for_each(|other| network.loses(ROUTERS[1], *other, Loss::Both));
    pair.second.kill();
    let gone = Instant::now();
    assert!(far.connections_of(ROUTERS[1]) > 0, "the database does not know yet");
    until("its connections are let go", PATIENCE, || far.connections_of(ROUTERS[1]) == 0).await;
    println!("a database lets go of a machine that is gone after {} ms", gone.elapsed().as_millis());
    network.heals();
    assert!(pair.second.start(None), "it starts beside the other");
    back(&mut hospital, &pair, "a machine gone").await;

    verify(&pair.first);
    println!(
        "{} calls, {} decisions; 0 lost, 0 doubly connected, 0 phantom, 0 unbalanced\n{}",
        hospital.books.calls(),
        hospital.books.seq().0,
        hospital.witness.refusals(),
    );
}

/// Everything arrives again: both serve, everybody hears, and nobody is lost.
async fn back(hospital: &mut Hospital, pair: &Pair, what: &str) {
    let healed = Instant::now();
    pair.serve_again().await;
    let serve = healed.elapsed();
    hospital.everybody_hears().await;
    let heard = healed.elapsed();
    let (findings, rest) = hospital.comes_to_rest(&pair.first).await;
    assert!(findings.is_clean(), "{what}: {findings}\n{}", hospital.witness.refusals());
    println!(
        "{what}: both serve {} ms after, everybody has heard something after {} ms, at rest {} ms later; \
         from an offer to an answer: {}",
        serve.as_millis(),
        heard.as_millis(),
        rest.as_millis(),
        waits_in_words(hospital.books.answered())
    );
}
