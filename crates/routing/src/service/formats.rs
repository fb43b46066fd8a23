//! In which format a site's record is written, and who reads what.

use api::v1;
use exchange::{Cursor, ExchangeHandle, RollUnknown, SiteRouter};
use tonic::{Code, Status};

use crate::refusal::{self, Reason};

/// A site's format, and its routers.
pub(super) async fn look(exchange: &ExchangeHandle) -> Result<v1::GetFormatResponse, Status> {
    let routers = exchange.routers().await.map_err(unknown)?;
    let routers =
        routers.into_iter().map(|SiteRouter { name, reads_to }| v1::FormatReader { name, reads_to });
    Ok(v1::GetFormatResponse { format: exchange.format(), routers: routers.collect() })
}

/// To which format a site's record is to be raised; 0 says the newest there is.
pub(super) fn wished(exchange: &ExchangeHandle, to: u32) -> Result<u32, Status> {
    let (was, newest) = (exchange.format(), session::newest_format());
    let to = if to == 0 { newest } else { to };
    if to > newest {
        let mend = "name one that it writes, or ask a router of a later release";
        let reason = Reason { status: Code::FailedPrecondition, code: "FORMAT_UNKNOWN", mend };
        return Err(refusal::status(
            reason,
            &format!("this router writes formats up to {newest}, and not {to}"),
        ));
    }
    if to < was {
        let mend = "leave it: every router of the site reads it";
        let reason = Reason { status: Code::FailedPrecondition, code: "FORMAT_LOWER", mend };
        return Err(refusal::status(reason, &format!("the format in force is {was}, and is never lowered")));
    }
    Ok(to)
}

/// Raises it, if every router that may live reads it.
pub(super) async fn raise(exchange: &ExchangeHandle, to: u32) -> Result<Cursor, Status> {
    let routers = exchange.routers().await.map_err(unknown)?;
    let older: Vec<String> = routers
        .iter()
        .filter(|router| router.reads_to < to)
        .map(|SiteRouter { name, reads_to }| format!("{name} (up to {reads_to})"))
        .collect();
    if !older.is_empty() {
        let mend = "replace these by a release that reads it, or end them, and ask again after 15 s";
        let reason = Reason { status: Code::FailedPrecondition, code: "FORMAT_NOT_READ", mend };
        let message = format!("routers that serve this site do not read format {to}: {}", older.join(", "));
        return Err(refusal::status(reason, &message));
    }
    exchange.raise_format(to).await.map_err(refusal::refused)
}

fn unknown(fault: RollUnknown) -> Status {
    let mend = "ask again in a moment";
    let reason = Reason { status: Code::Unavailable, code: "ROLL_UNKNOWN", mend };
    refusal::status(reason, &fault.to_string())
}
