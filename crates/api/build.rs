//! Turns `proto/` into Rust, and keeps its description for reflection and for the method table.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message;

const PROTO_ROOT: &str = "../../proto";

const FILES: [&str; 14] = [
    "hotline/v1/types.proto",
    "hotline/v1/board.proto",
    "hotline/v1/desk.proto",
    "hotline/v1/explanation.proto",
    "hotline/v1/gateway.proto",
    "hotline/v1/operator.proto",
    "hotline/v1/supervisor.proto",
    "hotline/v1/admin.proto",
    "hotline/v1/audit.proto",
    "hotline/v1/clock.proto",
    "hotline/v1/history.proto",
    "hotline/v1/roster.proto",
    "hotline/v1/session.proto",
    "hotline/v1/site.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO_ROOT}");
    let descriptors = protox::compile(FILES, [PROTO_ROOT])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("hotline.v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .codec_path("crate::codec::SmallBuffers")
        .skip_debug([
            "hotline.v1.Arrival",
            "hotline.v1.AddOperatorResponse",
            "hotline.v1.CreateSiteResponse",
            "hotline.v1.IssueTokenResponse",
            "hotline.v1.InviteOperatorResponse",
            "hotline.v1.RedeemInviteRequest",
            "hotline.v1.RedeemInviteResponse",
            "hotline.v1.RevealCallerResponse",
            "hotline.v1.ExportSubjectResponse",
            "hotline.v1.SubjectRef",
        ])
        .compile_fds(descriptors)?;
    Ok(())
}
