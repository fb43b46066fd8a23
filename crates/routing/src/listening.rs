//! Listeners: connections come in, get TLS where it is spoken, and go to the server as one stream.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use crate::figures::{Counted, Figures};
use crate::readers::Hold;
use crate::tls::Tls;

/// Whoever has not finished the handshake by then is not coming.
const HANDSHAKE_AT_LATEST: Duration = Duration::from_secs(10);

/// Whoever has not said a word by then has nothing to say, and holds a place.
const FIRST_WORD_AT_LATEST: Duration = Duration::from_secs(10);

/// After a fault of the machine (no more files, no memory) nothing better than to wait a little.
const AFTER_FAULT: Duration = Duration::from_millis(100);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    address: SocketAddr,
    /// The connection.
    pub(crate) hold: Arc<Hold>,
}

impl Peer {
    /// The address without its port; of a request that came without a connection, nobody's.
    pub(crate) fn ip(peer: Option<&Peer>) -> IpAddr {
        peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip().to_canonical())
    }
}

/// What every listener needs.
#[derive(Clone)]
pub(crate) struct Reception {
    pub(crate) tls: Option<Tls>,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) stopped: watch::Receiver<bool>,
    /// True when no connection is waited for any more.
    pub(crate) cut: watch::Receiver<bool>,
}

/// Connections of all these listeners, until the router stops.
pub(crate) fn incoming(
    listeners: Vec<TcpListener>,
    reception: &Reception,
) -> ReceiverStream<io::Result<Wire>> {
    let (arrived, incoming) = mpsc::channel(16);
    for listener in listeners {
        tokio::spawn(receive(listener, reception.clone(), arrived.clone()));
    }
    ReceiverStream::new(incoming)
}

async fn receive(listener: TcpListener, reception: Reception, arrived: mpsc::Sender<io::Result<Wire>>) {
    loop {
        let next = async {
            let place = Arc::clone(&reception.places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = is_true(reception.stopped.clone()) => return,
        };
        let Ok(place) = place else { return };
        match accepted {
            Ok((stream, address)) => {
                let (reception, arrived) = (reception.clone(), arrived.clone());
                tokio::spawn(async move {
                    match reception.greet(stream, address, place).await {
                        // Nobody takes it when the router has stopped.
                        Ok(wire) => drop(arrived.send(Ok(wire)).await),
                        Err(fault) => {
                            reception.figures.handshakes_failed.inc();
                            tracing::debug!(peer = %address.ip(), %fault, "a connection was not taken");
                        }
                    }
                });
            }
            Err(fault) => {
                tracing::warn!(%fault, "a connection could not be accepted");
                tokio::time::sleep(AFTER_FAULT).await;
            }
        }
    }
}

impl Reception {
    async fn greet(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> io::Result<Wire> {
        stream.set_nodelay(true)?;
        let stream: Box<dyn Bytes> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => {
                let handshake = TlsAcceptor::from(tls.config()).accept(stream);
                let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
                let stream: TlsStream<TcpStream> =
                    timeout(HANDSHAKE_AT_LATEST, handshake).await.map_err(late)??;
                Box::new(stream)
            }
        };
        let counted = Counted::up(&self.figures.connections);
        let silent_until = Some(Box::pin(sleep(FIRST_WORD_AT_LATEST)));
        Ok(Wire {
            stream,
            silent_until,
            cut: Some(Box::pin(is_true(self.cut.clone()))),
            peer: Peer { address, hold: Arc::default() },
            _place: place,
            _counted: counted,
        })
    }
}

/// Resolves when it is told so; an error means that the router was dropped without a word: it goes on.
pub(crate) async fn is_true(mut told: watch::Receiver<bool>) {
    if told.wait_for(|told| *told).await.is_err() {
        std::future::pending::<()>().await;
    }
}

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Bytes for S {}

/// One connection, in the clear or not.
pub(crate) struct Wire {
    stream: Box<dyn Bytes>,
    /// Until the first word.
    silent_until: Option<Pin<Box<Sleep>>>,
    /// Until all are let go of.
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    peer: Peer,
    _place: OwnedSemaphorePermit,
    _counted: Counted,
}

impl Connected for Wire {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(cut) = &mut self.cut
            && cut.as_mut().poll(context).is_ready()
        {
            self.cut = None;
            self.peer.hold.let_go();
        }
        if self.peer.hold.poll_let_go(context).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "it was let go of")));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.silent_until = None;
        } else if let Some(until) = &mut self.silent_until
            && read.is_pending()
            && until.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "not a word")));
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
