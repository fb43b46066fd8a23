//! Two servers of one record, on a database. The gateway and the desks are attached to either, and go to the other when
//! theirs does not answer.

use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::database::Database;
use crate::hospital::{Hospital, Staffing};
use crate::server::{Place, Server, client_when_there};

/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two that were started, the second beside the first.
pub(crate) struct Pair {
    pub(crate) first: Server,
    pub(crate) second: Server,
    _dirs: [TempDir; 2],
}

impl Pair {
    /// Both up.
    pub(crate) fn start(database: &Database) -> Pair {
        Pair::of(&database.address(), |_, server| server)
    }

    /// The same on the database of this address, each started as somebody likes: it is handed out by its number, 0 or 1,
    /// before.
    pub(crate) fn of(address: &str, mut liked: impl FnMut(usize, Server) -> Server) -> Pair {
        let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
        let mut first = liked(0, Server::new(dirs[0].path()).at(address));
        assert!(first.start(None), "the first start");
        let mut second = liked(1, Server::new(dirs[1].path()).beside(&first));
        assert!(second.start(None), "the second's");
        Pair { first, second, _dirs: dirs }
    }

    /// Where each is found, with the tokens that the first gave out.
    pub(crate) fn places(&self) -> [Place; 2] {
        let one = self.first.place();
        [one.clone(), self.second.place().tokens_of(&one)]
    }

    /// Waits until both say that they serve, as whoever watches servers asks them.
    pub(crate) async fn serve_again(&self) {
        let give_up_at = Instant::now() + PATIENCE;
        for place in self.places() {
            let client = client_when_there(&place, "gateway").await;
            while !client.is_serving().await.unwrap_or(false) {
                assert!(Instant::now() < give_up_at, "it does not serve again");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// A hospital that is attached: the gateway to the first, every other desk to the second.
    pub(crate) async fn hospital(&self, staffing: Staffing) -> Hospital {
        let [one, two] = self.places();
        let hospital = Hospital::open_at(&[one.or(&two), two.or(&one)], staffing).await;
        hospital.is_back(0).await;
        hospital
    }
}
