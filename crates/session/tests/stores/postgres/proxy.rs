//! A way to the server on which answers can be lost: what was asked arrives all the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Answers {
    Arrive,
    /// The connection is cut in their place.
    AreCut,
    /// Nothing is heard, and the connection stays.
    AreHeld,
}

/// A proxy before a server.
pub(super) struct Proxy {
    at: SocketAddr,
    answers: Arc<AtomicU8>,
}

impl Proxy {
    /// Before the server of this address.
    pub(super) async fn before(url: &str) -> Proxy {
        let (_, server) = parts(url);
        let server = server.to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let at = listener.local_addr().expect("its address");
        let answers = Arc::new(AtomicU8::new(Answers::Arrive as u8));
        let shared = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(asked(from_client, to_server));
                tokio::spawn(answered(from_server, to_client, Arc::clone(&shared)));
            }
        });
        Proxy { at, answers }
    }

    /// The same database behind the proxy.
    pub(super) fn url(&self, url: &str) -> String {
        let (_, server) = parts(url);
        url.replace(server, &self.at.to_string())
    }

    pub(super) fn set(&self, answers: Answers) {
        self.answers.store(answers as u8, Ordering::SeqCst);
    }
}

/// Who asks, and host and port.
fn parts(url: &str) -> (&str, &str) {
    let (who, rest) = url.rsplit_once('@').expect("an address with a user");
    (who, rest.split('/').next().unwrap_or_default())
}

async fn asked(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    // Ends when either side does.
    let _copied = tokio::io::copy(&mut from, &mut to).await;
}

async fn answered(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, answers: Arc<AtomicU8>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let now = answers.load(Ordering::SeqCst);
        if now == Answers::AreCut as u8 {
            return;
        }
        if now == Answers::Arrive as u8 && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
