use std::collections::BTreeSet;

use serde_json::Value;

use crate::house::House;

const CALL: &str = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";
const NUMBER: &str = "1380190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";
const LATER: &str = "0290a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a12";

fn fields(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                into.insert(name.clone());
                // A decision is in the journal's own encoding, arguments and outcomes are named by what they are of.
                if !matches!(name.as_str(), "decision" | "arguments" | "outcomes" | "before" | "after") {
                    fields(inner, into);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, into)),
        _ => {}
    }
}

/// The kinds in the table of the page.
fn kinds(page: &str) -> BTreeSet<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// A call that the switchboard no longer remembers.
fn closed_long_ago() -> Value {
    let house = House::open_with(&["--clock", "stepped", "--seed", "7"]);
    house.ring(&[(CALL, "duty")]);
    house.hang_up(CALL);
    house.step(3_600_000_000);
    house.ring(&[(LATER, "duty")]);
    house.until(&["call", "list", "--closed"], |list| {
        list["items"].as_array().is_some_and(|all| !all.is_empty())
    });
    house.object(&["call", "show", CALL])
}

#[test]
fn every_object_has_a_version_and_a_kind_and_every_field_is_on_the_page() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.ring(&[(CALL, "duty")]);
    house.write("less.toml", &plan::HOSPITAL.replace("max_waiting = 80 ", "max_waiting = 90 "));
    house.write(
        "roster.toml",
        "[shifts]\nday = { from = \"08:00\", to = \"12:00\" }\n\n[weekly]\nli-na = \"daily day\"\n",
    );
    // Before anybody asks for an erasure, which the second administrator approves below.
    let second = house.object(&["token", "create", "admin", "second", "--yes"])["item"]["token"].clone();
    house.write_private("second.token", second.as_str().expect("a token"));
    let page = include_str!("../../../../docs/json.md");
    let commands: [&[&str]; 54] = [
        &["line", "list"],
        &["plan", "history"],
        &["token", "list"],
        &["line", "show", "duty"],
        &["line", "close", "duty", "--for", "1h"],
        &["line", "open", "duty"],
        &["line", "divert", "emergency", "--to", "duty-phone", "--for", "1h"],
        &["line", "divert", "emergency", "--end"],
        &["line", "remove", "outpatient-2", "--dry-run"],
        &["operator", "list"],
        &["operator", "show", "li-na"],
        &["operator", "why", "li-na"],
        &["team", "list"],
        &["call", "list"],
        &["call", "show", CALL],
        &["call", "why", CALL],
        &["call", "move", CALL, "--to", "comfort"],
        &["board"],
        &["plan", "apply", "-f", "less.toml", "--migrate", "--dry-run"],
        &["events", "tail", "--limit", "1"],
        &["token", "create", "gateway", "gw-9", "--yes"],
        &["operator", "resume", "li-na"],
        &["operator", "pause", "li-na", "--for", "5m"],
        &["operator", "off", "li-na"],
        &["operator", "change", "li-na", "--skill", "cantonese"],
        &["operator", "invite", "li-na"],
        &["operator", "add", "wang"],
        &["operator", "remove", "wang", "--yes"],
        &["operator", "why", "li-na", "--at", "3"],
        &["call", "list", "--closed"],
        &["call", "reveal", CALL, "--reason", "x"],
        &["plan", "validate", "-f", "less.toml"],
        &["roster", "validate", "-f", "roster.toml"],
        &["roster", "apply", "-f", "roster.toml", "--yes"],
        &["roster", "get"],
        &["roster", "due", "--ahead", "1d"],
        &["line", "add", "new", "--zh", "新", "--en", "New", "--yes"],
        &["line", "remove", "new", "--yes"],
        &["team", "add", "new", "--zh", "新", "--en", "New", "--yes"],
        &["team", "remove", "new", "--yes"],
        &["audit", "list"],
        &["audit", "verify"],
        &["privacy", "export", "--number", NUMBER, "--reason", "x"],
        &["privacy", "erase", "--number", NUMBER, "--reason", "x"],
        &["privacy", "list"],
        &["site", "list"],
        &["site", "raise-format", "main", "--dry-run"],
        &["site", "create", "north"],
        &["site", "retire", "north", "--yes"],
        &["token", "revoke", "gateway", "gw-9", "--yes"],
        &["plan", "get"],
        &["plan", "apply", "-f", "less.toml", "--yes"],
        &["plan", "diff", "-f", "less.toml"],
        &["plan", "rollback", "1", "--yes"],
    ];
    let mut objects: Vec<Value> = commands.iter().map(|command| house.object(command)).collect();
    house.hang_up(CALL);
    let erasure = house.object(&["privacy", "list"])["items"][0]["id"].clone();
    let erasure = erasure.as_str().expect("an id");
    objects.push(house.object(&["privacy", "approve", erasure, "--yes", "--token-file", "second.token"]));
    // Whatever it finds on this machine.
    let doctor = house.ask(&["doctor", "--data", "data", "-o", "json"]);
    objects.push(serde_json::from_str(&doctor.out).expect("one object"));
    objects.push(closed_long_ago());
    let (mut seen, mut unseen) = (BTreeSet::new(), kinds(page));
    for object in &objects {
        assert_eq!(object["version"], 1, "{object}");
        let kind = object["kind"].as_str().expect("a kind");
        assert!(page.contains(&format!("`{kind}`")), "{kind} is not in docs/json.md");
        unseen.remove(kind);
        fields(object, &mut seen);
    }
    assert!(unseen.is_empty(), "docs/json.md has kinds that no command said here: {unseen:?}");
    let missing: Vec<&String> = seen.iter().filter(|field| !page.contains(&format!("`{field}`"))).collect();
    assert!(missing.is_empty(), "docs/json.md does not say what these are: {missing:?}");
}

#[test]
fn yaml_says_what_json_says() {
    let house = House::open();
    let text = house.told(&["line", "show", "duty", "-o", "yaml"]);
    assert!(
        text.starts_with("item:\n  answerable: 0\n") && text.ends_with("kind: \"line\"\nversion: 1\n"),
        "{text}"
    );
    assert!(text.contains("  title:\n    en: \"Duty line\"\n    zh: \"值班热线\"\n"), "{text}");
}

#[test]
fn no_table_is_written_in_which_a_name_would_be_a_formula() {
    let house = House::open();
    house.told(&["team", "add", "sums", "--zh", "=1+1", "--en", "=1+1", "--yes"]);
    assert_eq!(house.object(&["team", "list"])["items"][1]["title"]["en"], "=1+1", "a text and nothing else");
    let yaml = house.told(&["team", "list", "-o", "yaml"]);
    assert!(yaml.contains("en: \"=1+1\""), "in quotes: {yaml}");
    // What a spreadsheet would read is no form of any command.
    for form in ["csv", "tsv"] {
        house.ask(&["team", "list", "-o", form]).refused(2, &[form, "table", "json"]);
    }
}
