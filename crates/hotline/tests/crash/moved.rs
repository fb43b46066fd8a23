//! An address that is moved from one server to another, as a cluster's is when another server takes over.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// It stays the same, and leads to one server of this machine after another.
pub(crate) struct Address {
    port: u16,
    to: watch::Sender<u16>,
    accepting: JoinHandle<()>,
}

impl Address {
    /// Leads to this port at first.
    pub(crate) async fn of(port: u16) -> Address {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let to = watch::Sender::new(port);
        let accepting = tokio::spawn(accept(listener, to.subscribe()));
        Address { port: own, to, accepting }
    }

    /// The same database by this way.
    pub(crate) fn before(&self, url: &str) -> String {
        let port = *self.to.borrow();
        url.replace(&format!(":{port}/"), &format!(":{}/", self.port))
    }

    /// Leads there from here on. Whoever was connected is not any more.
    pub(crate) fn moves_to(&self, port: u16) {
        self.to.send_replace(port);
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, to: watch::Receiver<u16>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut to = to.clone();
        let port = *to.borrow_and_update();
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            let _immediate = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
            tokio::select! {
                _ended = copy_bidirectional(&mut near, &mut far) => {}
                _moved = to.changed() => {}
            }
        });
    }
}
