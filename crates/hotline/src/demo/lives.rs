//! What became of the service in the course of the day.

use std::path::Path;
use std::time::Duration;

use session::{Journal, SqliteStore};
use switchboard::Switchboard;
use switchboard::command::{Actor, Command, Input};
use switchboard::id::Seq;
use switchboard::ledger::{Ledger, THRESHOLD};
use switchboard::time::SiteTime;

use super::figures::LedgerFigures;
use super::lang::Lang;
use super::service::{Asked, Death};
use super::wire::Return;
use crate::journal;

/// So many rows of the journal are read at once.
const ROWS_AT_ONCE: usize = 256;

/// Its deaths.
#[derive(Debug, Clone, Default)]
pub(super) struct Lives {
    /// In their order.
    pub(super) deaths: Vec<DeathRow>,
}

/// One death, told afterwards.
#[derive(Debug, Clone)]
pub(super) struct DeathRow {
    /// Site time.
    pub(super) at: SiteTime,
    /// What the system says of the process.
    pub(super) how: String,
    /// The demo killed it.
    pub(super) ours: bool,
    /// What was asked and not answered.
    pub(super) asked: Option<Asked>,
    /// That it had been stored when it died; none where this cannot be known.
    pub(super) stored: Option<bool>,
    /// How many desks came back; none when it died again before they had.
    pub(super) desks: Option<usize>,
    /// How long until everybody was back, or until it died again.
    pub(super) took: Duration,
}

impl DeathRow {
    /// The death at `at`, with who came back and what had not been answered.
    pub(super) fn of(death: &Death, at: SiteTime, back: Option<(&Return, Option<&Input>)>) -> DeathRow {
        let stored = back.and_then(|(back, asked)| was_stored(death.asked?, asked, &back.stored));
        DeathRow {
            at,
            how: death.how.clone(),
            ours: death.ours,
            asked: death.asked,
            stored,
            desks: back.map(|(back, _)| back.desks),
            took: death.ago(),
        }
    }

    /// How it came back, for people.
    pub(super) fn words(&self, lang: Lang) -> String {
        let took = seconds(self.took);
        let stored = match (self.stored, lang) {
            (Some(true), Lang::Zh) => "；该请求死前已入账，重发不重复",
            (Some(true), Lang::En) => "; what was asked had been stored and is not done twice",
            (Some(false), Lang::Zh) => "；该请求未入账，现重发",
            (Some(false), Lang::En) => "; what was asked had not been stored and is sent again",
            (None, _) => "",
        };
        match (self.desks, lang) {
            (Some(desks), Lang::Zh) => {
                format!("服务 {took} 秒后恢复：网关与 {desks} 个座席已重新接入{stored}")
            }
            (Some(desks), Lang::En) => {
                format!("the service is back after {took} s with the gateway and {desks} desks{stored}")
            }
            (None, Lang::Zh) => format!("{took} 秒后，全员尚未恢复，服务再次中断"),
            (None, Lang::En) => format!("it died again after {took} s, before everybody was back"),
        }
    }
}

impl Death {
    /// How it died, for people.
    pub(super) fn words(&self, lang: Lang) -> String {
        let how = &self.how;
        match (self.asked, lang) {
            (Some(asked), Lang::Zh) => format!("服务进程死亡（{how}），{}在途未答", asked.words(lang)),
            (Some(asked), Lang::En) => {
                format!("the service died ({how}) with {} unanswered", asked.words(lang))
            }
            (None, Lang::Zh) => format!("服务进程死亡（{how}）"),
            (None, Lang::En) => format!("the service died ({how})"),
        }
    }
}

fn was_stored(kind: Asked, asked: Option<&Input>, stored: &[Input]) -> Option<bool> {
    match kind {
        Asked::Fact | Asked::Command => {
            let asked = asked?;
            Some(stored.iter().any(|stored| is_same(stored, asked)))
        }
        Asked::Step | Asked::Return => None,
    }
}

/// Whether a stored input is this wish. Who calls is known to the service by another name.
fn is_same(stored: &Input, asked: &Input) -> bool {
    match (&stored.command, &asked.command) {
        (Command::Arrive(stored), Command::Arrive(asked)) => stored.call == asked.call,
        (_, _) if matches!(asked.actor, Actor::Gateway(_)) => {
            stored.actor == asked.actor && stored.command == asked.command
        }
        _ => stored.request == asked.request,
    }
}

impl Lives {
    /// Deaths by the demo's own hand.
    pub(super) fn ours(&self) -> usize {
        self.deaths.iter().filter(|death| death.ours).count()
    }

    /// Deaths with a request unanswered.
    pub(super) fn with_requests(&self) -> usize {
        self.deaths.iter().filter(|death| death.asked.is_some()).count()
    }

    /// Deaths with a wish unanswered that had been stored, or had not.
    pub(super) fn stored(&self, stored: bool) -> usize {
        self.deaths.iter().filter(|death| death.stored == Some(stored)).count()
    }

    /// How long until everybody was back: in the middle, and at most.
    pub(super) fn back(&self) -> Option<(Duration, Duration)> {
        let mut times: Vec<Duration> =
            self.deaths.iter().filter(|death| death.desks.is_some()).map(|death| death.took).collect();
        times.sort_unstable();
        Some((*times.get(times.len() / 2)?, *times.last()?))
    }
}

/// What the data directory says at the end.
#[derive(Debug, Clone)]
pub(super) struct OnDisk {
    /// What `hotline journal verify` says.
    pub(super) verified: Result<String, String>,
    /// The decisions in it are those the demo heard of.
    pub(super) same: Result<(), String>,
}

impl OnDisk {
    /// Reads the directory of a service that has ended, and holds it against what was heard.
    pub(super) async fn read(data: &Path, heard: &LedgerFigures, lang: Lang) -> OnDisk {
        let verified = journal::look_through(data, lang).await;
        let same = match ledger_of(data, heard.decisions).await {
            Err(why) => Err(why),
            Ok(ledger)
                if (ledger.decisions(), ledger.hash().to_string())
                    == (heard.decisions, heard.hash.clone()) =>
            {
                Ok(())
            }
            Ok(ledger) => Err(match lang {
                Lang::Zh => {
                    format!("磁盘上的 {} 项决定与演示所见 {} 项不符", ledger.decisions(), heard.decisions)
                }
                Lang::En => format!(
                    "the {} decisions on the disk are not the {} that the demo heard of",
                    ledger.decisions(),
                    heard.decisions
                ),
            }),
        };
        OnDisk { verified, same }
    }

    /// Everything that is wrong.
    pub(super) fn faults(&self) -> Vec<String> {
        [self.verified.as_ref().err(), self.same.as_ref().err()].into_iter().flatten().cloned().collect()
    }
}

/// The account of the first decisions on the disk: the service goes on for a moment after the demo has heard the last.
async fn ledger_of(data: &Path, decisions: u64) -> Result<Ledger, String> {
    let store = SqliteStore::inspect(data).await.map_err(|fault| fault.to_string())?;
    let mut ledger = Ledger::open(Switchboard::new().state(), THRESHOLD);
    let mut seq = 0;
    for (site, _) in store.heads().await.map_err(|fault| fault.to_string())? {
        loop {
            let rows = store.tail(site, Seq(seq), ROWS_AT_ONCE).await.map_err(|fault| fault.to_string())?;
            if rows.is_empty() || seq >= decisions {
                break;
            }
            for stored in &rows {
                for decision in session::decode(&stored.row).map_err(|fault| fault.to_string())? {
                    seq = decision.seq.0;
                    if seq <= decisions {
                        ledger.record(&decision);
                    }
                }
            }
        }
    }
    store.close().await;
    Ok(ledger)
}

/// Seconds as people read them.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use switchboard::command::LegFact;
    use switchboard::id::{Attempt, CallId, RequestId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_wish_is_known_again_among_what_was_stored() {
        let call = CallId(Uuid::from_u128(7));
        let request = |n| Some(RequestId(Uuid::from_u128(n)));
        let leg = |fact| Input {
            actor: Actor::Gateway("gateway-1".parse().unwrap()),
            request: None,
            command: Command::Leg { call, attempt: Attempt(1), fact },
        };
        let command = |n| Input {
            actor: Actor::Operator("ana".parse().unwrap()),
            request: request(n),
            command: Command::HangUp { call },
        };
        let stored = [leg(LegFact::Ringing), command(4)];
        for (asked, is_there) in [
            (Input { request: request(1), ..leg(LegFact::Ringing) }, true),
            (leg(LegFact::Answered), false),
            (command(4), true),
            (command(5), false),
        ] {
            assert_eq!(was_stored(Asked::Fact, Some(&asked), &stored), Some(is_there), "{asked:?}");
        }
    }
}
