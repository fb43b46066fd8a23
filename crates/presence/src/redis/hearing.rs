//! Hears the hints of other routers, on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{PubSub, PubSubSink};
use ::redis::{Msg, RedisError, Value};
use futures_util::StreamExt;
use switchboard::id::Seq;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Shared;
use super::board::{channel, site_of};
use super::contact::Way;
use super::fault::RedisFault;
use super::line::{RESPONSE_LIMIT, listen, slow};
use super::writing::Waits;
use crate::HEARTBEAT;

/// For as long as the process has use for it.
pub(crate) async fn hear(shared: Arc<Shared>) {
    let mut waits = Waits::new();
    for attempt in 0.. {
        let fault = match listen(&shared.address, attempt).await {
            Ok(line) => keep_hearing(&shared, line, &mut waits).await,
            Err(fault) => fault,
        };
        // The connection that writes tells the log.
        shared.health.fails(Way::Hearing, fault);
        sleep(waits.step()).await;
    }
}

/// Until something fails.
async fn keep_hearing(shared: &Shared, line: PubSub, waits: &mut Waits) -> RedisFault {
    let (mut sink, mut messages) = line.split();
    let mut sites = shared.sites.subscribe();
    let mut subscribed = 0;
    let mut ping_at = Instant::now() + Duration::from_micros(HEARTBEAT.0);
    // With no site yet nobody would notice that nothing can be heard.
    if let Err(fault) = ping(&mut sink).await {
        return fault;
    }
    loop {
        sites.borrow_and_update();
        if let Err(fault) = subscribe(shared, &mut sink, &mut subscribed).await {
            return fault;
        }
        waits.reset();
        shared.health.works(Way::Hearing);
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => note(shared, &message),
                None => return RedisFault::Unreachable("the connection ended".to_owned()),
            },
            // The sender lives as long as this.
            _changed = sites.changed() => {}
            () = sleep_until(ping_at) => {
                ping_at = Instant::now() + Duration::from_micros(HEARTBEAT.0);
                if let Err(fault) = ping(&mut sink).await {
                    return fault;
                }
            }
        }
    }
}

async fn ping(sink: &mut PubSubSink) -> Result<(), RedisFault> {
    let answer = in_time(sink.ping::<Value>()).await?;
    answer.extract_error().map(drop).map_err(|fault| RedisFault::of(&fault))
}

/// Sites only come.
async fn subscribe(shared: &Shared, sink: &mut PubSubSink, subscribed: &mut usize) -> Result<(), RedisFault> {
    let boards = shared.boards();
    let fresh: Vec<String> = boards.iter().skip(*subscribed).map(|board| channel(board.site)).collect();
    if !fresh.is_empty() {
        in_time(sink.subscribe(fresh)).await?;
    }
    *subscribed = boards.len();
    Ok(())
}

/// Whatever it says, the journal says what is: a hint only makes somebody look.
fn note(shared: &Shared, message: &Msg) {
    let Ok(seq) = message.get_payload::<u64>() else { return };
    let name = message.get_channel_name();
    let sites = shared.sites.borrow();
    if let Some(board) = site_of(name).and_then(|site| sites.iter().find(|board| board.site == site)) {
        board.hint.send_replace(Seq(seq));
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisFault> {
    match timeout(RESPONSE_LIMIT, work).await {
        Ok(done) => done.map_err(|fault| RedisFault::of(&fault)),
        Err(_) => Err(slow(RESPONSE_LIMIT)),
    }
}
