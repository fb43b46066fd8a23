//! `hotline journal verify`: reads a data directory or a database from its first decision to its last.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use console::Term;
use session::{Derived, Journal, PostgresStore, Progress, SqliteStore, VerifyFault, verify};
use switchboard::id::SiteId;
use tokio::runtime::Builder;

use super::text;
use crate::chinese::told;
use crate::lang::Lang;
use crate::postgres::{self, At};

const UNSOUND: u8 = 1;
const UNREAD: u8 = 3;

const EXIT_CODES: &str = "Exit codes: 0 everything agrees, 1 something does not, 2 wrong flags, \
                          3 what is kept cannot be read";

/// Between two lines about how far it has come.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Looks after the journal of a data directory, or of a database.
#[derive(Debug, Args)]
pub(crate) struct JournalFlags {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Subcommand)]
enum Deed {
    /// Reads the whole journal and says whether it agrees with itself: no gap, the same state when replayed, when
    /// restored from a snapshot and when every input is decided again, and call records that are what the decisions
    /// say. Changes nothing; a server may be running.
    #[command(after_help = EXIT_CODES)]
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Verify {
    /// The data directory of `hotline serve`; without it, the database of --postgres, --config or HOTLINE_POSTGRES.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["postgres", "config"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    at: At,
    /// The language of what is said; the locale's if not said.
    #[arg(long)]
    lang: Option<Lang>,
}

impl JournalFlags {
    /// Does what was asked and says how it went, in the exit code, too.
    pub(crate) fn run(&self) -> ExitCode {
        let Deed::Verify(verify) = &self.deed;
        let lang = verify.lang.unwrap_or_else(Lang::of_environment);
        let told = Builder::new_multi_thread().enable_all().build().map_err(Told::from);
        match told.and_then(|runtime| runtime.block_on(verify.run(lang))) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Told { code, message }) => {
                // Where even this cannot be written the exit code is all there is to say.
                let _said = writeln!(io::stderr(), "{message}");
                ExitCode::from(code)
            }
        }
    }
}

/// How it ended, when not well.
struct Told {
    code: u8,
    message: String,
}

impl From<io::Error> for Told {
    fn from(fault: io::Error) -> Told {
        Told { code: UNREAD, message: fault.to_string() }
    }
}

impl Verify {
    async fn run(&self, lang: Lang) -> Result<(), Told> {
        let say = |line: &str| Ok(writeln!(io::stdout(), "{line}")?);
        if let Some(data) = &self.data {
            return verified_in(data, lang, say).await;
        }
        let unread = |message| Told { code: UNREAD, message };
        let address = self.at.address().map_err(|fault| unread(told(lang, format!("{fault:#}"))))?;
        let address = address.ok_or_else(|| unread(text::unnamed(lang).to_owned()))?;
        let store = PostgresStore::open(address.reveal()).await;
        let store = store.map_err(|fault| unread(postgres::unopened_at(lang, &address, &fault)))?;
        verified(&store, Some(&store), lang, say).await
    }
}

/// Reads a data directory as `hotline journal verify` does.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) async fn look_through(data: &Path, lang: Lang) -> Result<String, String> {
    let mut said = Vec::new();
    let verified = verified_in(data, lang, |line| {
        said.push(line.to_owned());
        Ok(())
    });
    verified.await.map_err(|Told { message, .. }| message)?;
    Ok(said.join("; "))
}

async fn verified_in(data: &Path, lang: Lang, say: impl FnMut(&str) -> Result<(), Told>) -> Result<(), Told> {
    let unopened = |fault| Told { code: UNREAD, message: text::unopened(lang, &fault) };
    let store = SqliteStore::inspect(data).await.map_err(unopened)?;
    let derived: Option<&dyn Derived> = if store.has_derived() { Some(&store) } else { None };
    verified(&store, derived, lang, say).await
}

async fn verified(
    journal: &dyn Journal,
    derived: Option<&dyn Derived>,
    lang: Lang,
    mut say: impl FnMut(&str) -> Result<(), Told>,
) -> Result<(), Told> {
    let sites = journal.heads().await.map_err(|fault| Told { code: UNREAD, message: fault.to_string() })?;
    if sites.is_empty() {
        return say(text::empty(lang));
    }
    for (site, _) in sites {
        let mut teller = Teller::new(lang, site);
        let verified = verify(journal, derived, site, |progress| teller.tell(progress)).await;
        teller.clear();
        match verified {
            Ok(verified) => say(&text::sound(lang, site, &verified))?,
            Err(fault) => {
                return Err(Told { code: code(&fault), message: text::unsound(lang, site, &fault) });
            }
        }
    }
    Ok(())
}

/// What cannot be read at present says nothing about whether it agrees.
fn code(fault: &VerifyFault) -> u8 {
    use session::{DerivedFault, JournalFault};
    match fault {
        VerifyFault::Journal(JournalFault::Unavailable(_))
        | VerifyFault::Derived(DerivedFault::Unavailable(_)) => UNREAD,
        _ => UNSOUND,
    }
}

/// One line on a terminal that is written over; nothing where nobody watches.
struct Teller {
    lang: Lang,
    site: SiteId,
    terminal: Option<Term>,
    told_at: Instant,
}

impl Teller {
    fn new(lang: Lang, site: SiteId) -> Teller {
        let terminal = Some(Term::stderr()).filter(Term::is_term);
        Teller { lang, site, terminal, told_at: Instant::now() }
    }

    fn tell(&mut self, Progress { seq, of }: Progress) {
        let Some(terminal) = &self.terminal else { return };
        if self.told_at.elapsed() < TELL_EVERY {
            return;
        }
        self.told_at = Instant::now();
        // A terminal that went away misses nothing.
        let line = text::progress(self.lang, self.site, seq.0, of.0);
        let _told = terminal.clear_line().and_then(|()| terminal.write_str(&line));
    }

    fn clear(&self) {
        if let Some(terminal) = &self.terminal {
            // As above.
            let _cleared = terminal.clear_line();
        }
    }
}
