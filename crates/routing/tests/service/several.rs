//! A client that knows several routers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::{BoardFeed, Client, v1};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::hospital::{Hospital, bearer, in_time};

/// A way to a router that can be closed, with every connection through it.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    pub(crate) open: JoinHandle<()>,
}

impl Door {
    pub(crate) async fn to(router: SocketAddr) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let open = tokio::spawn(async move {
            let mut through = JoinSet::new();
            while let Ok((mut inside, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                through.spawn(async move {
                    let mut outside = TcpStream::connect(router).await.expect("the router listens");
                    // Either end may break it off.
                    let _passed = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
                });
            }
        });
        Door { address, connections, open }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_client_of_several_routers_stays_with_one_and_goes_on_at_the_next() {
    let hospital = Hospital::open().await;
    let first = Door::to(hospital.router.address()).await;
    let second = Door::to(hospital.router.address()).await;
    let addresses = format!("http://{}, http://{}", first.address, second.address);
    let token = hospital.token("supervisor", "supervisor").await;
    let client = Client::new(&addresses, bearer(&token)).expect("addresses");
    let mut board = client.attach(BoardFeed { interval_ms: 0 });
    in_time(board.next()).await.expect("a board");
    for _ in 0..3 {
        in_time(client.send(v1::ListCallsRequest::default())).await.expect("answered");
    }
    assert_eq!((first.connections(), second.connections()), (1, 0), "one is enough");
    first.open.abort();
    in_time(client.send(v1::ListCallsRequest::default())).await.expect("answered by the next");
    in_time(board.next()).await.expect("the stream goes on there");
    assert_eq!(board.opened(), 2);
    assert_eq!((first.connections(), second.connections()), (1, 1));
    second.open.abort();
    let gone = client.clone().give_up_after(std::time::Duration::ZERO);
    in_time(gone.send(v1::ListCallsRequest::default())).await.expect_err("nobody is there");
}

#[tokio::test]
async fn what_is_no_address_is_refused_wherever_it_stands() {
    for addresses in ["", "http://127.0.0.1:1,", "http://127.0.0.1:1,not an address"] {
        let refused = Client::without_token(addresses).expect_err(addresses).to_string();
        assert!(refused.contains("a comma between several"), "{refused}");
    }
}
