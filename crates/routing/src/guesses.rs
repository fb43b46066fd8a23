//! Wrong tokens, counted by peer, so that nobody guesses fast. A right token is never refused for its neighbours'
//! mistakes: a whole hospital may sit behind one address, and 256 bits are not guessed at any speed.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// Peers remembered. One more while all of them are fresh is told to wait at its first mistake.
const PEERS_MAX: usize = 16_384;

/// Who sent wrong tokens lately.
#[derive(Debug)]
pub(crate) struct Guesses {
    per_minute: usize,
    peers: Mutex<BTreeMap<IpAddr, VecDeque<Instant>>>,
}

impl Guesses {
    /// At most this many of one peer in any minute.
    pub(crate) fn new(per_minute: usize) -> Guesses {
        Guesses { per_minute, peers: Mutex::default() }
    }

    /// Notes a wrong token.
    ///
    /// # Errors
    /// The peer had its number of mistakes: how long until it may make the next.
    pub(crate) fn wrong(&self, peer: IpAddr, now: Instant) -> Result<(), Duration> {
        let peer = network(peer);
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if !peers.contains_key(&peer) && peers.len() >= PEERS_MAX {
            peers.retain(|_, wrong| wrong.back().is_some_and(|last| now.duration_since(*last) < MINUTE));
            if peers.len() >= PEERS_MAX {
                return Err(MINUTE);
            }
        }
        let wrong = peers.entry(peer).or_default();
        while wrong.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            wrong.pop_front();
        }
        if wrong.len() >= self.per_minute {
            let oldest = wrong.front().map_or(Duration::ZERO, |first| now.duration_since(*first));
            return Err(MINUTE.saturating_sub(oldest));
        }
        wrong.push_back(now);
        Ok(())
    }
}

/// Whoever has one address of an IPv6 network has all of it.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn ten_in_any_minute_and_no_more() {
        let guesses = Guesses::new(10);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..10 {
            guesses.wrong(peer("10.0.0.1"), at(second)).expect("one of ten");
        }
        assert_eq!(guesses.wrong(peer("10.0.0.1"), at(20)), Err(Duration::from_secs(40)));
        assert_eq!(guesses.wrong(peer("10.0.0.2"), at(20)), Ok(()), "another peer");
        assert_eq!(guesses.wrong(peer("10.0.0.1"), at(60)), Ok(()), "the first is a minute old");
        assert_eq!(guesses.wrong(peer("10.0.0.1"), at(60)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn an_ipv6_network_is_one_peer() {
        let guesses = Guesses::new(1);
        let now = Instant::now();
        guesses.wrong(peer("2001:db8::1"), now).expect("the first");
        guesses.wrong(peer("2001:db8::2"), now).expect_err("the same network");
        guesses.wrong(peer("2001:db8:0:1::1"), now).expect("the next network");
        guesses.wrong(peer("::ffff:10.0.0.1"), now).expect("an IPv4 address in IPv6 clothes");
        guesses.wrong(peer("10.0.0.1"), now).expect_err("is that IPv4 address");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten() {
        let guesses = Guesses::new(10);
        let start = Instant::now();
        for n in 0..PEERS_MAX {
            let address = std::net::Ipv4Addr::from_bits(u32::try_from(n).expect("few"));
            guesses.wrong(IpAddr::V4(address), start).expect("one each");
        }
        guesses.wrong(peer("200.0.0.1"), start).expect_err("one too many");
        guesses.wrong(peer("200.0.0.1"), start + MINUTE).expect("the others are forgotten");
    }
}
