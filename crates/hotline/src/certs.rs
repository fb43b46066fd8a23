//! `hotline certs`: a private authority for a hospital without one, and the server's certificate from it.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::{ToSpan, Zoned};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::causes;
use crate::chinese::told;
use crate::lang::Lang;

/// The authority's certificate, in a directory of certificates.
pub(crate) const AUTHORITY: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca-key.pem";
/// The server's certificate, in a directory of certificates.
pub(crate) const SERVER: &str = "server.pem";
/// Its key.
pub(crate) const SERVER_KEY: &str = "server-key.pem";

const AUTHORITY_YEARS: i32 = 10;
/// By these a server is reached on its own machine.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// A little more than a year: browsers trust none that lasts longer.
const SERVER_DAYS: i32 = 397;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 not done, 2 wrong flags";

/// Certificates for TLS.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Certs {
    #[command(subcommand)]
    command: Command,
    /// The language of what is said; the locale's if not said.
    #[arg(long, global = true)]
    lang: Option<Lang>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an authority of your own, and a certificate for the server.
    Init(Wish),
    /// Make a new certificate for the server, from the authority in the directory. A running server takes it up.
    Renew(Wish),
}

/// Where, and for which names.
#[derive(Debug, Args)]
struct Wish {
    /// The directory of certificates and keys.
    dir: PathBuf,
    /// A name or address by which clients call the server; may be given several times. localhost, 127.0.0.1 and ::1
    /// are in every certificate; renewed without a name, it keeps those that it has.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
}

impl Certs {
    /// Makes what was asked for, or says why not: a file is there already, is missing, or cannot be written.
    pub(crate) fn run(self) -> ExitCode {
        let today = Zoned::now().date();
        let lang = self.lang.unwrap_or_else(Lang::of_environment);
        let done = match &self.command {
            Command::Init(wish) => wish.init(today).map(|made| made.told(lang, &wish.dir, true)),
            Command::Renew(wish) => wish.renew(today).map(|made| made.told(lang, &wish.dir, false)),
        };
        match done {
            Ok(words) => {
                // Where even this cannot be written the exit code is all there is to say.
                let _said = writeln!(io::stdout(), "{words}");
                ExitCode::SUCCESS
            }
            Err(fault) => {
                causes::tell(lang, &fault);
                ExitCode::FAILURE
            }
        }
    }
}

/// A certificate that was made.
struct Made {
    names: Vec<String>,
    until: Date,
}

impl Made {
    /// What it is for, and with a new authority what becomes of its files.
    fn told(&self, lang: Lang, dir: &Path, with_authority: bool) -> String {
        let (dir, names, until) = (dir.display(), self.names.join(", "), self.until);
        let mut lines = vec![format!(
            "{dir}/{SERVER} is a certificate for {names} until {until}; renew it before: hotline certs renew {dir}"
        )];
        if with_authority {
            lines.push(format!(
                "give {dir}/{AUTHORITY} to clients (--ca), and keep {dir}/{AUTHORITY_KEY} elsewhere; whoever has that can pass for \
                 the server"
            ));
            lines.push(format!("to serve with it: hotline serve --data DIR --tls {dir}"));
        }
        told(lang, lines.join("\n"))
    }
}

impl Wish {
    fn init(&self, today: Date) -> Result<Made> {
        let (key_file, certificate_file) = (self.dir.join(AUTHORITY_KEY), self.dir.join(AUTHORITY));
        match (key_file.exists(), certificate_file.exists()) {
            (true, true) => bail!(
                "{} has an authority already; to make a new certificate from it: hotline certs renew {0}",
                self.dir.display()
            ),
            (false, true) => bail!(
                "{} is an authority's certificate without its key, and is not replaced; name another directory, or move it away",
                certificate_file.display()
            ),
            // With a key alone: an earlier attempt ended between the two. It goes on here.
            (_, false) => {}
        }
        let made = || format!("cannot make the directory {}", self.dir.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).with_context(made)?;
        let key = match key_file.exists() {
            true => {
                let unread = || format!("cannot use {}; move it away to begin anew", key_file.display());
                KeyPair::from_pem(&fs::read_to_string(&key_file).with_context(unread)?)
                    .with_context(unread)?
            }
            false => {
                let key = KeyPair::generate()?;
                replace(&key_file, key.serialize_pem().as_bytes(), 0o600)?;
                key
            }
        };
        let authority = CertifiedIssuer::self_signed(authority(today)?, key)?;
        replace(&certificate_file, authority.pem().as_bytes(), 0o644)?;
        self.certify(&authority, with_own(self.names.clone()), today)
    }

    fn renew(&self, today: Date) -> Result<Made> {
        let read = |name: &str| {
            let path = self.dir.join(name);
            fs::read_to_string(&path).with_context(|| {
                format!("cannot read {}; hotline certs init makes an authority", path.display())
            })
        };
        let key = KeyPair::from_pem(&read(AUTHORITY_KEY)?).context("the authority's key")?;
        let authority = Issuer::from_ca_cert_pem(&read(AUTHORITY)?, key).context("the authority")?;
        let names = match self.names.is_empty() {
            true => kept(&self.dir.join(SERVER))?,
            false => self.names.clone(),
        };
        self.certify(&authority, with_own(names), today)
    }

    /// The key first: a certificate without its key would be served by nobody.
    fn certify(&self, authority: &Issuer<'_, KeyPair>, names: Vec<String>, today: Date) -> Result<Made> {
        let (key, until) = (KeyPair::generate()?, today.checked_add(SERVER_DAYS.days())?);
        let certificate = server(&names, today, until)?.signed_by(&key, authority)?;
        replace(&self.dir.join(SERVER_KEY), key.serialize_pem().as_bytes(), 0o600)?;
        replace(&self.dir.join(SERVER), certificate.pem().as_bytes(), 0o644)?;
        Ok(Made { names, until })
    }
}

/// The names of the certificate that is there; none where there is none yet.
fn kept(path: &Path) -> Result<Vec<String>> {
    let unread = || format!("cannot read the names of {}; say them: --name NAME", path.display());
    match fs::read(path) {
        Ok(pem) => routing::certificate_names(&pem).with_context(unread),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault).with_context(unread),
    }
}

/// And those by which this machine calls itself: whoever looks after the server does so from here.
fn with_own(mut names: Vec<String>) -> Vec<String> {
    names.extend(OWN_NAMES.map(str::to_owned));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn authority(today: Date) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Hotline private authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    lasting(&mut params, today, today.checked_add(AUTHORITY_YEARS.years())?)?;
    Ok(params)
}

fn server(names: &[String], today: Date, until: Date) -> Result<CertificateParams> {
    let mut params =
        CertificateParams::new(names).context("a name is letters, digits, '-' and '.', or an address")?;
    params.distinguished_name.push(DnType::CommonName, "Hotline server");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    lasting(&mut params, today, until)?;
    Ok(params)
}

/// From the day before, for clocks that are late.
fn lasting(params: &mut CertificateParams, today: Date, until: Date) -> Result<()> {
    let from = today.yesterday()?;
    let day = |date: Date| {
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    (params.not_before, params.not_after) = (day(from), day(until));
    Ok(())
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let written = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Whoever reads the file finds the old one or the new one, whole.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => {
            return Err(fault).with_context(|| format!("cannot remove {}", unfinished.display()));
        }
        _ => {}
    }
    create(&unfinished, bytes, mode)?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}
