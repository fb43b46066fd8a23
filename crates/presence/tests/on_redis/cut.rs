//! A wire that can be cut: whoever is connected through it hears nothing more, and nobody is told.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) struct Wire {
    pub(crate) port: u16,
    is_whole: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Wire {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let is_whole = watch::Sender::new(true);
        let accepting = tokio::spawn(accept(listener, port, is_whole.clone()));
        Wire { port: own, is_whole, accepting }
    }

    pub(crate) fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, port: u16, is_whole: watch::Sender<bool>) {
    let held = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    loop {
        let Ok((mut near, _)) = listener.accept().await else { return };
        let (mut whole, held) = (is_whole.subscribe(), Arc::clone(&held));
        tokio::spawn(async move {
            if *whole.borrow_and_update() {
                let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                tokio::select! {
                    _ended = copy_bidirectional(&mut near, &mut far) => return,
                    // Only a cut ends this: a half-open connection, on both sides.
                    _cut = whole.wait_for(|whole| !whole) => {}
                }
                held.lock().await.push(far);
            }
            held.lock().await.push(near);
        });
    }
}
