use std::fmt;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// A token, sent with every request. Never shown.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

/// The text is no token: it has characters that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BearerFault;

impl fmt::Display for BearerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token has characters that no token has; copy it again, without spaces or line ends")
    }
}

impl std::error::Error for BearerFault {}

impl Bearer {
    /// A token as the server gave it: `hl_<id>_<secret>`.
    ///
    /// # Errors
    /// When it has characters that cannot be sent.
    pub fn new(token: &str) -> Result<Bearer, BearerFault> {
        if !token.bytes().all(|b| b.is_ascii_graphic()) || token.is_empty() {
            return Err(BearerFault);
        }
        let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(|_| BearerFault)?;
        value.set_sensitive(true);
        Ok(Bearer(value))
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_and_not_shown() {
        let mut bearer = Bearer::new("hl_op-1_abc").expect("a token");
        let request = bearer.call(Request::new(())).expect("accepted");
        assert_eq!(request.metadata().get("authorization").expect("sent"), "Bearer hl_op-1_abc");
        assert_eq!(format!("{bearer:?}"), "Bearer(…)");
        assert!(!format!("{:?}", request.metadata()).contains("abc"));
    }

    #[test]
    fn line_ends_are_refused() {
        for text in ["", "hl_a_b\n", "hl a", "hl_a_\u{e9}"] {
            assert_eq!(Bearer::new(text).expect_err("no token"), BearerFault);
        }
    }
}
