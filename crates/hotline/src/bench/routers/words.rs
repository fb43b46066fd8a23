//! What the room of several servers says, to people and to programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::limits::Limit;
use super::super::report::rounded;
use super::super::times::Times;
use super::figures::{Measured, RedisLost, Takeovers, Two};
use crate::lang::Lang;

/// What the figures must reach. Without Redis a server hears of the other one's decisions in steps of 200 ms: then two
/// are not compared with one.
pub(in crate::bench) fn limits(measured: &Measured) -> Vec<Limit> {
    let Measured { killed, stood, counts, .. } = measured;
    let mut limits = vec![
        Limit::at_most("calls_refused", counts.refused as f64, 0.0).always(),
        Limit::at_most("across_ms", measured.across_ms(), 300.0),
    ];
    if let Some(lost) = &measured.redis_lost {
        limits.push(Limit::at_most("routers_ratio", measured.ratio(), 3.0));
        limits.push(Limit::at_most("shown_again_s", seconds(&lost.shown, 100.0), 5.0));
    }
    limits.extend(measured.redis_ratio().map(|ratio| Limit::at_most("redis_ratio", ratio, 1.1)));
    if killed.number > 0 {
        limits.push(Limit::at_most("takeover_s", seconds(&killed.next, 99.0), 1.0));
        limits.push(Limit::at_most("takeover_gap_ms", ms(killed.gap), 200.0));
        limits.push(Limit::at_most("stopped_ms", ms(stood.held_up()), 500.0));
    }
    limits
}

/// A line each.
pub(in crate::bench) fn lines(measured: &Measured, lang: Lang) -> Vec<String> {
    let Measured { rate, alone, two, appends, killed, stood, counts, .. } = measured;
    let (turns, ratio, lost) = (alone.count(), measured.ratio(), appends.lost_percent());
    let mut lines = match lang {
        Lang::Zh => vec![
            format!("路由服务器，每秒 {rate} 个来电，各 {turns} 轮，派线：一台 {}", alone.all()),
            format!("  两台 {}，各轮 p99 中位数之比 {ratio:.2}", two.all.all()),
            format!("    来电与席位在同一台 {}", two.same),
            format!("    在不同的两台       {}", two.across),
            format!("    追加 {} 次，另有 {} 次被对方抢先（{lost:.1}%）", appends.stored, appends.lost),
        ],
        Lang::En => vec![
            format!("routers, {rate} calls/s, {turns} turns of each: offer at one {}", alone.all()),
            format!("  at two {}, p99 ratio {ratio:.2} in the median of turns", two.all.all()),
            format!("    call and desk at the same {}", two.same),
            format!("    at different ones         {}", two.across),
            format!(
                "    {} appends, and {} at which the other was first ({lost:.1} %)",
                appends.stored, appends.lost
            ),
        ],
    };
    lines.extend(away_lines(killed, lang.of("强制结束", "killed"), lang));
    lines.extend(away_lines(stood, lang.of("停住", "stopped"), lang));
    match &measured.redis_lost {
        Some(lost) => lines.extend(redis_lines(measured, lost, lang)),
        None => lines.push(
            lang.of(
                "  没有 redis-server：以上各项均无 Redis，失去 Redis 未测",
                "  there is no redis-server: all of this is without Redis, and losing it was not measured",
            )
            .to_owned(),
        ),
    }
    lines.push(match lang {
        Lang::Zh => format!(
            "  来电共 {} 个，拒绝 {}，再次报告 {}，接听过迟 {}；日志与自身一致",
            counts.lives, counts.refused, counts.asked_again, counts.late
        ),
        Lang::En => format!(
            "  {} calls, {} refused, {} reported again, {} answered too late; the journal agrees with itself",
            counts.lives, counts.refused, counts.asked_again, counts.late
        ),
    });
    lines
}

fn away_lines(away: &Takeovers, what: &str, lang: Lang) -> Vec<String> {
    let Takeovers { number, next, waits, answers, .. } = away;
    if *number == 0 {
        return Vec::new();
    }
    let (before, gap, held_up) = (ms(away.gap_before), ms(away.gap), ms(away.held_up()));
    match lang {
        Lang::Zh => vec![
            format!("  {what} {number} 次：其席位的下一次派线 {next}"),
            format!("    另一台的席位最长无派线 {gap:.0} 毫秒，此前 {before:.0}"),
            format!("    其间来电派线 {waits}"),
            format!("    接听 {answers}，最多耽搁 {held_up:.0} 毫秒"),
        ],
        Lang::En => vec![
            format!("  {what} {number} times: the next offer at each of its desks {next}"),
            format!("    longest without an offer at the other's desks {gap:.0} ms, before {before:.0}"),
            format!("    calls meanwhile: offer {waits}"),
            format!("    answered {answers}, held up at most {held_up:.0} ms"),
        ],
    }
}

fn redis_lines(measured: &Measured, lost: &RedisLost, lang: Lang) -> Vec<String> {
    let ratio = measured.redis_ratio().unwrap_or(f64::NAN);
    match lang {
        Lang::Zh => vec![
            format!("  失去 Redis：一台派线 {}，各轮 p99 中位数之比 {ratio:.2}", lost.alone.all()),
            format!("    两台，在同一台 {}", lost.two.same),
            format!("    两台，在不同的 {}", lost.two.across),
            format!("    Redis 回来后重新显示谁空闲 {}", lost.shown),
        ],
        Lang::En => vec![
            format!(
                "  Redis lost: offer at one {}, p99 ratio {ratio:.2} in the median of turns",
                lost.alone.all()
            ),
            format!("    at two, the same           {}", lost.two.same),
            format!("    at two, different ones     {}", lost.two.across),
            format!("    back: who is free is shown {}", lost.shown),
        ],
    }
}

/// One object.
pub(in crate::bench) fn object(measured: &Measured) -> Value {
    let Measured { rate, alone, two, appends, killed, stood, redis_lost, counts, faults } = measured;
    let faults: Vec<Value> =
        faults.iter().map(|(what, often)| json!({ "what": what, "times": often })).collect();
    let lost_percent = rounded(appends.lost_percent());
    json!({
        "calls_per_s": rate,
        "turns": alone.count(),
        "offer_at_one": alone.all().json(),
        "offer_at_two": two_object(two),
        "ratio": rounded(measured.ratio()),
        "appends": { "stored": appends.stored, "lost": appends.lost, "lost_percent": lost_percent },
        "calls": { "lives": counts.lives, "refused": counts.refused, "asked_again": counts.asked_again, "late": counts.late },
        "killed": away_object(killed),
        "stopped": away_object(stood),
        "redis_lost": redis_lost.as_ref().map(|lost| json!({
            "offer_at_one": lost.alone.all().json(),
            "offer_at_two": two_object(&lost.two),
            "ratio": measured.redis_ratio().map(rounded),
            "shown_again": lost.shown.json(),
        })),
        "did_not_work": faults,
    })
}

fn two_object(two: &Two) -> Value {
    json!({ "all": two.all.all().json(), "same": two.same.json(), "across": two.across.json() })
}

fn away_object(away: &Takeovers) -> Value {
    json!({
        "times": away.number,
        "next_offer": away.next.json(),
        "gap_before_ms": rounded(ms(away.gap_before)),
        "gap_ms": rounded(ms(away.gap)),
        "offer_before": away.waits_before.json(),
        "offer": away.waits.json(),
        "answer_before": away.answers_before.json(),
        "answer": away.answers.json(),
        "held_up_ms": rounded(ms(away.held_up())),
    })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn seconds(times: &Times, percent: f64) -> f64 {
    times.percentile_us(percent) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::super::super::times::Turns;
    use super::super::Appends;
    use super::super::calls::Counts;
    use super::*;

    type Spoil = fn(&mut Measured);

    fn all(ms: u64) -> Times {
        let mut times = Times::default();
        times.note(Duration::from_millis(ms));
        times
    }

    fn turns(ms: u64) -> Turns {
        let mut turns = Turns::default();
        turns.add(all(ms));
        turns
    }

    fn two(across: u64) -> Two {
        Two { all: turns(30), same: all(30), across: all(across) }
    }

    fn away() -> Takeovers {
        let gap = Duration::from_millis(199);
        let (waits, answers) = (all(509), all(519));
        let (waits_before, answers_before) = (all(10), all(20));
        Takeovers {
            number: 6,
            next: all(990),
            gap_before: gap,
            gap,
            waits_before,
            waits,
            answers_before,
            answers,
        }
    }

    /// Everything is as slow as it may be.
    fn good() -> Measured {
        Measured {
            rate: 50,
            alone: turns(10),
            two: two(299),
            appends: Appends::default(),
            killed: away(),
            stood: away(),
            redis_lost: Some(RedisLost { alone: turns(11), two: two(299), shown: all(4_990) }),
            counts: Counts::default(),
            faults: Vec::new(),
        }
    }

    fn lost(measured: &mut Measured) -> &mut RedisLost {
        measured.redis_lost.as_mut().expect("it is there")
    }

    fn missed(measured: &Measured, small: bool) -> Vec<(&'static str, String)> {
        let missed = limits(measured).into_iter().filter_map(|limit| limit.missed(small));
        missed.map(|missed| (missed.name, missed.must_be)).collect()
    }

    #[test]
    fn each_figure_has_the_limit_that_was_promised() {
        let nothing: [(&str, String); 0] = [];
        assert_eq!(missed(&good(), false), nothing);
        let spoiled: [(&str, &str, Spoil); 9] = [
            ("calls_refused", "≤ 0", |measured| measured.counts.refused = 1),
            ("across_ms", "≤ 300", |measured| lost(measured).two.across = all(302)),
            ("routers_ratio", "≤ 3", |measured| measured.two.all = turns(31)),
            ("shown_again_s", "≤ 5", |measured| lost(measured).shown = all(5_010)),
            ("redis_ratio", "≤ 1.1", |measured| lost(measured).alone = turns(12)),
            ("takeover_s", "≤ 1", |measured| measured.killed.next = all(1_010)),
            ("takeover_gap_ms", "≤ 200", |measured| measured.killed.gap = Duration::from_millis(201)),
            ("stopped_ms", "≤ 500", |measured| measured.stood.waits = all(512)),
            ("stopped_ms", "≤ 500", |measured| measured.stood.answers = all(523)),
        ];
        for (name, must_be, spoil) in spoiled {
            let mut measured = good();
            spoil(&mut measured);
            let told = vec![(name, must_be.to_owned())];
            assert_eq!(missed(&measured, false), told);
            let always = if name == "calls_refused" { told } else { Vec::new() };
            assert_eq!(missed(&measured, true), always, "{name} in the short form");
        }
        let without = Measured { redis_lost: None, two: Two { all: turns(400), ..two(299) }, ..good() };
        assert_eq!(missed(&without, false), nothing, "without Redis two are not compared with one");
    }
}
