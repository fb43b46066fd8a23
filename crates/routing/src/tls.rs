//! TLS for listeners: keys as PEM, and a place for them that can be refilled while connections are open.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;

/// A certificate with its chain, and its private key.
#[derive(Clone)]
pub struct TlsKeys {
    config: Arc<ServerConfig>,
    ends: SystemTime,
}

/// Why a certificate and a key are not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTlsKeys {
    /// The certificates' text has none.
    #[error("there is no certificate in it; it should begin with '-----BEGIN CERTIFICATE-----'")]
    NoCertificate,
    /// The certificates' text is damaged.
    #[error("the certificate cannot be read: {0}")]
    Certificate(String),
    /// The key's text has none, or a damaged one.
    #[error("the private key cannot be read: {0}; it should begin with '-----BEGIN PRIVATE KEY-----'")]
    Key(String),
    /// The key is of another certificate, or of a kind that is not served.
    #[error("certificate and private key do not go together: {0}")]
    Mismatch(String),
}

impl TlsKeys {
    /// From PEM texts: the server's certificate, then the rest of its chain; and its key.
    ///
    /// # Errors
    /// [`BadTlsKeys`]; never with a word of the key.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<TlsKeys, BadTlsKeys> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|fault| BadTlsKeys::Certificate(fault.to_string()))?;
        let ends = end_of(chain.first().ok_or(BadTlsKeys::NoCertificate)?)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|fault| BadTlsKeys::Key(fault.to_string()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mismatch = |fault: rustls::Error| BadTlsKeys::Mismatch(fault.to_string());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(mismatch)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(mismatch)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsKeys { config: Arc::new(config), ends })
    }

    /// When the certificate ends.
    pub fn ends(&self) -> SystemTime {
        self.ends
    }
}

impl fmt::Debug for TlsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsKeys(…)")
    }
}

fn end_of(certificate: &CertificateDer<'_>) -> Result<SystemTime, BadTlsKeys> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|fault| BadTlsKeys::Certificate(fault.to_string()))?;
    let seconds = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The names and addresses that a certificate is for, in its own order; the first of a PEM text with several.
///
/// # Errors
/// [`BadTlsKeys`]: there is none, or it cannot be read.
pub fn certificate_names(certificates: &[u8]) -> Result<Vec<String>, BadTlsKeys> {
    let first = CertificateDer::pem_slice_iter(certificates).next().ok_or(BadTlsKeys::NoCertificate)?;
    let unread = |fault: &dyn fmt::Display| BadTlsKeys::Certificate(fault.to_string());
    let first = first.map_err(|fault| unread(&fault))?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&first).map_err(|fault| unread(&fault))?;
    let names = parsed.subject_alternative_name().map_err(|fault| unread(&fault))?;
    Ok(names.iter().flat_map(|names| &names.value.general_names).filter_map(name_of).collect())
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from).ok();
            let v6 = || <[u8; 16]>::try_from(*bytes).map(IpAddr::from).ok();
            v4.or_else(v6).map(|address| address.to_string())
        }
        _ => None,
    }
}

/// The keys in use. Clones share them.
#[derive(Debug, Clone)]
pub struct Tls(Arc<RwLock<TlsKeys>>);

impl Tls {
    /// With these keys.
    pub fn new(keys: TlsKeys) -> Tls {
        Tls(Arc::new(RwLock::new(keys)))
    }

    /// Connections from here on get these keys; those that are open keep theirs.
    pub fn replace(&self, keys: TlsKeys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// When the certificate in use ends.
    pub fn ends(&self) -> SystemTime {
        self.0.read().unwrap_or_else(PoisonError::into_inner).ends
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).config)
    }
}
