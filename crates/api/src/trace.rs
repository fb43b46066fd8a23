use std::fmt;
use std::str::FromStr;

use tonic::metadata::{Ascii, BinaryMetadataValue, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::token::Bearer;

/// A place in the caller's own trace, as the W3C writes it: what the server does for the caller goes on from there.
#[derive(Debug, Clone)]
pub struct Traceparent(MetadataValue<Ascii>);

/// The text is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceparentFault;

impl fmt::Display for TraceparentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a traceparent is 00-TRACE-SPAN-FLAGS, with 32, 16 and 2 digits of lower-case hexadecimal",
        )
    }
}

impl std::error::Error for TraceparentFault {}

impl FromStr for Traceparent {
    type Err = TraceparentFault;

    fn from_str(text: &str) -> Result<Traceparent, TraceparentFault> {
        let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        if lengths != [2, 32, 16, 2] || parts[0] != "00" || !parts.into_iter().all(is_hex) {
            return Err(TraceparentFault);
        }
        Ok(Traceparent(text.parse().map_err(|_| TraceparentFault)?))
    }
}

/// What is sent with every request.
#[derive(Debug, Clone)]
pub struct Beside {
    /// None of whoever has no token yet.
    pub(crate) bearer: Option<Bearer>,
    pub(crate) traceparent: Option<Traceparent>,
    pub(crate) why: Option<BinaryMetadataValue>,
}

impl Interceptor for Beside {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let mut request = match &mut self.bearer {
            Some(bearer) => bearer.call(request)?,
            None => request,
        };
        if let Some(Traceparent(traceparent)) = &self.traceparent {
            request.metadata_mut().insert("traceparent", traceparent.clone());
        }
        if let Some(why) = &self.why {
            request.metadata_mut().insert_bin("hotline-why-bin", why.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn it_is_sent_beside_the_token() {
        let bearer = Bearer::new("hl_op-1_abc").expect("a token");
        let traceparent = Some(PLACE.parse().expect("a traceparent"));
        let request =
            Beside { bearer: Some(bearer), traceparent, why: None }.call(Request::new(())).expect("accepted");
        assert_eq!(request.metadata().get("authorization").expect("sent"), "Bearer hl_op-1_abc");
        assert_eq!(request.metadata().get("traceparent").expect("sent"), PLACE);
    }

    #[test]
    fn what_is_none_is_refused() {
        let upper = PLACE.to_uppercase();
        let later = PLACE.replacen("00", "01", 1);
        for text in ["", "00", &PLACE[1..], &upper, &later, &format!("{PLACE}-00"), &PLACE.replace('b', "g")]
        {
            assert_eq!(text.parse::<Traceparent>().expect_err(text), TraceparentFault);
        }
    }
}
