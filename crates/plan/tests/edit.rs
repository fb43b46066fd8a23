//! Changed texts: what is asked for changes, everything else keeps its bytes, and the result is a plan.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;

use plan::HOSPITAL;
use plan::edit::{
    EditError, Edited, NewLine, NewNumber, Refused, add_line, add_team, remove_line, remove_team, title_line,
};
use plan::lint::Staff;
use proptest::prelude::*;
use switchboard::command::Profile;
use switchboard::id::LineId;
use switchboard::operator::Device;
use switchboard::plan::{Title, Who};

fn line(id: &str) -> LineId {
    id.parse().unwrap()
}

fn title(zh: &str, en: &str) -> Title {
    Title { zh: zh.to_owned(), en: en.to_owned() }
}

fn new_line(id: &str, number: &str, like: Option<&str>) -> NewLine {
    NewLine {
        id: line(id),
        title: title("体检热线", "Check-ups"),
        numbers: vec![NewNumber::Number(number.to_owned())],
        like: like.map(line),
    }
}

/// The hospital's text with one piece in place of another, which stands in it once.
fn hospital_with(old: &str, new: &str) -> String {
    assert_eq!(HOSPITAL.matches(old).count(), 1, "{old:?}");
    HOSPITAL.replacen(old, new, 1)
}

fn done(result: Result<Edited, EditError>) -> Edited {
    let edited = result.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(edited.parsed.text, edited.text.trim_start_matches('\u{feff}'));
    edited
}

fn refused(result: Result<Edited, EditError>) -> Refused {
    match result {
        Err(EditError::Refused(refused)) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_line_is_added_at_the_end_of_the_lines_and_its_number_at_the_end_of_the_numbers() {
    let edited = done(add_line(HOSPITAL, &new_line("check-ups", "021-5550-0106", None)));
    let staff = "prompts = { greeting = \"welcome-staff\", closing = \"closing-staff\" }\n";
    let duty = "number = \"021-5550-0105\"\n";
    let added = "\n[lines.check-ups]\n\
                 title   = { zh = \"体检热线\", en = \"Check-ups\" }\n\
                 numbers = [\"number-check-ups\"]\n";
    let number = "\n[destinations.number-check-ups]\n\
                  title  = { zh = \"体检热线\", en = \"Check-ups\" }\n\
                  number = \"021-5550-0106\"\n";
    let expected =
        hospital_with(staff, &format!("{staff}{added}")).replacen(duty, &format!("{duty}{number}"), 1);
    assert_eq!(edited.text, expected);
    assert!(edited.parsed.warnings.is_empty());
    assert_eq!(edited.parsed.plan.lines[&line("check-ups")].title.en, "Check-ups");
}

#[test]
fn a_line_like_another_stands_behind_it_and_takes_over_all_but_title_and_numbers() {
    let edited = done(add_line(HOSPITAL, &new_line("outpatient-3", "021-5550-0107", Some("outpatient-2"))));
    let plan = &edited.parsed.plan;
    let (mut copy, source) =
        (plan.lines[&line("outpatient-3")].clone(), plan.lines[&line("outpatient-2")].clone());
    assert_eq!(copy.numbers, ["number-outpatient-3".parse().unwrap()]);
    copy.numbers.clone_from(&source.numbers);
    copy.title.clone_from(&source.title);
    assert_eq!(copy, source);
    let at = |text: &str| edited.text.find(text).unwrap();
    assert!(at("[lines.outpatient-2]") < at("[lines.outpatient-3]"));
    assert!(at("[lines.outpatient-3]") < at("# Emergency comes before every other line"));
}

#[test]
fn a_line_like_one_without_a_number_gets_its_own_and_a_line_without_numbers_gets_none() {
    let edited = done(add_line(HOSPITAL, &new_line("staff-2", "021-5550-0108", Some("staff"))));
    assert_eq!(edited.parsed.plan.lines[&line("staff-2")].numbers, ["number-staff-2".parse().unwrap()]);
    let none = NewLine { numbers: vec![], ..new_line("emergency-2", "", Some("emergency")) };
    let edited = done(add_line(HOSPITAL, &none));
    let copy = &edited.parsed.plan.lines[&line("emergency-2")];
    assert!(copy.numbers.is_empty());
    assert_eq!(copy.tiers, edited.parsed.plan.lines[&line("emergency")].tiers);
    assert!(edited.parsed.warnings[0].reason.contains("no number is published"), "said by the plan itself");
}

#[test]
fn a_number_that_is_there_is_taken_and_not_added_again() {
    let free = hospital_with("numbers = [\"number-duty\"]\n", "");
    let edited = done(add_line(&free, &new_line("night", "021 5550-0105", None)));
    assert_eq!(edited.parsed.plan.lines[&line("night")].numbers, ["number-duty".parse().unwrap()]);
    let named = NewLine {
        numbers: vec![NewNumber::Destination("number-duty".parse().unwrap())],
        ..new_line("night", "", None)
    };
    assert_eq!(done(add_line(&free, &named)).text, edited.text);
}

#[test]
fn what_stands_against_a_new_line_is_named() {
    let twice = refused(add_line(HOSPITAL, &new_line("duty", "021-5550-0106", None)));
    assert!(twice.to_string().contains("there is a line 'duty' already"), "{twice}");
    let unlike = refused(add_line(HOSPITAL, &new_line("night", "021-5550-0106", Some("dutty"))));
    assert!(unlike.to_string().contains("did you mean 'duty'?"), "{unlike}");
    let unknown = NewLine {
        numbers: vec![NewNumber::Destination("number-dutty".parse().unwrap())],
        ..new_line("night", "", None)
    };
    let unknown = refused(add_line(HOSPITAL, &unknown));
    assert!(unknown.to_string().contains("did you mean 'number-duty'?"), "{unknown}");
    for (number, reason) in [
        ("021-5550-0105", "published for line 'duty' already"),
        ("ask Li", "not a number that can be dialled"),
    ] {
        let Err(EditError::Breaks(findings)) = add_line(HOSPITAL, &new_line("night", number, None)) else {
            panic!("{number} is taken")
        };
        assert!(findings.to_string().contains(reason), "{findings}");
    }
    let hostile =
        NewLine { title: title("夜\n[x]", "a\"b\u{7}"), ..new_line("night", "021-5550-0106", None) };
    assert!(matches!(add_line(HOSPITAL, &hostile), Err(EditError::Breaks(_))));
    assert!(matches!(add_line("lines = 1", &new_line("night", "1", None)), Err(EditError::NotAPlan(_))));
}

#[test]
fn a_line_is_removed_with_its_comment_and_the_number_that_only_it_had() {
    let edited = done(remove_line(HOSPITAL, line("comfort")));
    let block = "[lines.comfort]\n\
                 title   = { zh = \"解忧热线\", en = \"Worry-relief line\" }\n\
                 numbers = [\"number-comfort\"]\n\
                 wrap_up = \"30s\"                          # these talks need a moment to breathe afterwards\n\
                 prompts = { greeting = \"welcome-comfort\" }\n\n";
    let number = "[destinations.number-comfort]\n\
                  title  = { zh = \"解忧热线号码\", en = \"Worry-relief line number\" }\n\
                  number = \"021-5550-0104\"\n\n";
    assert_eq!(edited.text, hospital_with(block, "").replacen(number, "", 1));
    assert_eq!(edited.also_removed, ["destinations.number-comfort"]);
    let unplayed = "no line plays prompt 'welcome-comfort'";
    assert!(edited.parsed.warnings.iter().any(|w| w.reason == unplayed), "recordings stay, and it is said");

    let edited = done(remove_line(HOSPITAL, line("emergency")));
    assert!(!edited.text.contains("Emergency comes before every other line"));
    assert!(edited.text.contains("# ── The six public lines ─"));
    let edited = done(remove_line(HOSPITAL, line("switchboard")));
    assert!(edited.text.contains("─\n\n[lines.outpatient-1]"), "{}", edited.text);
}

#[test]
fn a_line_that_others_need_stays_and_they_are_named() {
    let staff = refused(remove_line(HOSPITAL, line("staff")));
    assert_eq!(staff.named_by.len(), 1, "{staff}");
    assert_eq!(staff.named_by[0].field, "lines.emergency.staff_to");
    let at = HOSPITAL[..HOSPITAL.find("\"staff\"     ").unwrap()].matches('\n').count() + 1;
    assert_eq!(staff.named_by[0].line, at);

    let asked = hospital_with(
        "{ who = \"other-lines\",         when = \"wait 30s\" }",
        "{ who = \"line:duty\", when = \"busy\" }",
    )
    .replacen(
        "[lines.duty]\n",
        "[lines.duty]\ntiers = [{ who = \"own\" }, { who = \"closing\", when = \"wait 5m\" }]\n",
        1,
    )
    .replacen(
        "[lines.comfort]\n",
        "[lines.comfort]\nhours = \"daily 08:00-20:00\"\nwhen_closed = \"line:duty\"\n",
        1,
    );
    let named = refused(remove_line(&asked, line("duty")));
    let fields: Vec<&str> = named.named_by.iter().map(|n| n.field.as_str()).collect();
    assert_eq!(fields.len(), 2, "the ladder of all lines once, and a closed line: {named}");
    assert!(fields[0].ends_with("tiers.4.who") && fields[1] == "lines.comfort.when_closed", "{named}");
    let typo = refused(remove_line(HOSPITAL, line("dutty")));
    assert!(typo.to_string().contains("did you mean 'duty'?"), "{typo}");
    let only = "[lines.a]\ntitle = { zh = \"甲\", en = \"A\" }\ntiers = [{ who = \"own\" }, { who = \"closing\", when = \"wait 5m\" }]\nprompts = { closing = \"p\" }\n[prompts.p]\nsays = { zh = \"甲\", en = \"A\" }\n";
    let Err(EditError::Breaks(findings)) = remove_line(only, line("a")) else { panic!("the last line went") };
    assert!(findings.to_string().contains("no line"), "{findings}");
}

#[test]
fn a_title_changes_in_its_place() {
    let edited = done(title_line(HOSPITAL, line("duty"), &title("值班电话", "Duty \"desk\"")));
    let old = "{ zh = \"值班热线\", en = \"Duty line\" }";
    assert_eq!(edited.text, hospital_with(old, "{ zh = \"值班电话\", en = 'Duty \"desk\"' }"));
    let Err(EditError::Breaks(findings)) = title_line(HOSPITAL, line("duty"), &title("", "x")) else {
        panic!("an empty title")
    };
    assert!(findings.to_string().contains("empty"), "{findings}");
}

#[test]
fn teams_come_and_go() {
    let edited = done(add_team(HOSPITAL, "nurses".parse().unwrap(), &title("护士", "Nurses")));
    let youth = "youth         = { title = { zh = \"青年突击队\", en = \"Youth team\" } }\n";
    let nurses = "nurses        = { title = { zh = \"护士\", en = \"Nurses\" } }\n";
    assert_eq!(edited.text, hospital_with(youth, &format!("{youth}{nurses}")));
    let back = done(remove_team(&edited.text, "nurses".parse().unwrap(), &Staff::default()));
    assert_eq!(back.text, HOSPITAL);

    let twice = refused(add_team(HOSPITAL, "youth".parse().unwrap(), &title("青", "Y")));
    assert!(twice.to_string().contains("there is a team 'youth' already"));
    let asked = refused(remove_team(HOSPITAL, "youth".parse().unwrap(), &Staff::default()));
    let lines: Vec<usize> = asked.named_by.iter().map(|n| n.line).collect();
    assert_eq!(lines.len(), 2, "the ladder of all lines, and the emergency line's: {asked}");
    assert_eq!(lines[0], 33, "{asked}");
    let profile = Profile {
        teams: BTreeSet::from(["nurses".parse().unwrap()]),
        home: BTreeSet::new(),
        skills: BTreeSet::new(),
        device: Device::Ring,
    };
    let people: Vec<_> = (0..12).map(|n| format!("op-{n:02}").parse().unwrap()).collect();
    let staff = Staff::of(people.iter().map(|id| (*id, &profile)));
    let inside = refused(remove_team(&edited.text, "nurses".parse().unwrap(), &staff));
    assert!(inside.reason.contains("op-00, op-01") && inside.reason.ends_with("and 2 more"), "{inside}");
    let typo = refused(remove_team(HOSPITAL, "yuth".parse().unwrap(), &Staff::default()));
    assert!(typo.mend.contains("did you mean 'youth'?"), "{typo}");
}

const LADDER: &str = "[{ who = \"own\" }, { who = \"closing\", when = \"wait 5m\" }]";

/// Small plans that say the same in the different manners TOML has.
fn manners() -> Vec<(&'static str, String)> {
    let rest = "[prompts.p]\nsays = { zh = \"甲\", en = \"A\" }\n";
    let defaults = format!("[defaults]\ntiers = {LADDER}\nprompts = {{ closing = \"p\" }}\n\n");
    vec![
        (
            "headers",
            format!(
                "{defaults}[lines.a]\ntitle = {{ zh = \"甲\", en = \"A\" }}\n\n# b\n[lines.b]\ntitle = {{ zh = \"乙\", en = \"B\" }}\n\n{rest}"
            ),
        ),
        (
            "keys",
            format!(
                "{defaults}[lines]\n# first\na = {{ title = {{ zh = \"甲\", en = \"A\" }} }}\nb    = {{ title = {{ zh = \"乙\", en = \"B\" }} }} # second\n\n{rest}"
            ),
        ),
        (
            "tables inside tables",
            format!(
                "{defaults}[lines]\n[lines.a]\n[lines.a.title]\nzh = \"甲\"\nen = \"A\"\n[[lines.a.tiers]]\nwho = \"own\"\n[[lines.a.tiers]]\nwho = \"closing\"\nwhen = \"wait 5m\"\n\n[lines.b]\ntitle.zh = \"乙\"\ntitle.en = \"B\"\n\n{rest}"
            ),
        ),
    ]
}

#[test]
fn every_manner_of_writing_is_kept() {
    for (name, text) in manners() {
        let added = done(add_line(&text, &new_line("c", "021-5550-0106", None)));
        let copied = done(add_line(&text, &new_line("c", "021-5550-0106", Some("a"))));
        let mut of_a = added.parsed.plan.lines[&line("a")].clone();
        let copy = copied.parsed.plan.lines[&line("c")].clone();
        of_a.title = copy.title.clone();
        of_a.numbers = copy.numbers.clone();
        assert_eq!(of_a, copy, "{name}");
        assert_eq!(copy.title, title("体检热线", "Check-ups"), "{name}");
        for edited in [&added, &copied] {
            assert!(is_within(&text, &edited.text), "{name}:\n{}", edited.text);
            let back = done(remove_line(&edited.text, line("c")));
            assert_eq!(back.parsed.plan, plan::parse("x", &text).unwrap().plan, "{name}");
            assert_eq!(back.text, text, "{name}");
        }
        let removed = done(remove_line(&text, line("b")));
        assert!(is_within(&removed.text, &text), "{name}:\n{}", removed.text);
        let retitled = done(title_line(&text, line("b"), &title("丙", "C")));
        assert_eq!(retitled.text, text.replacen('乙', "丙", 1).replacen("\"B\"", "\"C\"", 1), "{name}");
    }
    let dotted =
        manners()[1].1.replace("title = { zh = \"甲\", en = \"A\" }", "title.zh = \"甲\", title.en = \"A\"");
    let copied = done(add_line(&dotted, &new_line("c", "021-5550-0106", Some("a"))));
    assert_eq!(copied.parsed.plan.lines[&line("c")].numbers, ["number-c".parse().unwrap()]);
    assert_eq!(copied.parsed.plan.lines[&line("c")].title.en, "Check-ups");
    let packed = "lines = { a = { title = { zh = \"甲\", en = \"A\" } } }\n".to_owned()
        + &format!(
            "prompts = {{ p = {{ says = {{ zh = \"甲\", en = \"A\" }} }} }}\ndefaults = {{ tiers = {LADDER}, prompts = {{ closing = \"p\" }} }}\n"
        );
    let fault = refused(add_line(&packed, &new_line("c", "021-5550-0106", None)));
    assert!(fault.mend.contains("[lines.<id>]"), "{fault}");
}

/// Whether all lines of one text stand in another, in the same order.
fn is_within(inner: &str, outer: &str) -> bool {
    let mut lines = outer.split_inclusive('\n');
    inner.split_inclusive('\n').all(|line| lines.any(|other| other == line))
}

#[derive(Debug, Clone)]
enum Change {
    Add(Option<&'static str>),
    Remove(&'static str),
    Retitle(&'static str),
    AddTeam,
}

fn change() -> impl Strategy<Value = Change> {
    let lines = || {
        proptest::sample::select(vec![
            "switchboard",
            "outpatient-1",
            "outpatient-2",
            "emergency",
            "comfort",
            "duty",
        ])
    };
    prop_oneof![
        proptest::option::of(lines()).prop_map(Change::Add),
        lines().prop_map(Change::Remove),
        lines().prop_map(Change::Retitle),
        Just(Change::AddTeam),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    /// The hospital's text with remarks and blank lines put in anywhere, with the line ends of either world.
    #[test]
    fn everything_else_keeps_its_bytes(
        remarks in proptest::collection::vec((0..300_usize, proptest::sample::select(vec!["# 备注", "  # x = 1", "", "   "])), 0..12),
        change in change(),
        is_windows in any::<bool>(),
        has_mark in any::<bool>(),
        is_cut in any::<bool>(),
    ) {
        let mut lines: Vec<&str> = HOSPITAL.lines().collect();
        for (at, remark) in remarks {
            lines.insert(at.min(lines.len()), remark);
        }
        let newline = if is_windows { "\r\n" } else { "\n" };
        let mark = if has_mark { "\u{feff}" } else { "" };
        let mut text = format!("{mark}{}{newline}", lines.join(newline));
        if is_cut {
            text.truncate(text.trim_end().len());
        }
        let before = plan::parse("x", &text).unwrap().plan;
        let edited = match &change {
            Change::Add(like) => done(add_line(&text, &new_line("added", "021-5550-0106", *like))),
            Change::Remove(id) => done(remove_line(&text, line(id))),
            Change::Retitle(id) => done(title_line(&text, line(id), &title("新", "New"))),
            Change::AddTeam => done(add_team(&text, "added".parse().unwrap(), &title("新", "New"))),
        };
        prop_assert_eq!(edited.text.starts_with('\u{feff}'), has_mark);
        if is_windows {
            prop_assert_eq!(edited.text.matches('\n').count(), edited.text.matches("\r\n").count());
        }
        // A last line without an end gets one if something comes after it.
        let (outer, inner) = match &change {
            Change::Remove(_) => (format!("{text}{newline}"), edited.text.clone()),
            _ => (format!("{}{newline}", edited.text), text.clone()),
        };
        let after = &edited.parsed.plan;
        match &change {
            Change::Retitle(id) => {
                let differ = text.lines().zip(edited.text.lines()).filter(|(a, b)| a != b).count();
                prop_assert_eq!((differ, text.lines().count()), (1, edited.text.lines().count()));
                prop_assert_eq!(after.lines[&line(id)].title.en.as_str(), "New");
            }
            _ => prop_assert!(is_within_loosely(&inner, &outer), "{:?}\n{}", change, edited.text),
        }
        let others = |plan: &switchboard::plan::Plan, id: &LineId| {
            let mut lines = plan.lines.clone();
            lines.remove(id);
            lines
        };
        match &change {
            Change::Add(_) => prop_assert_eq!(others(after, &line("added")), before.lines.clone()),
            Change::Remove(id) => prop_assert_eq!(after.lines.clone(), others(&before, &line(id))),
            Change::Retitle(id) => prop_assert_eq!(others(after, &line(id)), others(&before, &line(id))),
            Change::AddTeam => prop_assert_eq!(after.lines.clone(), before.lines.clone()),
        }
        let asked = |who: &Who| matches!(who, Who::Team(_));
        prop_assert!(after.lines.values().flat_map(|l| &l.tiers).any(|t| asked(&t.who)));
    }
}

/// As [`is_within`], except that the very last line may have no end.
fn is_within_loosely(inner: &str, outer: &str) -> bool {
    let inner = if inner.ends_with('\n') { inner.to_owned() } else { format!("{inner}\n") };
    let same = |text: &str| text.replace("\r\n", "\n");
    is_within(&same(&inner), &same(outer))
}
