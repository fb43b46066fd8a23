//! `hotline audit`: who asked for what in the office, and whether the record of it is whole.

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::answer::{Listed, words};
use super::asking::Office;
use super::fault::{EXIT_CODES, Fault, Told, verdict};
use super::moment;
use super::reach::Common;
use super::said::{Said, clean, counted, said};
use super::sheet::Field;
use super::words::{self as word, Word};

/// The audit: who asked for what, why, and how it ended; each row holds the hash of the row before.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Audits {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline audit list --what plan.apply --from 7d\n  \
hotline audit list --object line:duty -o wide\n  hotline audit verify > head.txt\n  \
hotline audit verify --known \"$(cat head.txt)\"";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Its rows, the latest first. An act has two: one before it, and one that tells how it ended.
    List {
        /// Only by this id.
        #[arg(long, value_name = "ID")]
        who: Option<String>,
        /// Only in this role.
        #[arg(long, value_parser = ["admin", "supervisor", "operator", "server"])]
        role: Option<String>,
        /// Only what was asked like this, as plan.apply.
        #[arg(long, value_name = "ACT")]
        what: Option<String>,
        /// Only about this: a kind and an id, as line:duty.
        #[arg(long, value_name = "KIND:ID")]
        object: Option<String>,
        /// Not before: 2026-11-22 03:10, RFC 3339, or 2h for two hours ago.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Before this.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        /// Go on where the page before ended: what it said as `next`.
        #[arg(long, value_name = "NEXT")]
        after: Option<String>,
    },
    /// Walk along the whole of it. Exit code 0: every row is as it was written, 1: it is not.
    ///
    /// Prints the last row and its hash. Kept elsewhere, it shows later whether rows were cut off or written anew.
    Verify {
        /// What an earlier walk printed.
        #[arg(long, value_name = "NUMBER:HASH")]
        known: Option<String>,
    },
}

impl Audits {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| match verb {
            Verb::List { who, role, what, object, from, until, limit, after } => {
                let wall =
                    |flag, text: Option<String>| text.map(|text| moment::wall(flag, &text)).transpose();
                let request = v1::ListAuditRequest {
                    who: who.unwrap_or_default(),
                    role: role.unwrap_or_default(),
                    what: what.unwrap_or_default(),
                    object: object.unwrap_or_default(),
                    from_unix_us: wall("--from", from)?,
                    until_unix_us: wall("--until", until)?,
                    page_size: limit,
                    page_token: after.unwrap_or_default(),
                };
                list(office, request).await
            }
            Verb::Verify { known } => verify(office, known.as_deref()).await,
        })
    }
}

/// A row, as programs read it.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    at_unix_us: i64,
    role: String,
    who: String,
    what: String,
    object: String,
    /// As JSON, if that says anything.
    before: Option<Value>,
    after: Option<Value>,
    why: String,
    request_id: String,
    outcome: String,
    /// The row that stands before the act; none for that row itself.
    refers_to: Option<u64>,
    hash: String,
}

impl Listed for Row {
    fn id(&self) -> &str {
        &self.id
    }
}

impl From<v1::AuditRecord> for Row {
    fn from(sent: v1::AuditRecord) -> Row {
        let value = |text: &str| {
            (!text.is_empty()).then(|| serde_json::from_str(text).unwrap_or_else(|_| text.into()))
        };
        Row {
            id: sent.number.to_string(),
            at_unix_us: sent.at_unix_us,
            role: sent.role,
            who: sent.who,
            what: sent.what,
            object: sent.object,
            before: value(&sent.before),
            after: value(&sent.after),
            why: sent.why,
            request_id: sent.request_id,
            outcome: sent.outcome,
            refers_to: (sent.refers_to != 0).then_some(sent.refers_to),
            hash: sent.hash,
        }
    }
}

async fn list(office: &Office, request: v1::ListAuditRequest) -> Told<ExitCode> {
    let page = office.send(request).await?;
    let items: Vec<Row> = page.records.into_iter().map(Row::from).collect();
    let columns = [
        words("行", "ROW", |row: &Row, _| Field::new(&row.id)).whole(),
        words("时间", "TIME", |row: &Row, _| Field::new(moment::shown(row.at_unix_us))),
        words("谁", "WHO", |row: &Row, _| Field::new(format!("{} {}", row.role, row.who))),
        words("什么", "WHAT", |row: &Row, _| Field::new(&row.what)),
        words("对象", "OF WHAT", |row: &Row, _| Field::or_dash(&row.object)),
        words("结果", "OUTCOME", |row: &Row, lang| match word::act(&row.outcome) {
            Some(word) => Field::new(word.of(lang)),
            None => Field::new(&row.outcome),
        }),
        words("为何", "WHY", |row: &Row, _| Field::or_dash(&row.why)),
        words("属于", "OF ROW", |row: &Row, _| {
            Field::or_dash(row.refers_to.map(|row| row.to_string()).unwrap_or_default())
        })
        .wide(),
        words("此前", "BEFORE", |row: &Row, _| json(&row.before)).wide(),
        words("此后", "AFTER", |row: &Row, _| json(&row.after)).wide(),
    ];
    super::call::page(office, "audit", &items, page.next_page_token, &columns)?;
    office.answer.clock(items.len());
    Ok(ExitCode::SUCCESS)
}

fn json(value: &Option<Value>) -> Field {
    Field::or_dash(value.as_ref().map(Value::to_string).unwrap_or_default())
}

/// What a walk found, as programs read it.
#[derive(Debug, Serialize)]
struct Verified {
    whole: bool,
    rows: u64,
    head_number: u64,
    head_hash: String,
    known_was_let_go: bool,
    broken: Option<Broken>,
}

#[derive(Debug, Serialize)]
struct Broken {
    number: u64,
    how: Word,
    message: String,
}

async fn verify(office: &Office, known: Option<&str>) -> Told<ExitCode> {
    let (known_number, known_hash) = known.map_or(Ok((0, String::new())), head)?;
    let sent = office.send(v1::VerifyAuditRequest { known_number, known_hash }).await?;
    let item = Verified {
        whole: sent.broken.is_none(),
        rows: sent.rows,
        head_number: sent.head_number,
        head_hash: sent.head_hash,
        known_was_let_go: sent.known_was_let_go,
        broken: sent.broken.map(|broken| Broken {
            how: word::audit_break(broken.kind()),
            number: broken.number,
            message: broken.message,
        }),
    };
    let written = if office.answer.is_object() {
        office.answer.one("audit_verified", &item)
    } else {
        let written = office.answer.text(&[format!("{}:{}", item.head_number, item.head_hash)]);
        office.answer.chat(&item.words());
        written
    };
    verdict(written, ExitCode::from(u8::from(!item.whole)))
}

impl Verified {
    fn words(&self) -> Said {
        let Verified { rows, .. } = self;
        let count = usize::try_from(*rows).unwrap_or(usize::MAX);
        let let_go = match self.known_was_let_go {
            true => (
                "；已知的那一行早已按期限清除，无从比较",
                "; the known row was let go since, so nothing was compared with it",
            ),
            false => ("", ""),
        };
        match &self.broken {
            None => said(
                format!("全部 {rows} 行与写入时相同{}。把上面这一行另存他处，供下次核对", let_go.0),
                format!(
                    "{} written{}; keep the line above elsewhere for the next time",
                    match rows {
                        1 => "the one row is as it was".to_owned(),
                        _ => format!("all {rows} rows are as they were"),
                    },
                    let_go.1
                ),
            ),
            Some(Broken { number, how, message }) => said(
                format!(
                    "审计记录已损坏，从第 {number} 行起：{}。此前 {rows} 行完好",
                    how.of(crate::lang::Lang::Zh)
                ),
                format!(
                    "the audit is broken from row {number} on: {}; before that {} whole",
                    clean(message),
                    counted(count, "row is", "rows are")
                ),
            ),
        }
    }
}

/// A row and its hash, as a walk printed them.
fn head(text: &str) -> Told<(u64, String)> {
    let read = |text: &str| {
        let (number, hash) = text.trim().split_once(':')?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        Some((number.parse().ok()?, is_hash.then(|| hash.to_owned())?))
    };
    read(text).ok_or_else(|| {
        let shown = clean(text);
        let what = said(
            format!("--known {shown:?} 不是行号和散列"),
            format!("--known {shown:?} is no row and hash"),
        );
        Fault::usage("BAD_HEAD", what).mend(said(
            "写此前 hotline audit verify 打印的那一行",
            "write the line that `hotline audit verify` printed then",
        ))
    })
}
