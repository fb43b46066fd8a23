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

/// An address that was understood.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) options: PgConnectOptions,
    /// Host, port and database.
    pub(super) name: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Address, PostgresFault> {
        let bad = |why: String| PostgresFault::BadAddress { why };
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(bad("it does not begin with postgres://".to_owned()));
        }
        let settings = url.split_once('?').map(|(_, settings)| settings).unwrap_or_default();
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let key = setting.split('=').next().unwrap_or_default();
            if !SETTINGS.contains(&key) && !key.starts_with("options[") {
                return Err(bad(format!("it has a setting {key:?}, which there is not")));
            }
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| bad(told(&error)))?;
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
    fn what_is_no_address_is_told_without_its_password() {
        for bad in [
            format!("mysql://ward:{SECRET}@db/calls"),
            format!("ward:{SECRET}@db/calls"),
            format!("postgres://ward:{SECRET}@db:port/calls"),
            format!("postgres://ward@db/calls?passwd={SECRET}"),
            format!("postgres://ward:{SECRET}@db/calls?sslmode=perhaps"),
        ] {
            let fault = Address::parse(&bad).expect_err("no address");
            let shown = format!("{fault} {fault:?}");
            assert!(matches!(fault, PostgresFault::BadAddress { .. }), "{shown}");
            assert!(!shown.contains("s3cr") && shown.contains("write postgres://"), "{shown}");
        }
    }
}
