//! The schema is what the reader reads and what the reference page documents.

use plan::schema::{ROSTER_SECTIONS, SECTIONS, Section};

const REFERENCE: &str = include_str!("../../../docs/plan.md");
const ROSTER_REFERENCE: &str = include_str!("../../../docs/roster.md");

/// A plan with this text as a value of one field of a section, and nothing else wrong with that field's table.
fn with_field(section: &Section, field: &str, value: &str) -> String {
    let (before, after) = match section.name {
        "top of the file" => ("", ""),
        "defaults" => ("[defaults]\n", ""),
        "lines.<id>" => ("[lines.a]\n", ""),
        "tiers" => ("[defaults]\ntiers = [{ who = \"own\" }, { ", " }]"),
        "prefers" => ("[lines.a]\nprefers = [{ ", " }]"),
        "lines.<id>.prompts" => ("[lines.a.prompts]\n", ""),
        "title" => ("[skills.a]\n", ""),
        "teams.<id>" => ("[teams.a]\n", ""),
        "destinations.<id>" => ("[destinations.a]\n", ""),
        "prompts.<id>" => ("[prompts.a]\n", ""),
        "timers" => ("[timers]\n", ""),
        name => panic!("section {name} has no example here"),
    };
    format!("{before}{field} = {value}{after}\n")
}

#[test]
fn every_field_is_read() {
    for section in SECTIONS {
        for field in section.fields {
            let text = with_field(section, field, "1979-05-27");
            let errors = plan::parse("x", &text).unwrap_err();
            let kind = errors.findings.iter().find(|f| f.reason.contains("this is a date"));
            assert!(kind.is_some(), "nobody reads {field} of {}:\n{text}\n{errors}", section.name);
        }
    }
}

#[test]
fn no_other_field_is_read() {
    for section in SECTIONS {
        let errors = plan::parse("x", &with_field(section, "zzzzzzzz", "1")).unwrap_err();
        assert!(errors.findings.iter().any(|f| f.reason.contains("no field 'zzzzzzzz'")), "{}", section.name);
    }
}

/// A roster with this text as a value of one field of a section.
fn roster_with_field(section: &Section, field: &str, value: &str) -> String {
    let before = match section.name {
        "top of the file" => "",
        "shifts.<id>" => "[shifts.a]\n",
        "holidays" => "[[holidays]]\n",
        "exceptions" => "[[exceptions]]\n",
        name => panic!("section {name} has no example here"),
    };
    format!("{before}{field} = {value}\n")
}

#[test]
fn every_field_of_a_roster_is_read_and_no_other() {
    for section in ROSTER_SECTIONS {
        for field in section.fields {
            let text = roster_with_field(section, field, "true");
            let errors = plan::roster::parse("x", &text, "UTC").unwrap_err();
            let kind = errors.findings.iter().find(|f| f.reason.contains("this is true or false"));
            assert!(kind.is_some(), "nobody reads {field} of {}:\n{text}\n{errors}", section.name);
        }
        let text = roster_with_field(section, "zzzzzzzz", "1");
        let errors = plan::roster::parse("x", &text, "UTC").unwrap_err();
        assert!(errors.findings.iter().any(|f| f.reason.contains("no field 'zzzzzzzz'")), "{}", section.name);
    }
}

#[test]
fn a_field_that_is_like_no_other_may_be_of_a_later_release() {
    let release = concat!("later release than ", env!("CARGO_PKG_VERSION"));
    let plan = |text: &str| plan::parse("x", text).unwrap_err();
    let roster = |text: &str| plan::roster::parse("x", text, "UTC").unwrap_err();
    for errors in [plan("[callbacks]\nafter = \"5m\"\n"), plan("callbacks = 1\n"), roster("callbacks = 1\n")]
    {
        let unknown = errors.findings.iter().find(|f| f.reason.contains("no field 'callbacks'"));
        let mend = unknown.map(|f| f.mend.as_str()).unwrap_or_default();
        assert!(mend.starts_with("what can stand here: ") && mend.ends_with(release), "{errors}");
    }
    let slip = plan("line = 1\n");
    assert!(slip.findings.iter().any(|f| f.mend == "did you mean 'lines'?"), "{slip}");
}

#[test]
fn every_field_is_documented() {
    documented(SECTIONS, REFERENCE);
    documented(ROSTER_SECTIONS, ROSTER_REFERENCE);
}

fn documented(sections: &[&Section], reference: &str) {
    for section in sections {
        let heading = format!("## `{}`", section.name);
        let (_, rest) =
            reference.split_once(&heading).unwrap_or_else(|| panic!("the reference has no {heading}"));
        let table = rest.lines().skip_while(|line| !line.starts_with("| field |"));
        let rows = table.take_while(|line| line.starts_with('|'));
        let documented: Vec<&str> =
            rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(documented, section.fields, "{heading}");
    }
}
