//! What the office did, and what is kept of a caller.

use crate::house::House;

const CALL: &str = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";

#[test]
fn what_was_done_is_in_the_audit_with_why() {
    let house = House::open();
    house.told(&["line", "close", "duty", "--for", "1h", "--why", "夜班少两人"]);
    let rows = house.object(&["audit", "list", "--object", "line:duty"])["items"].clone();
    let outcomes: Vec<&str> =
        rows.as_array().expect("rows").iter().filter_map(|row| row["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["done", "asked"], "{rows}");
    assert_eq!((rows[1]["why"].as_str(), rows[1]["role"].as_str()), (Some("夜班少两人"), Some("admin")));
    assert_eq!(rows[0]["refers_to"].to_string(), rows[1]["id"].as_str().expect("a number"));
    let table = house.told(&["audit", "list", "--from", "10m", "--limit", "1"]);
    assert!(table.starts_with("ROW ") && table.lines().count() == 2, "{table}");
    let long = "线".repeat(501);
    house.ask(&["line", "open", "duty", "--why", &long]).refused(2, &["--why", "500"]);
    house.ask(&["line", "open", "duty", "--why", " "]).refused(2, &["say why"]);
}

#[test]
fn the_audit_is_walked_and_its_head_is_kept() {
    let house = House::open();
    house.told(&["line", "close", "duty", "--for", "1h"]);
    let walked = house.ask(&["audit", "verify"]);
    let head = walked.out.trim().to_owned();
    assert!(walked.code == 0 && walked.err.contains("as they were written") && head.len() > 65, "{walked:?}");
    house.told(&["line", "open", "duty"]);
    assert_eq!(house.ask(&["audit", "verify", "--known", &head]).code, 0);
    let (number, hash) = head.split_once(':').expect("a row and its hash");
    let turned: String = hash.chars().rev().collect();
    let other = house.ask(&["audit", "verify", "--known", &format!("{number}:{turned}")]);
    assert!(other.code == 1 && other.err.contains("the audit is broken from row"), "{other:?}");
    let object = house.ask(&["audit", "verify", "--known", &format!("9999:{hash}"), "-o", "json"]);
    assert!(object.code == 1 && object.out.contains("cut_short"), "{object:?}");
    house.ask(&["audit", "verify", "--known", "nonsense"]).refused(2, &["hotline audit verify"]);
    house
        .ask(&[
            "audit",
            "list",
            "--token-file",
            house.write_private("s.token", &house.token("supervisor")).to_str().expect("text"),
        ])
        .refused(4, &["role"]);
}

#[test]
fn a_caller_is_seen_exported_and_forgotten_for_a_reason() {
    let house = House::open();
    house.ring(&[(CALL, "duty")]);
    let number = format!("138{CALL}");
    let why = ["--reason", "wrong department"];
    house.ask(&["call", "reveal", CALL]).refused(2, &["--reason"]);
    assert_eq!(house.told(&[&["call", "reveal", &CALL[..6]], &why[..]].concat()), format!("{number}\n"));
    let seen = house.object(&["audit", "list"])["items"].clone();
    assert!(seen.to_string().contains("wrong department"), "{seen}");
    house.hang_up(CALL);
    let export = [&["privacy", "export", "--number", &number], &why[..]].concat();
    let kept =
        house.until(&export, |kept| kept["item"]["calls"].as_array().is_some_and(|calls| !calls.is_empty()));
    assert_eq!(
        (kept["item"]["number"].as_str(), kept["item"]["calls"][0]["id"].as_str()),
        (Some(&*number), Some(CALL))
    );
    let caller = kept["item"]["id"].as_str().expect("a reference");
    let by_reference = house.object(&[&["privacy", "export", "--subject", caller], &why[..]].concat());
    assert_eq!(by_reference["item"]["id"], caller);
    let table = house.ask(&export);
    assert!(table.out.contains("the caller left while") && !table.out.contains("abandoned"), "{table:?}");
    let administrator = |id: &str| {
        let made = house.object(&["token", "create", "admin", id, "--yes"])["item"]["token"].clone();
        house.write_private(&format!("{id}.token"), made.as_str().expect("a token"))
    };
    let file = administrator("second");
    let asked = house.object(&[&["privacy", "erase", "--caller", caller], &why[..]].concat())["item"].clone();
    let id = asked["id"].as_str().expect("an id");
    assert_eq!(house.object(&["privacy", "list"])["items"][0]["id"], id);
    house.ask(&["privacy", "approve", id]).refused(2, &["cannot be undone"]);
    house.ask(&["privacy", "approve", id, "--yes"]).refused(4, &["another administrator"]);
    let third = administrator("third");
    let made_for_it = ["privacy", "approve", id, "--yes", "--token-file", third.to_str().expect("text")];
    house.ask(&made_for_it).refused(4, &["made after the erasure was asked for", "hotline privacy erase"]);
    let approve = ["privacy", "approve", id, "--yes", "--token-file", file.to_str().expect("text")];
    assert_eq!(house.object(&approve)["kind"], "erased");
    house.ask(&export).refused(1, &["number"]);
    house.ask(&["privacy", "approve", CALL, "--yes"]).refused(1, &["hotline privacy list"]);
}
