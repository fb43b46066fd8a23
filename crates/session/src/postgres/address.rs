//! Where the database is, and who asks. A password stands in here and is shown by nothing.

use std::fmt;
use std::str::FromStr;

use sqlx::Error;
use sqlx::postgres::PgConnectOptions;

use super::fault::PostgresFault;

/// What may stand behind the question mark. sqlx would say any other in the log, with its value: a password under a
/// name that is misspelt.
const SETTINGS: [&str; 13] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What is wrong with an address.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("it does not begin with postgres://")]
    Scheme,
    #[error("it has a setting {0:?}, which there is not")]
    Setting(String),
    /// A password that has a sign of an address' own cuts it into pieces, and none of them is repeated.
    #[error(
        "a piece of it is out of place; in a password write % as %25, ? as %3F, & as %26, @ as %40, / as %2F and # as %23"
    )]
    InPieces,
}

/// An address that was understood.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) options: PgConnectOptions,
    /// Host, port and database.
    pub(super) name: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Address, PostgresFault> {
        let bad = |why: &dyn fmt::Display| PostgresFault::BadAddress { why: why.to_string() };
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(bad(&Wrong::Scheme));
        }
        // Who asks has no sign in the clear that ends it: what follows the first of these is no password.
        let place = url.split_once("://").map(|(_, place)| place).unwrap_or_default();
        let (place, settings) = place.split_once('?').unwrap_or((place, ""));
        let is_cut = place.split_once('/').is_some_and(|(_, database)| database.contains('@'));
        if is_cut || url.contains('#') {
            return Err(bad(&Wrong::InPieces));
        }
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let key = setting.split('=').next().unwrap_or_default();
            if SETTINGS.contains(&key) || key.starts_with("options[") {
                continue;
            }
            let is_word = key.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
            let is_whole = is_word && setting.contains('=');
            let is_in_pieces = !is_whole || ["@", "password="].iter().any(|part| settings.contains(part));
            return Err(bad(&if is_in_pieces { Wrong::InPieces } else { Wrong::Setting(key.to_owned()) }));
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| match settings.contains('@') {
            true => bad(&Wrong::InPieces),
            false => bad(&told(&error)),
        })?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("hotline"),
        };
        let database = options.get_database().unwrap_or(options.get_username());
        let name = match options.get_socket() {
            Some(socket) => format!("{}/{database}", socket.display()),
            None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
        };
        Ok(Address { options, name })
    }

    pub(super) fn user(&self) -> String {
        self.options.get_username().to_owned()
    }

    /// Why no connection was made.
    pub(super) fn judged(&self, error: &Error) -> PostgresFault {
        let (server, user, why) = (self.name.clone(), self.user(), told(error));
        let code = error.as_database_error().and_then(|database| database.code());
        match (error, code.as_deref().unwrap_or_default()) {
            (_, "28P01") => PostgresFault::WrongPassword { server, user },
            (_, "28000" | "42501") => PostgresFault::NotAllowed { server, user, why },
            (_, "3D000") => PostgresFault::NoDatabase { server },
            (_, "55P03") => PostgresFault::Busy { server },
            (Error::Tls(_), _) => PostgresFault::NoTls { server, why },
            (Error::Io(_), _) | (_, "57P03" | "53300") => PostgresFault::Unreachable { server, why },
            _ => PostgresFault::Failed { server, why },
        }
    }
}

fn told(error: &Error) -> String {
    match error {
        Error::Database(database) => database.message().to_owned(),
        Error::Configuration(source) => source.to_string(),
        other => other.to_string(),
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr%40t-word";

    #[test]
    fn an_address_is_shown_without_who_asks() {
        let url = format!("postgresql://ward:{SECRET}@db.example:6432/calls?sslmode=require");
        let address = Address::parse(&url).expect("an address");
        assert_eq!(format!("{address:?}"), "db.example:6432/calls");
        assert_eq!(address.user(), "ward");
        let by_socket =
            Address::parse("postgres:///calls?host=/run/postgresql&user=ward").expect("an address");
        assert_eq!(format!("{by_socket:?}"), "/run/postgresql/calls");
    }

    #[test]
    fn signs_that_are_written_as_they_should_be_are_no_fault() {
        for (url, shown) in [
            ("postgres://ward%40server:pw@db/?sslmode=require", "db:5432/ward@server"),
            ("postgres://ward:a%3Fb%26c%40d%2Fe%23f@db:1/calls%40night", "db:1/calls@night"),
            ("postgres://ward:pw@[::1]:6432/calls", "[::1]:6432/calls"),
            ("postgres:///calls?host=/run/pg@15&user=ward", "/run/pg@15/calls"),
        ] {
            let address = Address::parse(url).unwrap_or_else(|fault| panic!("{url}: {fault}"));
            assert_eq!(format!("{address:?}"), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_told_without_its_password() {
        for bad in [
            format!("mysql://ward:{SECRET}@db/calls"),
            format!("ward:{SECRET}@db/calls"),
            format!("postgres://ward:{SECRET}@db:port/calls"),
            format!("postgres://ward@db/calls?passwd={SECRET}"),
            format!("postgres://ward:{SECRET}@db/calls?sslmode=perhaps"),
            format!("postgres://ward:x?{SECRET}@db/calls"),
            format!("postgres://ward:x?sslmode=prefer&{SECRET}@db/calls"),
            format!("postgres://ward:12/{SECRET}@db/calls"),
            format!("postgres://ward:12#{SECRET}@db/calls"),
            format!("postgres://db/calls?user=ward&password=x&{SECRET}"),
            format!("postgres://ward:x?sslmode=x{SECRET}@db/calls"),
        ] {
            let fault = Address::parse(&bad).expect_err("no address");
            let shown = format!("{fault} {fault:?}");
            assert!(matches!(fault, PostgresFault::BadAddress { .. }), "{shown}");
            assert!(!shown.contains("s3cr") && shown.contains("write postgres://"), "{shown}");
        }
    }
}
