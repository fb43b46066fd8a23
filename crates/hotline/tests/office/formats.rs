use std::collections::BTreeSet;

use serde_json::Value;

use crate::house::House;

const CALL: &str = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";
const NUMBER: &str = "1380190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";

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
    let page = include_str!("../../../../docs/json.md");
    let mut seen = BTreeSet::new();
    let commands: [&[&str]; 41] = [
        &["line", "list"],
        &["plan", "history"],
        &["token", "list"],
        &["line", "show", "duty"],
        &["line", "close", "duty", "--for", "1h"],
        &["line", "open", "duty"],
        &["operator", "list"],
        &["operator", "show", "li-na"],
        &["operator", "why", "li-na"],
        &["team", "list"],
        &["call", "list"],
        &["call", "show", CALL],
        &["call", "why", CALL],
        &["call", "move", CALL, "--to", "comfort"],
        &["board"],
        &["plan", "apply", "-f", "less.toml", "--dry-run"],
        &["events", "tail", "--limit", "1"],
        &["token", "create", "gateway", "gw-9", "--yes"],
        &["operator", "resume", "li-na"],
        &["operator", "off", "li-na"],
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
    ];
    for command in commands {
        let object = house.object(command);
        assert_eq!(object["version"], 1, "{command:?}");
        let kind = object["kind"].as_str().expect("a kind");
        assert!(page.contains(&format!("`{kind}`")), "{kind} is not in docs/json.md");
        fields(&object, &mut seen);
    }
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
