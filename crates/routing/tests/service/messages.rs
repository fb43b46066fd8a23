//! Messages that are none: each gets the status of a sender's mistake, and the connection goes on.

use api::v1;
use api::v1::admin_service_client::AdminServiceClient;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::hospital::{Hospital, bearer, in_time, reason};

/// Sends bytes as they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        let left = bytes::Buf::remaining(buffer);
        bytes::Buf::advance(buffer, left);
        Ok(Some(()))
    }
}

async fn connect(hospital: &Hospital) -> Channel {
    Channel::from_shared(hospital.address.clone()).expect("an address").connect().await.expect("connected")
}

async fn send(channel: &Channel, token: &str, method: &str, message: Vec<u8>) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel.clone());
    in_time(grpc.ready()).await.expect("connected");
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    let path = PathAndQuery::try_from(format!("/hotline.v1.{method}")).expect("a path");
    in_time(grpc.unary(request, path, Raw)).await.map(drop)
}

/// A group in a group in a group, of a field that nobody knows.
fn deep(levels: usize) -> Vec<u8> {
    // Field 1,000: "begins" is wire type 3, "ends" is 4.
    let (begins, ends) = ([0xc3, 0x3e], [0xc4, 0x3e]);
    [begins.repeat(levels), ends.repeat(levels)].concat()
}

#[tokio::test]
async fn what_is_no_message_is_the_senders_mistake() {
    let hospital = Hospital::open().await;
    let channel = connect(&hospital).await;
    let gateway = hospital.token("gateway", "gw-2").await;
    let admin = hospital.token("admin", "eve").await;
    let operator = hospital.add("ana", v1::DeviceKind::Ring, &["duty"]).await;
    drop(operator);
    let ana = hospital.token("operator", "ana").await;
    let before = hospital.exchange.cursor();
    let kib = 1_024;
    let (malformed, too_long) =
        ((Code::InvalidArgument, "MALFORMED_MESSAGE"), (Code::ResourceExhausted, "MESSAGE_TOO_LONG"));
    let pause = ("OperatorService/Pause", &ana);
    let report = ("GatewayService/Report", &gateway);
    let validate = ("AdminService/ValidatePlan", &admin);
    let cases = [
        ("bad UTF-8", pause, vec![0x12, 1, 0xff], malformed),
        ("cut short", pause, vec![0x12, 9, b'a'], malformed),
        ("another kind", pause, vec![0x10, 1], malformed),
        ("no fields at all", report, vec![0xff; 40], malformed),
        ("deep", report, deep(50_000), malformed),
        ("long", report, vec![0; 256 * kib + 1], too_long),
        ("very long", validate, vec![0; 2_048 * kib], too_long),
    ];
    for (what, (method, token), message, expected) in cases {
        let status = send(&channel, token, method, message).await.expect_err(what);
        assert_eq!((status.code(), reason(&status).as_str()), expected, "{what}: {status:?}");
    }
    assert_eq!(hospital.exchange.cursor(), before, "nothing changed");
    send(&channel, &admin, "AdminService/GetPlan", Vec::new()).await.expect("the connection goes on");
}

#[tokio::test]
async fn a_compressed_message_is_measured_unpacked() {
    let hospital = Hospital::open().await;
    let channel = connect(&hospital).await;
    let token = hospital.token("admin", "eve").await;
    let mut client = AdminServiceClient::with_interceptor(channel, bearer(&token))
        .send_compressed(CompressionEncoding::Gzip);
    let good = v1::ValidatePlanRequest { text: plan::HOSPITAL.into() };
    let reply = client.validate_plan(good).await.expect("unpacked").into_inner();
    assert!(reply.complaints.is_empty());

    // 64 MiB that are 64 KiB on the wire.
    let bomb = v1::ValidatePlanRequest { text: "#".repeat(64 << 20) };
    let status = in_time(client.validate_plan(bomb)).await.expect_err("not unpacked");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LONG"));
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let hospital = Hospital::open().await;
    let long = "hl_".to_owned() + &"0".repeat(64 * 1_024);
    let client = hospital.admin.with_token(bearer(&long));
    let status = in_time(client.admin().get_plan(v1::GetPlanRequest::default())).await.expect_err("refused");
    assert_ne!(status.code(), Code::Ok);
    hospital.admin.send(v1::GetPlanRequest::default()).await.expect("others are served");
}
