//! Between the wire and the switchboard's words. What comes in is checked field by field, and a refusal names the
//! field; what goes out cannot fail.

mod board;
mod call;
mod desk;
mod explanation;
mod facts;
mod field;
mod operator;
mod plan;
mod principal;
mod treatment;
mod words;

pub(crate) use self::board::{board, redis_state};
pub(crate) use self::call::{closed_summary, open_summary, recorded_call};
pub(crate) use self::desk::desk;
pub(crate) use self::explanation::{explained_call, explained_operator};
pub(crate) use self::facts::{Reported, calls, reach, reported};
pub(crate) use self::field::{
    Invalid, bad_page, caller, calls_that_begin, code, invalid_status, name, optional_code, optional_name,
    optional_span_ms, page_size, present, request, span_ms, uuid,
};
pub(crate) use self::operator::{
    expected_profile, offer, offer_ref, profile, shown_profile, transfer_target,
};
pub(crate) use self::plan::{changes, complaint, complaints, gaps, gateway_plan};
pub(crate) use self::principal::{principal_ref, who};
pub(crate) use self::treatment::treatment;
pub(crate) use self::words::{asked_outcome, class, duty, force};
