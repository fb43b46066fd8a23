//! A wire between two processes, over TCP on loopback, and the trouble it can have. What follows from chance follows from
//! a seed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::chance::Chance;

/// Read at once, and this often held on the way before the sender has to wait.
const PART: usize = 16 << 10;
const PARTS_HELD: usize = 64;

/// What a wire does to whatever goes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// Everything comes later, by between half of this and all of it; in order.
    Latency(Duration),
    /// Every connection ends, and no other comes about.
    Cut,
    /// It swallows everything both ways and tells nobody, also of new connections, which it takes. What swallowed once
    /// is never whole again.
    HalfOpen,
    /// So many bytes at a time, and then a while nothing.
    Drip(usize, Duration),
    /// Every connection ends after some bytes, in the middle of a word: at most so many each way.
    Limit(u64),
}

/// The port in an address that ends in a path.
pub(crate) fn port_of(address: &str) -> u16 {
    let (host, _) = address.rsplit_once('/').expect("it has a path");
    host.rsplit(':').next().and_then(|port| port.parse().ok()).expect("it has a port")
}

/// A wire, until it is dropped.
pub(crate) struct Wire {
    /// Where it begins.
    pub(crate) port: u16,
    inside: Arc<Inside>,
    accepting: JoinHandle<()>,
}

struct Inside {
    to: u16,
    trouble: watch::Sender<Trouble>,
    chance: Mutex<Chance>,
    carried: AtomicUsize,
    near: Held,
    far: Held,
}

/// Ends of connections that swallow, as long as whoever is there keeps them.
#[derive(Default)]
struct Held {
    now: AtomicUsize,
    longest: Mutex<Duration>,
}

impl Wire {
    /// One to this port of this machine.
    pub(crate) async fn to(port: u16, seed: u64) -> Wire {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let inside = Arc::new(Inside {
            to: port,
            trouble: watch::Sender::new(Trouble::None),
            chance: Mutex::new(Chance::new(seed)),
            carried: AtomicUsize::default(),
            near: Held::default(),
            far: Held::default(),
        });
        let accepting = tokio::spawn(Arc::clone(&inside).accept(listener));
        Wire { port: own, inside, accepting }
    }

    /// The same address by this way.
    pub(crate) fn before(&self, address: &str) -> String {
        address.replace(&format!(":{}/", self.inside.to), &format!(":{}/", self.port))
    }

    /// It has this from here on.
    pub(crate) fn has(&self, trouble: Trouble) {
        self.inside.trouble.send_replace(trouble);
    }

    /// How many connections there were.
    pub(crate) fn carried(&self) -> usize {
        self.inside.carried.load(Ordering::Relaxed)
    }

    /// How many connections that pass nothing are still believed in by who made them, and by who took them.
    pub(crate) fn held(&self) -> (usize, usize) {
        let now = |held: &Held| held.now.load(Ordering::Relaxed);
        (now(&self.inside.near), now(&self.inside.far))
    }

    /// For how long such a connection was believed in, at most, by those two.
    pub(crate) fn held_longest(&self) -> [Duration; 2] {
        [&self.inside.near, &self.inside.far]
            .map(|held| *held.longest.lock().expect("nobody panics while holding it"))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A connection is to end here.
struct Ended;

impl Inside {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        while let Ok((near, _)) = listener.accept().await {
            let chance = self.chance.lock().expect("nobody panics while holding it").fork();
            tokio::spawn(Arc::clone(&self).connect(near, chance));
        }
    }

    async fn connect(self: Arc<Self>, near: TcpStream, chance: Chance) {
        let mut trouble = self.trouble.subscribe();
        let now = *trouble.borrow_and_update();
        match now {
            Trouble::Cut => return,
            Trouble::HalfOpen => return swallow(near, &self.near).await,
            _ => {}
        }
        let Ok(far) = TcpStream::connect(("127.0.0.1", self.to)).await else { return };
        self.carried.fetch_add(1, Ordering::Relaxed);
        self.carry(near, far, trouble, chance).await;
    }

    async fn carry(
        &self,
        mut near: TcpStream,
        mut far: TcpStream,
        mut trouble: watch::Receiver<Trouble>,
        mut chance: Chance,
    ) {
        for end in [&near, &far] {
            end.set_nodelay(true).expect("a connection can be told to wait for nothing");
        }
        let breaks = |trouble: &Trouble| matches!(trouble, Trouble::Cut | Trouble::HalfOpen);
        let [up, down] =
            [(); 2].map(|()| Way { trouble: trouble.clone(), chance: chance.fork(), left: None });
        let is_half_open = {
            let (near_from, near_to) = near.split();
            let (far_from, far_to) = far.split();
            let both = async { tokio::try_join!(up.carry(near_from, far_to), down.carry(far_from, near_to)) };
            tokio::select! {
                _ended = both => return,
                broken = trouble.wait_for(breaks) => broken.is_ok_and(|trouble| *trouble == Trouble::HalfOpen),
            }
        };
        if is_half_open {
            tokio::join!(swallow(near, &self.near), swallow(far, &self.far));
        }
    }
}

/// Takes everything and passes nothing on, until whoever is there lets go.
async fn swallow(mut end: TcpStream, held: &Held) {
    let began = Instant::now();
    held.now.fetch_add(1, Ordering::Relaxed);
    let mut part = vec![0; PART];
    while end.read(&mut part).await.is_ok_and(|many| many > 0) {}
    let mut longest = held.longest.lock().expect("nobody panics while holding it");
    *longest = began.elapsed().max(*longest);
    held.now.fetch_sub(1, Ordering::Relaxed);
}

/// One direction of a connection.
struct Way {
    trouble: watch::Receiver<Trouble>,
    chance: Chance,
    /// Under a limit: how many bytes more.
    left: Option<u64>,
}

impl Way {
    async fn carry(mut self, from: impl AsyncRead + Unpin, to: impl AsyncWrite + Unpin) -> Result<(), Ended> {
        let (sender, parts) = mpsc::channel(PARTS_HELD);
        let reading = read(from, sender, self.trouble.clone(), self.chance.fork());
        tokio::try_join!(reading, self.write(to, parts)).map(|_| ())
    }

    async fn write(
        mut self,
        mut to: impl AsyncWrite + Unpin,
        mut parts: mpsc::Receiver<(Instant, Vec<u8>)>,
    ) -> Result<(), Ended> {
        while let Some((due, part)) = parts.recv().await {
            sleep_until(due).await;
            let mut rest = &part[..];
            while !rest.is_empty() {
                let (many, pause, is_last) = self.share(rest.len());
                let (now, later) = rest.split_at(many);
                to.write_all(now).await.map_err(|_| Ended)?;
                if is_last {
                    return Err(Ended);
                }
                sleep(pause).await;
                rest = later;
            }
        }
        to.shutdown().await.map_err(|_| Ended)
    }

    /// How many bytes of these go at once, how long nothing follows, and whether nothing ever does.
    fn share(&mut self, many: usize) -> (usize, Duration, bool) {
        let trouble = *self.trouble.borrow();
        let Trouble::Limit(most) = trouble else {
            self.left = None;
            return match trouble {
                Trouble::Drip(bytes, pause) => (many.min(bytes), pause, false),
                _ => (many, Duration::ZERO, false),
            };
        };
        let left = self.left.get_or_insert_with(|| self.chance.between(1, most));
        let some = usize::try_from(*left).unwrap_or(usize::MAX).min(many);
        *left -= some as u64;
        (some, Duration::ZERO, *left == 0)
    }
}

async fn read(
    mut from: impl AsyncRead + Unpin,
    parts: mpsc::Sender<(Instant, Vec<u8>)>,
    trouble: watch::Receiver<Trouble>,
    mut chance: Chance,
) -> Result<(), Ended> {
    let mut due = Instant::now();
    loop {
        let mut part = Vec::with_capacity(PART);
        if from.read_buf(&mut part).await.map_err(|_| Ended)? == 0 {
            return Ok(());
        }
        let late = match *trouble.borrow() {
            Trouble::Latency(most) => {
                let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
                Duration::from_micros(chance.between(most / 2, most))
            }
            _ => Duration::ZERO,
        };
        // Nothing overtakes.
        due = due.max(Instant::now() + late);
        if parts.send((due, part)).await.is_err() {
            return Err(Ended);
        }
    }
}
