//! Requests that are no messages: the library blames itself for them; here they are the sender's mistakes, each with a
//! reason code and a mend.

use http::Response;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::refusal::{Reason, status};

/// What the library says, how it begins, and what it means.
const MISTAKES: &[(Code, &str, Reason)] = &[
    (
        Code::Internal,
        "failed to decode Protobuf message",
        Reason {
            status: Code::InvalidArgument,
            code: "MALFORMED_MESSAGE",
            mend: "send the message that proto/hotline/v1 describes: text in UTF-8, nothing deeper than 100 levels",
        },
    ),
    (
        Code::Internal,
        "Missing request message",
        Reason {
            status: Code::InvalidArgument,
            code: "MALFORMED_MESSAGE",
            mend: "send one message, even an empty one",
        },
    ),
    (
        Code::Internal,
        "protocol error",
        Reason {
            status: Code::InvalidArgument,
            code: "MALFORMED_MESSAGE",
            mend: "frame each message as gRPC does: a flag of 0 or 1, four bytes of length, the message",
        },
    ),
    (
        Code::Internal,
        "Error decompressing",
        Reason {
            status: Code::InvalidArgument,
            code: "MALFORMED_MESSAGE",
            mend: "compress with gzip, or not at all",
        },
    ),
    (
        Code::ResourceExhausted,
        "Error decompressing: size limit",
        Reason {
            status: Code::ResourceExhausted,
            code: "MESSAGE_TOO_LONG",
            mend: "send less at once: the limit is about the message before compression",
        },
    ),
    (
        Code::OutOfRange,
        "Error, decoded message length too large",
        Reason {
            status: Code::ResourceExhausted,
            code: "MESSAGE_TOO_LONG",
            mend: "send less at once, in several messages",
        },
    ),
];

/// The answer as it should be.
pub(crate) fn mended(response: Response<Body>) -> Response<Body> {
    // Only an answer that failed before it began has its status in the head.
    let Some(said) = Status::from_header_map(response.headers()) else { return response };
    let mistake = MISTAKES.iter().find(|(code, words, _)| {
        said.code() == *code && said.details().is_empty() && said.message().starts_with(words)
    });
    match mistake {
        Some((_, _, reason)) => status(*reason, said.message()).into_http(),
        None => response,
    }
}
