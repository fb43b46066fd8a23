//! When a lease ends, and when it does not: the same of every tracker.

use std::sync::LazyLock;

use presence::{DESK_LEASE, Fenced, GATEWAY_LEASE, HEARTBEAT, Holder, Presence, Redis, Renewal, Tracker};
use switchboard::command::Command;
use switchboard::id::{DeskId, DeskSession, GatewayId, OperatorId};
use switchboard::time::{SiteTime, Span};
use tokio::runtime::Runtime;

#[test]
fn a_desk_that_says_it_is_there_stays() {
    for tracker in attached(Renewal::Heartbeats, ana(1)) {
        tracker.open(at(0), ana(1)).unwrap();
        for beat in 1..=10 {
            tracker.renew(at(beat * HEARTBEAT.as_secs()), ana(1)).unwrap();
            assert_eq!(tracker.take_ended(at(beat * HEARTBEAT.as_secs())), []);
        }
    }
}

#[test]
fn a_silent_desk_ends_after_fifteen_seconds_even_with_a_stream_open() {
    for tracker in attached(Renewal::Heartbeats, ana(1)) {
        tracker.open(at(0), ana(1)).unwrap();
        tracker.renew(at(4), ana(1)).unwrap();
        assert_eq!(tracker.next_end(), Some(at(4) + DESK_LEASE));
        assert_eq!(tracker.take_ended(at(18)), []);
        assert_eq!(tracker.take_ended(at(19)), [ana(1)]);
        assert_eq!(tracker.renew(at(20), ana(1)), Err(Fenced), "it has to attach again");
    }
}

#[test]
fn on_a_stepped_clock_an_open_stream_is_enough_and_its_end_is_the_end() {
    for tracker in attached(Renewal::OpenStreams, ana(1)) {
        let stream = tracker.open(at(1), ana(1)).unwrap();
        assert_eq!(tracker.next_end(), None);
        assert_eq!(tracker.take_ended(at(80_000)), []);
        tracker.close(at(80_000), ana(1), stream);
        assert_eq!(tracker.take_ended(at(80_000)), [ana(1)]);
    }
}

#[test]
fn a_desk_attached_without_a_stream_does_not_stay_for_ever() {
    for tracker in attached(Renewal::OpenStreams, ana(1)) {
        assert_eq!(tracker.take_ended(at(0) + DESK_LEASE), [ana(1)]);
    }
}

#[test]
fn a_desk_in_two_windows_ends_with_the_second() {
    for tracker in attached(Renewal::Heartbeats, ana(1)) {
        let first = tracker.open(at(0), ana(1)).unwrap();
        let second = tracker.open(at(1), ana(1)).unwrap();
        tracker.close(at(2), ana(1), first);
        tracker.close(at(2), ana(1), first);
        assert_eq!(tracker.take_ended(at(3)), []);
        tracker.close(at(4), ana(1), second);
        assert_eq!(tracker.take_ended(at(4)), [ana(1)]);
    }
}

#[test]
fn a_reload_before_the_old_stream_is_seen_to_end_changes_nothing() {
    for tracker in attached(Renewal::Heartbeats, ana(1)) {
        let old = tracker.open(at(0), ana(1)).unwrap();
        tracker.attached(at(3), ana(1));
        tracker.open(at(3), ana(1)).unwrap();
        tracker.close(at(3), ana(1), old);
        assert_eq!(tracker.take_ended(at(17)), []);
        assert_eq!(tracker.take_ended(at(18)), [ana(1)]);
    }
}

#[test]
fn a_desk_that_took_over_is_not_ended_by_the_one_before() {
    for tracker in attached(Renewal::Heartbeats, ana(1)) {
        let old = tracker.open(at(0), ana(1)).unwrap();
        tracker.attached(at(5), ana(2));
        tracker.open(at(5), ana(2)).unwrap();
        tracker.close(at(6), ana(1), old);
        assert_eq!(tracker.renew(at(6), ana(1)), Err(Fenced));
        assert_eq!(tracker.open(at(6), ana(1)), Err(Fenced));
        assert_eq!(tracker.renew(at(8), ana(2)), Ok(()), "an old session takes nothing back");
        assert_eq!(tracker.take_ended(at(22)), []);
        assert_eq!(tracker.take_ended(at(23)), [ana(2)]);
    }
}

#[test]
fn the_life_that_was_attached_last_holds_the_lease_whatever_its_number() {
    for (former, present) in [(gateway(7), gateway(3)), (ana(4), ana(1))] {
        for tracker in attached(Renewal::Heartbeats, former) {
            let old = tracker.open(at(0), former).unwrap();
            tracker.attached(at(1), present);
            tracker.open(at(2), present).unwrap();
            tracker.close(at(3), former, old);
            assert_eq!(tracker.open(at(3), former), Err(Fenced));
            assert_eq!(tracker.take_ended(at(4)), []);
        }
    }
}

#[test]
fn a_gateway_has_thirty_seconds_to_come_back() {
    for tracker in attached(Renewal::Heartbeats, gateway(7)) {
        let stream = tracker.open(at(0), gateway(7)).unwrap();
        assert_eq!(tracker.next_end(), None, "its stream is its lease");
        tracker.close(at(100), gateway(7), stream);
        assert_eq!(tracker.next_end(), Some(at(100) + GATEWAY_LEASE));
        tracker.open(at(129), gateway(7)).unwrap();
        assert_eq!(tracker.next_end(), None);
        let stream = tracker.open(at(140), gateway(7)).unwrap();
        tracker.close(at(150), gateway(7), stream);
        assert_eq!(tracker.next_end(), None, "the other stream is still open");
    }
}

#[test]
fn a_gateway_that_restarted_fences_its_former_life() {
    for tracker in attached(Renewal::Heartbeats, gateway(7)) {
        let old = tracker.open(at(0), gateway(7)).unwrap();
        tracker.attached(at(1), gateway(8));
        tracker.close(at(2), gateway(7), old);
        assert_eq!(tracker.take_ended(at(1) + GATEWAY_LEASE), [gateway(8)]);
        assert!(matches!(gateway(8).report(), Command::LoseGateway { incarnation: 8, .. }));
    }
}

#[test]
fn after_a_restart_desks_end_at_once_and_gateways_may_come_back() {
    for tracker in trackers(Renewal::Heartbeats) {
        tracker.resume(at(500), &[ana(3), gateway(7)]);
        assert_eq!(tracker.take_ended(at(500)), [ana(3)]);
        tracker.open(at(510), gateway(7)).unwrap();
        assert_eq!(tracker.take_ended(at(1_000)), []);
    }
}

#[test]
fn ends_are_reported_in_their_order_and_once() {
    for tracker in trackers(Renewal::Heartbeats) {
        tracker.attached(at(0), gateway(1));
        tracker.attached(at(2), ana(1));
        tracker.attached(at(1), desk("ben", 1));
        let ended = tracker.take_ended(at(100));
        assert_eq!(ended, [desk("ben", 1), ana(1), gateway(1)]);
        assert_eq!(tracker.take_ended(at(100)), []);
        let Command::DropDesk { session, .. } = ended[0].report() else { panic!("a desk is dropped") };
        assert_eq!(session, DeskSession(1));
    }
}

/// Every tracker there is, of the only router there is. That of the last is shown in a Redis which is not there.
fn trackers(renewal: Renewal) -> [Box<dyn Presence>; 2] {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    let _entered = RUNTIME.enter();
    let nowhere = "redis://127.0.0.1:1".parse().expect("an address");
    let redis = Redis::start(nowhere, "router-a");
    let site = "north".parse().expect("a name");
    [Box::new(Tracker::new(renewal)), Box::new(redis.presence(site, Tracker::new(renewal)))]
}

fn attached(renewal: Renewal, holder: Holder) -> [Box<dyn Presence>; 2] {
    let trackers = trackers(renewal);
    trackers.iter().for_each(|tracker| tracker.attached(at(0), holder));
    trackers
}

fn ana(session: u32) -> Holder {
    desk("ana", session)
}

fn desk(operator: &str, session: u32) -> Holder {
    let operator: OperatorId = operator.parse().expect("a name");
    let desk = DeskId("018f0000-0000-7000-8000-000000000001".parse().expect("a UUID"));
    Holder::Desk { operator, desk, session: DeskSession(session) }
}

fn gateway(incarnation: u64) -> Holder {
    let gateway: GatewayId = "main-1".parse().expect("a name");
    Holder::Gateway { gateway, incarnation }
}

fn at(seconds: u64) -> SiteTime {
    SiteTime(0) + Span::secs(seconds)
}
