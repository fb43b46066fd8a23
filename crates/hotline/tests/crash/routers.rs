//! Two servers on one database, under load: whichever dies, its people go on at the other, and nobody is lost.

use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::database::Database;
use crate::hospital::{Staffing, until};
use crate::pair::Pair;
use crate::server::verify;

/// Takeovers in `./test`, and in the deep test.
const TAKEOVERS: usize = 12;
const TAKEOVERS_DEEP: usize = 50;
/// Everybody is back at some server within this time. Only a hang takes so long.
const BACK_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn whichever_router_dies_its_people_go_on_at_the_other() {
    let takeovers = match std::env::var("HOTLINE_DEPTH").as_deref() {
        Ok("deep") => TAKEOVERS_DEEP,
        _ => TAKEOVERS,
    };
    let database = Database::new();
    let mut pair = Pair::start(&database);
    let mut hospital = pair.hospital(Staffing::usual(29)).await;
    let mut chance = Chance::new(29);
    let mut first_offer = Vec::new();
    for takeover in 0..takeovers {
        tokio::time::sleep(Duration::from_millis(chance.between(0, 900))).await;
        let (dying, name) =
            if takeover % 2 == 0 { (&mut pair.first, "first") } else { (&mut pair.second, "second") };
        dying.kill();
        let killed = Instant::now();
        let offered = || hospital.witness.notes().last_offer.filter(|last| *last > killed);
        until("an offer at the other", BACK_WITHIN, || offered().is_some()).await;
        first_offer.push(offered().expect("there is one") - killed);
        until("everybody is at the other", BACK_WITHIN, || hospital.everybody_is_attached()).await;
        let findings = hospital.settle(&pair.first).await;
        println!("takeover {takeover} of the {name}: settled after {} ms", killed.elapsed().as_millis());
        assert!(findings.is_clean(), "takeover {takeover}: {findings}\n{}", hospital.witness.refusals());
        let dead = if takeover % 2 == 0 { &mut pair.first } else { &mut pair.second };
        assert!(dead.start(None), "it starts beside the other");
    }
    verify(&pair.first);
    first_offer.sort_unstable();
    println!(
        "{takeovers} takeovers, {} calls, {} decisions, {} offers; 0 lost, 0 doubly connected, 0 phantom, 0 unbalanced; \
         from a kill to the next offer: median {} ms, longest {} ms\n{}",
        hospital.books.calls(),
        hospital.books.seq().0,
        hospital.books.offers(),
        first_offer[first_offer.len() / 2].as_millis(),
        first_offer[first_offer.len() - 1].as_millis(),
        hospital.witness.refusals(),
    );
}
