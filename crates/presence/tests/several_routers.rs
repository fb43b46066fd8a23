//! Who may end whose lease when several routers serve a site: each tracker is asked as its exchange would ask it, and
//! every few seconds those that live call their roll.

use std::collections::BTreeMap;

use presence::{
    DESK_LEASE, GATEWAY_LEASE, HAND_OVER, HEARTBEAT, HeldElsewhere, Holder, Presence, Renewal, Tracker,
};
use switchboard::id::{DeskId, DeskSession};
use switchboard::time::{SiteTime, Span};

#[test]
fn a_desk_and_a_gateway_at_another_router_are_never_reported_while_that_router_lives() {
    let mut site = Site::with(&["a", "b"]);
    site.attach("b", ana());
    site.attach("b", gateway());
    let reported = site.pass(3_600, |site, second| {
        if second % 5 == 0 {
            site.heartbeat("b", ana());
        }
    });
    assert_eq!(reported, []);
}

#[test]
fn who_was_at_a_router_that_died_is_reported_by_the_others_after_its_lease() {
    let mut site = Site::with(&["a", "b"]);
    site.attach("b", ana());
    site.attach("b", gateway());
    site.pass(60, |site, _| site.heartbeat("b", ana()));
    let died_at = site.now;
    site.kill("b");
    let reported = site.pass(120, |_, _| {});
    let [(desk_at, desk), (gateway_at, lost)] = reported[..] else { panic!("{reported:?}") };
    assert_eq!((desk, lost), (("a", ana()), ("a", gateway())));
    for (at, lease) in [(desk_at, DESK_LEASE), (gateway_at, GATEWAY_LEASE)] {
        assert!(at + HEARTBEAT >= died_at + lease && at <= died_at + lease + HEARTBEAT, "{at:?}");
    }
}

#[test]
fn who_comes_back_at_another_router_before_that_is_not_reported() {
    let mut site = Site::with(&["a", "b", "c"]);
    site.attach("b", ana());
    site.attach("b", gateway());
    site.pass(10, |site, _| site.heartbeat("b", ana()));
    site.kill("b");
    site.pass(2, |_, _| {});
    // Nothing is journaled: the journal has both as attached already.
    site.open("c", ana());
    site.open("c", gateway());
    assert_eq!(site.pass(600, |site, _| site.heartbeat("c", ana())), []);
}

#[test]
fn a_stream_that_ends_behind_a_move_reports_nobody() {
    let mut site = Site::with(&["a", "b", "c"]);
    let desk = site.attach("b", ana());
    let line = site.attach("b", gateway());
    site.pass(7, |site, _| site.heartbeat("b", ana()));
    site.open("c", ana());
    site.open("c", gateway());
    site.close("b", ana(), desk);
    site.close("b", gateway(), line);
    assert_eq!(site.pass(600, |site, _| site.heartbeat("c", ana())), []);
}

#[test]
fn a_desk_that_comes_to_another_router_a_moment_after_it_left_is_not_reported() {
    let mut site = Site::with(&["a", "b"]);
    let stream = site.attach("b", ana());
    site.pass(7, |site, _| site.heartbeat("b", ana()));
    site.close("b", ana(), stream);
    site.now = site.now + Span::millis(900);
    site.open("a", ana());
    assert_eq!(site.pass(600, |site, _| site.heartbeat("a", ana())), []);
}

#[test]
fn a_desk_that_leaves_is_reported_by_its_router_a_moment_later() {
    let mut site = Site::with(&["a", "b"]);
    let stream = site.attach("b", ana());
    site.pass(7, |site, _| site.heartbeat("b", ana()));
    site.close("b", ana(), stream);
    let left_at = site.now;
    let reported = site.pass(60, |_, _| {});
    assert_eq!(reported.first(), Some(&(left_at + HAND_OVER, ("b", ana()))));
}

#[test]
fn a_desk_half_open_at_two_routers_keeps_itself_alive_at_neither() {
    let mut site = Site::with(&["a", "b"]);
    site.attach("a", ana());
    site.open("b", ana());
    site.pass(30, |site, _| site.heartbeat("a", ana()));
    let silent_since = site.now;
    let reported = site.pass(120, |_, _| {});
    assert!(!reported.is_empty(), "it is silent, whatever is open");
    assert!(reported[0].0 <= silent_since + DESK_LEASE + HEARTBEAT + HEARTBEAT, "{reported:?}");
}

#[test]
fn routers_that_cannot_call_their_roll_report_nobody_and_begin_anew() {
    let mut site = Site::with(&["a", "b"]);
    site.attach("a", gateway());
    site.attach("b", ana());
    site.pass(20, |site, _| site.heartbeat("b", ana()));
    site.roll_is_cut = true;
    assert_eq!(
        site.pass(300, |_, _| {}),
        [],
        "not even one's own silent desk: nothing could be journaled either"
    );
    assert_eq!(site.routers["a"].tracker.next_end(), None, "and nobody waits for an end that cannot come");
    site.roll_is_cut = false;
    let again = site.now;
    let reported = site.pass(120, |_, _| {});
    assert_eq!(reported.len(), 2, "both say so, and the switchboard takes the first: {reported:?}");
    assert!(
        reported[0].0 >= again + DESK_LEASE,
        "a whole lease from when it was heard of others: {reported:?}"
    );
}

#[test]
fn a_router_that_was_stopped_reports_nobody_who_moved_meanwhile() {
    let mut site = Site::with(&["a", "b"]);
    site.attach("b", ana());
    site.attach("b", gateway());
    site.pass(20, |site, _| site.heartbeat("b", ana()));
    site.stop("b");
    site.open("a", ana());
    site.open("a", gateway());
    assert_eq!(site.pass(100, |site, _| site.heartbeat("a", ana())), []);
    site.go_on("b");
    assert_eq!(site.pass(100, |site, _| site.heartbeat("a", ana())), []);
}

#[test]
fn a_router_that_starts_takes_nobody_from_those_that_run() {
    let mut site = Site::with(&["a"]);
    site.attach("a", ana());
    site.attach("a", gateway());
    site.pass(20, |site, _| site.heartbeat("a", ana()));
    site.start("b", &[ana(), gateway(), ben()]);
    let reported = site.pass(600, |site, _| site.heartbeat("a", ana()));
    let [(_, ("b", who))] = reported[..] else { panic!("{reported:?}") };
    assert_eq!(who, ben(), "only whoever nobody holds");
}

#[test]
fn a_later_session_at_another_router_fences_the_one_before() {
    let mut site = Site::with(&["a", "b"]);
    let stream = site.attach("b", ana());
    let later = desk("ana", 2);
    site.attach("a", later);
    assert!(site.routers["b"].tracker.renew(site.now, ana()).is_err());
    site.close("b", ana(), stream);
    assert_eq!(site.pass(60, |site, _| site.heartbeat("a", later)), []);
}

#[test]
fn a_heartbeat_that_reaches_another_router_than_the_stream_counts() {
    let mut site = Site::with(&["a", "b"]);
    site.attach("b", ana());
    assert_eq!(site.pass(600, |site, _| site.heartbeat("a", ana())), []);
}

struct Router {
    tracker: Tracker,
    /// How often it called the roll, and which others it heard, when.
    beats: u64,
    heard: BTreeMap<&'static str, (u64, SiteTime)>,
    runs: bool,
}

/// Routers of one site, on a time that goes by the second.
struct Site {
    now: SiteTime,
    routers: BTreeMap<&'static str, Router>,
    /// What each said last: how often, and whom it holds.
    roll: BTreeMap<&'static str, (u64, Vec<Holder>)>,
    roll_is_cut: bool,
}

type Report = (SiteTime, (&'static str, Holder));

impl Site {
    fn with(names: &[&'static str]) -> Site {
        let mut site = Site {
            now: SiteTime(0) + Span::secs(1_000),
            routers: BTreeMap::new(),
            roll: BTreeMap::new(),
            roll_is_cut: false,
        };
        names.iter().for_each(|name| site.start(name, &[]));
        site
    }

    fn start(&mut self, name: &'static str, linked: &[Holder]) {
        let tracker = Tracker::among_routers(Renewal::Heartbeats);
        tracker.resume(self.now, linked);
        self.routers.insert(name, Router { tracker, beats: 0, heard: BTreeMap::new(), runs: true });
        self.call_roll(name);
    }

    fn kill(&mut self, name: &str) {
        self.routers.remove(name);
    }

    fn stop(&mut self, name: &str) {
        self.routers.get_mut(name).expect("it runs").runs = false;
    }

    fn go_on(&mut self, name: &str) {
        self.routers.get_mut(name).expect("it is stopped").runs = true;
    }

    /// Journaled, and so known to all.
    fn attach(&mut self, name: &'static str, holder: Holder) -> presence::StreamId {
        for (other, router) in &self.routers {
            if *other == name {
                router.tracker.attached(self.now, holder);
            } else {
                router.tracker.attached_elsewhere(self.now, holder);
            }
        }
        self.open(name, holder)
    }

    /// A stream opens, and its router says so at once.
    fn open(&mut self, name: &'static str, holder: Holder) -> presence::StreamId {
        let stream = self.routers[name].tracker.open(self.now, holder).expect("it is attached");
        self.call_roll(name);
        stream
    }

    fn close(&mut self, name: &'static str, holder: Holder, stream: presence::StreamId) {
        self.routers[name].tracker.close(self.now, holder, stream);
        self.call_roll(name);
    }

    fn heartbeat(&self, name: &str, holder: Holder) {
        self.routers[name].tracker.renew(self.now, holder).expect("it is attached");
    }

    /// Second by second; what is reported on the way.
    fn pass(&mut self, seconds: u64, mut each: impl FnMut(&Site, u64)) -> Vec<Report> {
        let mut reported = Vec::new();
        for second in 1..=seconds {
            self.now = self.now + Span::secs(1);
            each(self, second);
            let running: Vec<&'static str> =
                self.routers.iter().filter(|(_, router)| router.runs).map(|(name, _)| *name).collect();
            for (n, name) in running.into_iter().enumerate() {
                // What is due comes before whatever else a router wakes up to.
                let mut ended = self.routers[name].tracker.take_ended(self.now);
                let is_beat = (self.now.0 / 1_000_000 + n as u64).is_multiple_of(HEARTBEAT.as_secs());
                if is_beat || self.routers[name].tracker.next_roll().is_some_and(|at| at <= self.now) {
                    self.call_roll(name);
                    ended.extend(self.routers[name].tracker.take_ended(self.now));
                }
                reported.extend(ended.into_iter().map(|holder| (self.now, (name, holder))));
            }
        }
        reported
    }

    fn call_roll(&mut self, name: &'static str) {
        let Some(router) = self.routers.get_mut(name).filter(|_| !self.roll_is_cut) else { return };
        router.beats += 1;
        self.roll.insert(name, (router.beats, router.tracker.held(self.now)));
        let mut elsewhere = Vec::new();
        for (other, (beats, held)) in self.roll.iter().filter(|(other, _)| **other != name) {
            let first = !router.heard.contains_key(other);
            let known = router.heard.entry(other).or_insert((*beats, SiteTime(0)));
            if known.0 != *beats || (first && *beats == 1) {
                *known = (*beats, self.now);
            }
            let heard_at = known.1;
            elsewhere.extend(held.iter().map(|holder| HeldElsewhere { holder: *holder, heard_at }));
        }
        router.tracker.roll_called(self.now, &elsewhere);
    }
}

fn ana() -> Holder {
    desk("ana", 1)
}

fn ben() -> Holder {
    desk("ben", 4)
}

fn desk(operator: &str, session: u32) -> Holder {
    let desk = DeskId("018f0000-0000-7000-8000-000000000001".parse().expect("a UUID"));
    Holder::Desk { operator: operator.parse().expect("a name"), desk, session: DeskSession(session) }
}

fn gateway() -> Holder {
    Holder::Gateway { gateway: "main-1".parse().expect("a name"), incarnation: 7 }
}
