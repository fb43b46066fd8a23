//! Hears how far other routers say that this site's journal is, and has its tail read.

use std::sync::Arc;

use switchboard::id::Seq;
use tokio::sync::watch;

use crate::handle::Shared;

/// Until the exchange ends, or no hint can come any more.
pub(crate) async fn hear(shared: Arc<Shared>, mut hints: watch::Receiver<Seq>) {
    let mut head = shared.published.watch();
    loop {
        // An error means that the exchange ended without a word.
        let ended = async { head.wait_for(|head| head.ended).await.map(drop).ok() };
        tokio::select! {
            _ended = ended => return,
            heard = hints.changed() => {
                if heard.is_err() {
                    return;
                }
            }
        }
        let seq = *hints.borrow_and_update();
        shared.hear_of(seq);
    }
}
