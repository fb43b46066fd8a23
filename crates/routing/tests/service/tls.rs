//! TLS over a real socket: who is trusted, and keys that change while somebody is connected.

use api::v1::{self, TreatmentShape as Shape};
use api::{Client, GatewayFeed};
use rcgen::{CertificateParams, KeyPair};
use routing::{BadTlsKeys, Tls, TlsKeys};
use tonic::Code;

use crate::hospital::{Hospital, arrival, bearer, in_time, new_call};

/// A certificate that is its own authority, and its key.
fn pems() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

fn keys((certificate, key): &(String, String)) -> TlsKeys {
    TlsKeys::from_pem(certificate.as_bytes(), key.as_bytes()).expect("they go together")
}

async fn client(hospital: &Hospital, authority: &str) -> Client {
    let token = hospital.token("gateway", "gw-1").await;
    let address = format!("https://localhost:{}", hospital.router.address().port());
    Client::trusting(&address, bearer(&token), authority).expect("an address")
}

#[tokio::test]
async fn keys_are_replaced_while_a_stream_goes_on() {
    let (old, new) = (pems(), pems());
    let tls = Tls::new(keys(&old));
    let served = tls.clone();
    let hospital = Hospital::with(|config| config.tls = Some(served)).await;
    let before = client(&hospital, &old.0).await;
    let mut stream = before.attach(GatewayFeed { incarnation: 1, reaches: None, inventory: Vec::new });
    in_time(stream.next()).await.expect("attached over TLS");

    tls.replace(keys(&new));
    let call = new_call();
    let facts = vec![v1::Fact { fact: Some(arrival(&call, "duty", "1")) }];
    before.send(v1::ReportRequest { facts }).await.expect("on the connection that is open");
    loop {
        let message = in_time(stream.next()).await.expect("the stream goes on").into_message();
        if message.treatments.iter().any(|t| t.call_id == call && t.shape() == Shape::Divert) {
            break;
        }
    }
    let report = v1::ReportRequest::default();
    let after = client(&hospital, &new.0).await;
    in_time(after.gateway().report(report.clone())).await.expect("the new keys are served");
    let late = client(&hospital, &old.0).await;
    let status = in_time(late.gateway().report(report)).await.expect_err("the old keys are gone");
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

#[tokio::test]
async fn nothing_is_said_in_the_clear() {
    let hospital = Hospital::with(|config| config.tls = Some(Tls::new(keys(&pems())))).await;
    let status =
        in_time(hospital.admin.admin().get_plan(v1::GetPlanRequest::default())).await.expect_err("no TLS");
    assert!(matches!(status.code(), Code::Unavailable | Code::Unknown), "{status:?}");
}

#[test]
fn keys_that_cannot_be_served_are_refused_without_showing_them() {
    let (certificate, key) = pems();
    let (_, other) = pems();
    let secret = key.lines().nth(1).expect("a line of the key").to_owned();
    let read = |certificate: &str, key: &str| {
        TlsKeys::from_pem(certificate.as_bytes(), key.as_bytes()).expect_err("refused")
    };
    assert_eq!(read("", &key), BadTlsKeys::NoCertificate);
    assert_eq!(read(&key, &key), BadTlsKeys::NoCertificate);
    assert!(matches!(read(&certificate, ""), BadTlsKeys::Key(_)));
    assert!(matches!(read(&certificate, &certificate), BadTlsKeys::Key(_)));
    assert!(matches!(read(&certificate, &other), BadTlsKeys::Mismatch(_)));
    let torn = certificate.replace("MII", "MI!");
    assert!(matches!(read(&torn, &key), BadTlsKeys::Certificate(_)));
    for said in [read("", &key), read(&certificate, &other), read(&torn, &key)] {
        assert!(!said.to_string().contains(&secret), "{said}");
    }
    let keys = keys(&(certificate, key));
    assert!(!format!("{keys:?}").contains(&secret));
}
