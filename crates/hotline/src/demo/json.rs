//! The report for programs: one object. It says nothing of the machine, the pace or the language, so that the same seed
//! gives the same text everywhere; only of a service that may die it tells how that went, in `service`.

use std::time::Duration;

use serde_json::{Map, Value, json};
use switchboard::ledger::Account;

use super::lives::{DeathRow, Lives, OnDisk};
use super::report::{OUTCOMES, Report, outcome};
use super::service::Asked;
use crate::board::figures::{LineFigures, ServiceLevel};

/// The object.
pub(super) fn report(report: &Report) -> Value {
    let (figures, total) = (&report.figures, &report.figures.total);
    let inside: u64 = figures.lines.iter().map(LineFigures::inside).sum();
    let mut object = json!({
        "seed": report.seed,
        "surge": report.surge,
        "calls": {
            "offered": total.arrived,
            "first_attempts": report.first_attempts,
            "redials": report.redials,
            "redials_resumed": report.resumed,
            "inside_at_start": total.inside_at_start,
            "inside": inside,
            "answered": total.answered,
            "abandoned": total.abandoned(),
            "overflowed": total.overflowed,
            "outcomes": outcomes(total),
        },
        "service_level": service_level(total, figures.threshold.0),
        "ledger": {
            "law": "L13",
            "balanced": report.verdict.is_balanced(),
            "faults": report.verdict.faults,
            "decisions": figures.ledger.decisions,
            "hash": figures.ledger.hash,
            "state_hash": report.state_hash,
        },
        "lines": figures.lines.iter().map(|line| line_object(line, figures.threshold.0)).collect::<Vec<_>>(),
    });
    if let Some(on_disk) = &report.on_disk {
        object["service"] = service(&report.lives, on_disk);
    }
    object
}

fn service(lives: &Lives, on_disk: &OnDisk) -> Value {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let back = lives.back();
    let each = |death: &DeathRow| {
        json!({
            "at_us": death.at.0,
            "how": death.how,
            "by_the_demo": death.ours,
            "in_flight": death.asked.map(Asked::code),
            "stored": death.stored,
            "desks_back": death.desks,
            "took_ms": millis(death.took),
        })
    };
    json!({
        "deaths": lives.deaths.len(),
        "by_the_demo": lives.ours(),
        "with_requests_in_flight": lives.with_requests(),
        "in_flight_stored": lives.stored(true),
        "in_flight_sent_again": lives.stored(false),
        "back_ms": { "p50": back.map(|(middle, _)| millis(middle)), "max": back.map(|(_, most)| millis(most)) },
        "each": lives.deaths.iter().map(each).collect::<Vec<_>>(),
        "journal": {
            "verified": on_disk.verified.is_ok(),
            "said": on_disk.verified.as_ref().unwrap_or_else(|why| why),
            "same_decisions": on_disk.same.is_ok(),
        },
    })
}

fn line_object(line: &LineFigures, threshold_us: u64) -> Value {
    let account = &line.account;
    json!({
        "line_id": line.id.as_str(),
        "title": { "zh": line.title.zh, "en": line.title.en },
        "offered": account.arrived,
        "moved_in": account.moved_in,
        "moved_out": account.moved_out,
        "answerable": account.answerable,
        "inside_at_start": account.inside_at_start,
        "inside": line.inside(),
        "answered": account.answered,
        "abandoned": account.abandoned(),
        "overflowed": account.overflowed,
        "outcomes": outcomes(account),
        "wait_mean_ms": (account.wait_sum.0 / 1_000).checked_div(account.answered),
        "wait_max_ms": account.wait_max.0 / 1_000,
        "service_level": service_level(account, threshold_us),
    })
}

fn outcomes(account: &Account) -> Value {
    let counts = OUTCOMES.iter().map(|(kind, key, ..)| ((*key).to_owned(), outcome(account, *kind).into()));
    Value::Object(counts.collect::<Map<_, _>>())
}

fn service_level(account: &Account, threshold_us: u64) -> Value {
    let level = ServiceLevel::of(account);
    json!({
        "formula": "answered_in_time / answerable",
        "threshold_ms": threshold_us / 1_000,
        "answered_in_time": account.answered_in_time,
        "of": level.map_or(0, |level| level.of),
        "per_mille": level.map(ServiceLevel::tenths),
    })
}
