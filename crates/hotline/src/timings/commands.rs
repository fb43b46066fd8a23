//! Every command that asks the site, as an administrator types it, and the exit code that its answer has.
//!
//! Not timed: `site raise-format` without `--dry-run`, which changes something once in a release; `line remove --now`, which
//! waits for callers; `board --watch` and `events tail` without `--no-follow`, which do not end; and what asks no site, or
//! reads or writes all of it: `serve`, `demo`, `bench`, `journal`, `backup`, `restore`, `migrate`, `certs`, `completions`, `man`.

use std::time::Duration;

use super::known::Known;

/// What every command is meant to keep.
const LIMIT: Duration = Duration::from_millis(200);
/// What a call's path is meant to keep.
const LIMIT_OF_A_PATH: Duration = Duration::from_millis(300);

/// The exit code of what was done, or told.
const DONE: &[i32] = &[0];
/// The exit code of what is not there, and of a difference.
const NO: &[i32] = &[1];
/// What `doctor` finds depends on the machine: good, or doubtful.
const NOTHING_BAD: &[i32] = &[0, 3];

/// Another administrator's token: only another one approves that a caller is forgotten.
pub(super) const SECOND_TOKEN: &str = "token create admin second --yes --token-out second.token";
/// Where it is.
pub(super) const SECOND_TOKEN_FILE: &str = "second.token";

/// One step of a sequence.
pub(super) enum Step {
    /// A command, which is timed.
    Timed(Timed),
    /// What the next command finds, which is not.
    Made(Made),
}

/// A command. `ID`, `CALL` and `NUMBER` are others in each round, and `SAID` is what the command before wrote last.
pub(super) struct Timed {
    /// Its words, with a space between two.
    pub(super) words: String,
    /// The exit codes that its answer may have.
    pub(super) expected: &'static [i32],
    /// What its median is meant to keep.
    pub(super) at_most: Option<Duration>,
}

impl Timed {
    /// With the limit of its kind.
    pub(super) fn new(words: &str, expected: &'static [i32]) -> Timed {
        let at_most = if words.starts_with("call why ") { LIMIT_OF_A_PATH } else { LIMIT };
        Timed { words: words.to_owned(), expected, at_most: Some(at_most) }
    }
}

/// What a command finds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Made {
    /// The person of this round is on duty.
    OnDuty,
    /// The call of this round rings in, and waits.
    RingsIn,
    /// Its caller hangs up.
    HangsUp,
}

fn done(words: &str) -> Step {
    Step::Timed(Timed::new(words, DONE))
}

/// What a process costs.
pub(super) fn floor() -> Vec<Step> {
    vec![Step::Timed(Timed { at_most: None, ..Timed::new("--version", DONE) })]
}

/// What changes nothing.
pub(super) fn reading(known: &Known) -> Vec<Vec<Step>> {
    let Known { calls: [first, middle, last], beginning, mistyped, caller, operator, .. } = known;
    let (at, here, tail) = (known.middle, known.here, known.last.saturating_sub(10));
    let told = [
        "line list".to_owned(),
        "line show emergency".to_owned(),
        "line add duty-9 --zh 九 --en Nine --number 021-5550-0178 --like duty --dry-run".to_owned(),
        "line remove outpatient-2 --move-waiting-to outpatient-1 --dry-run".to_owned(),
        "operator list".to_owned(),
        format!("operator show {operator}"),
        format!("operator why {operator}"),
        format!("operator why {operator} --at {here}"),
        "team list".to_owned(),
        "team members volunteers".to_owned(),
        "plan get".to_owned(),
        "plan get --revision 2".to_owned(),
        "plan validate -f hospital.toml".to_owned(),
        "plan apply -f hospital.toml --dry-run".to_owned(),
        "plan history".to_owned(),
        "call list".to_owned(),
        "call list --closed".to_owned(),
        "call list --closed --limit 1000".to_owned(),
        "call list --closed --line emergency".to_owned(),
        format!("call list --closed --operator {operator}"),
        "call list --closed --outcome failed_gateway".to_owned(),
        "call list --closed --until 30d".to_owned(),
        format!("call show {first}"),
        format!("call show {beginning}"),
        format!("call why {first}"),
        format!("call why {middle}"),
        format!("call why {last}"),
        format!("call why {middle} --at {at}"),
        format!("call why {beginning}"),
        "board".to_owned(),
        format!("events tail --from {tail} --no-follow"),
        "audit list".to_owned(),
        "audit list --what operator.pause --from 7d".to_owned(),
        "audit verify".to_owned(),
        format!("privacy export --caller {caller} --reason timing"),
        "token list".to_owned(),
        "site list".to_owned(),
        "site raise-format main --dry-run".to_owned(),
        "health --data data".to_owned(),
    ];
    let mut sequences: Vec<Vec<Step>> = told.iter().map(|words| vec![done(words)]).collect();
    // The plan in force is another one, and no call has this id.
    for words in ["plan diff -f hospital.toml".to_owned(), format!("call why {mistyped}")] {
        sequences.push(vec![Step::Timed(Timed::new(&words, NO))]);
    }
    sequences.push(vec![Step::Timed(Timed::new("doctor --data data", NOTHING_BAD))]);
    sequences
}

/// What changes something, and in the end leaves the site as it was, or as the round before left it.
pub(super) fn acting() -> Vec<Vec<Step>> {
    vec![
        vec![done("line close duty --for 1h"), done("line open duty")],
        vec![done("line divert duty --to duty-phone --for 30m"), done("line divert duty --end")],
        vec![
            done("line add ID --zh 九 --en Nine --number 021-5550-0178 --like duty --yes"),
            done("line remove ID --yes"),
        ],
        vec![
            done("operator add ID --home comfort --device telephone"),
            done("operator invite ID"),
            done("operator change ID --skill cantonese"),
            done("operator change ID --no-skill"),
            done("token create operator ID --yes"),
            Step::Made(Made::OnDuty),
            done("operator pause ID --for 30m --reason lunch"),
            done("operator resume ID"),
            done("operator off ID"),
            done("operator remove ID --yes"),
        ],
        vec![done("team add ID --zh 夜班 --en Night --yes"), done("team remove ID --yes")],
        vec![done("plan apply -f plan-a.toml --yes"), done("plan apply -f plan-b.toml --yes")],
        vec![done("plan rollback 2 --yes"), done("plan rollback 3 --yes")],
        vec![done("roster apply -f roster-a.toml --yes"), done("roster apply -f roster-b.toml --yes")],
        vec![done("roster validate -f roster-a.toml")],
        vec![done("roster get")],
        vec![done("roster due --ahead 12h")],
        vec![
            Step::Made(Made::RingsIn),
            done("call move CALL --to outpatient-2"),
            done("call move CALL --to outpatient-1"),
            done("call show CALL"),
            done("call why CALL"),
            done("call reveal CALL --reason timing"),
            Step::Made(Made::HangsUp),
        ],
        vec![
            Step::Made(Made::RingsIn),
            Step::Made(Made::HangsUp),
            done("privacy export --number NUMBER --reason timing"),
            done("privacy erase --number NUMBER --reason timing"),
            done("privacy list -o name"),
            done("privacy approve SAID --yes --token-file second.token"),
        ],
        vec![done("token create wallboard ID --yes"), done("token revoke wallboard ID --yes")],
        vec![done("site create ID"), done("site retire ID --yes")],
    ]
}

/// What reads the whole journal where records were let go: an id without a record may be a call's.
pub(super) fn behind_retention(known: &Known) -> Vec<Vec<Step>> {
    vec![without_limit(&known.calls[0], DONE), without_limit(&known.mistyped, NO)]
}

fn without_limit(call: &str, expected: &'static [i32]) -> Vec<Step> {
    let timed = Timed::new(&format!("call why {call}"), expected);
    vec![Step::Timed(Timed { at_most: None, ..timed })]
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;

    /// What asks no site, or reads or writes all of it.
    const NOT_TIMED: [&str; 10] =
        ["serve", "demo", "bench", "journal", "backup", "restore", "migrate", "certs", "completions", "man"];

    fn verbs(command: &Command, path: &str, found: &mut Vec<String>) {
        let mut is_verb = true;
        let shown = |further: &&Command| !further.is_hide_set() && further.get_name() != "help";
        for further in command.get_subcommands().filter(shown) {
            is_verb = false;
            verbs(further, format!("{path} {}", further.get_name()).trim_start(), found);
        }
        if is_verb {
            found.push(path.to_owned());
        }
    }

    #[test]
    fn every_command_of_an_administrator_is_timed_but_those_that_are_named() {
        let known = Known {
            calls: ["first", "middle", "last"].map(str::to_owned),
            beginning: "beginning".to_owned(),
            mistyped: "mistyped".to_owned(),
            caller: "caller".to_owned(),
            operator: "operator".to_owned(),
            middle: 2,
            here: 3,
            last: 4,
            first_wall_us: 0,
        };
        let sequences = reading(&known).into_iter().chain(acting()).flatten();
        let timed: Vec<String> = sequences
            .filter_map(|step| match step {
                Step::Timed(timed) => Some(format!("{} ", timed.words)),
                Step::Made(_) => None,
            })
            .collect();
        let mut found = Vec::new();
        verbs(&crate::Hotline::command(), "", &mut found);
        assert!(found.contains(&"operator pause".to_owned()), "{found:?}");
        for verb in found {
            let is_named = NOT_TIMED.iter().any(|noun| verb.split(' ').next() == Some(*noun));
            let is_timed = timed.iter().any(|words| words.starts_with(&format!("{verb} ")));
            assert_ne!(is_named, is_timed, "hotline {verb} is timed, or named as not: one of both");
        }
    }
}
