//! Wrong plans: each mistake is named, where it stands, with a way to mend it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use plan::PlanErrors;

/// The hospital's plan with one text put in place of another.
fn hospital_with(old: &str, new: &str) -> String {
    assert!(plan::HOSPITAL.contains(old), "the hospital's plan has no {old:?}");
    plan::HOSPITAL.replacen(old, new, 1)
}

fn refused(text: &str) -> PlanErrors {
    plan::parse("hospital.toml", text).expect_err("this plan is wrong")
}

/// Expects one finding, at the first place after `after` where `at` stands.
fn one_finding(text: &str, after: &str, at: &str, reason: &str, mend: &str) -> Result<(), String> {
    let errors = refused(text);
    let start = text.find(after).ok_or(format!("no {after:?} in the text"))?;
    let offset = start + text[start..].find(at).ok_or(format!("no {at:?} after {after:?}"))?;
    let line = text[..offset].matches('\n').count() + 1;
    let column = text[..offset].rsplit('\n').next().unwrap().chars().count() + 1;
    let [finding] = errors.findings.as_slice() else { return Err(format!("not one finding:\n{errors}")) };
    let drawing = errors.to_string();
    let is_as_expected = finding.reason.contains(reason)
        && finding.mend.contains(mend)
        && (finding.line, finding.column) == (line, column)
        && drawing.contains(&format!("hospital.toml:{line}:{column}"))
        && drawing.contains('^');
    if is_as_expected {
        Ok(())
    } else {
        Err(format!("expected {line}:{column} {reason} / {mend}:\n{errors}"))
    }
}

fn expect_one(text: &str, at: &str, reason: &str, mend: &str) {
    one_finding(text, "", at, reason, mend).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn one_mistake_at_a_time() {
    let cases: &[(&str, &str, &str, &str, &str)] = &[
        // what stood there, what stands there, where, reason, mend
        ("wrap_up = \"30s\"", "wrapup = \"30s\"", "wrapup", "no field 'wrapup'", "did you mean 'wrap_up'?"),
        ("cool_down         =", "frobnicate        =", "frobnicate", "no field 'frobnicate'", "deliver_by"),
        ("guard   = 0", "color   = 0", "color ", "no field 'color'", "what can stand here"),
        ("wrap_up = \"30s\"", "wrap_up = 30", "30", "needs a unit", "\"30s\""),
        ("wrap_up = \"30s\"  ", "wrap_up = \"30 sec\"", "\"30 sec\"", "no unit 'sec'", "\"30s\""),
        ("wrap_up = \"30s\"", "wrap_up = \"30m\"", "\"30m\"", "from 0s to 2m", ""),
        ("wrap_up = \"30s\"", "wrap_up = true", "true", "text in quotes", "15s"),
        ("grace             = \"15s\"", "grace = \"15h\"", "\"15h\"", "from 1s to 10m", ""),
        ("misses_to_suspend = 2", "misses_to_suspend = 0", "0        #", "from 1 to 10", ""),
        ("misses_to_suspend = 2", "misses_to_suspend = 999", "999", "out of range", "0 to 255"),
        ("misses_to_suspend = 2", "misses_to_suspend = -2", "-2", "out of range", "0 to 255"),
        ("ring_at_once = 2", "ring_at_once = \"2\"", "\"2\"", "a whole number", "without quotes"),
        ("ring_at_once = 2", "ring_at_once = 9", "9  ", "'ring_at_once' must be from 1 to 5", ""),
        ("max_waiting = 80", "max_waiting = 0 ", "0   ", "'max_waiting' must be", ""),
        (
            "time_zone = \"Asia/Shanghai\"",
            "time_zone = \"Shanghai\"",
            "\"Shanghai\"",
            "no time zone",
            "Asia/Shanghai",
        ),
        (
            "class        = \"emergency\"",
            "class = \"emergncy\"",
            "\"emergncy\"",
            "no class",
            "did you mean 'emergency'?",
        ),
        (
            "[\"number-duty\"]",
            "[\"number-dutty\"]",
            "\"number-dutty\"",
            "no destination 'number-dutty'",
            "did you mean 'number-duty'?",
        ),
        ("[\"number-duty\"]", "\"number-duty\"", "\"number-duty\"", "a list", "brackets"),
        (
            "[\"number-duty\"]",
            "[\"number-comfort\"]",
            "\"number-comfort\"]\n\n\n",
            "published for line 'comfort'",
            "its own number",
        ),
        (
            "staff_to     = \"staff\"",
            "staff_to = \"stuff\"",
            "\"stuff\"",
            "no line 'stuff'",
            "did you mean 'staff'?",
        ),
        (
            "staff_to     = \"staff\"",
            "staff_to = \"emergency\"",
            "\"emergency\"      ",
            "names line 'emergency' itself",
            "another line",
        ),
        (
            "2 = \"shanghainese\"",
            "2 = \"shanghai\"",
            "\"shanghai\"",
            "no skill 'shanghai'",
            "declare it under [skills]",
        ),
        ("2 = \"shanghainese\"", "22 = \"shanghainese\"", "22 =", "not one key", "0 to 9"),
        ("2 = \"shanghainese\"", "x = \"shanghainese\"", "x = ", "no telephone has this key", "0 to 9"),
        (
            "closing = \"closing-emergency\"",
            "closing = \"closing-emergncy\"",
            "\"closing-emergncy\"",
            "no prompt",
            "did you mean 'closing-emergency'?",
        ),
        ("number    = \"021-5550-0190\"", "number = 5550190", "5550190", "text in quotes", "021-5550-0100"),
        (
            "number    = \"021-5550-0190\"",
            "number = \"ask Li\"",
            "\"ask Li\"",
            "not a number that can be dialled",
            "digits",
        ),
        (
            "number    = \"021-5550-0190\"\n",
            "\n",
            "duty-phone]\ntitle",
            "'number' is missing",
            "add number =",
        ),
        (
            "title   = { zh = \"值班热线\", en = \"Duty line\" }",
            "title = \"值班\"",
            "\"值班\"",
            "a table is wanted",
            "zh, en",
        ),
        (
            "title   = { zh = \"值班热线\", en = \"Duty line\" }",
            "title = { zh = \"值班\" }",
            "{ zh = \"值班\" }",
            "'en' is missing",
            "en =",
        ),
        (
            "title   = { zh = \"值班热线\", en",
            "title = { zh = \"\\u202e\", en",
            "\"\\u202e\"",
            "cannot be seen",
            "plain characters",
        ),
        (
            "title   = { zh = \"值班热线\", en",
            "title = { zh = \"a\\u0007b\", en",
            "\"a\\u0007b\"",
            "cannot be seen",
            "plain characters",
        ),
        (
            "title   = { zh = \"值班热线\", en",
            "title = { zh = \" \", en",
            "\" \"",
            "empty",
            "plain characters",
        ),
        ("[lines.duty]", "[lines.Duty]", "Duty]", "'Duty' is not an id", "write 'duty'"),
        ("[lines.duty]", "[lines.\"d\\u0000y\"]", "\"d\\u0000y\"", "is not an id", "a-z"),
    ];
    let mut failures = Vec::new();
    for (old, new, at, reason, mend) in cases {
        let text = hospital_with(old, new);
        failures.extend(one_finding(&text, new, at, reason, mend).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn mistakes_that_show_elsewhere() {
    let silent = hospital_with("press_one = true\n\n[destinations.reception]", "\n[destinations.reception]");
    let errors = refused(&silent);
    assert_eq!(errors.findings.len(), 2, "both ladders that ring the duty phone:\n{errors}");
    for finding in &errors.findings {
        assert!(finding.field.ends_with(".who"), "{errors}");
        assert!(finding.reason.contains("key 1"), "{errors}");
        assert!(finding.mend.contains("press_one = true under [destinations.duty-phone]"), "{errors}");
        assert!(finding.to_string().contains("this number"), "{errors}");
    }
    let twice = refused(&hospital_with("[lines.duty]", "[lines.comfort]"));
    assert!(twice.findings[0].reason.contains("'comfort' stands twice"), "{twice}");
    assert!(twice.findings[0].to_string().contains("first here"), "{twice}");
    let chinese = refused(&hospital_with("[lines.duty]", "[lines.值班]"));
    assert!(chinese.findings[0].reason.contains("not TOML"), "{chinese}");
    let quoted = refused(&hospital_with("[lines.duty]", "[lines.\"值班\"]"));
    assert!(quoted.findings[0].reason.contains("'值班' is not an id"), "{quoted}");
}

#[test]
fn ladders() {
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            "\"team:youth\",          when = \"wait 20s\"",
            "\"team:yuth\"",
            "no team 'yuth'",
            "did you mean 'youth'?",
        ),
        (
            "\"team:youth\",          when = \"wait 20s\"",
            "\"youth\"",
            "'youth' is nobody",
            "did you mean \"team:youth\"?",
        ),
        ("\"team:youth\",          when = \"wait 20s\"", "\"team:Youth\"", "not an id", "write 'youth'"),
        ("\"team:youth\",          when = \"wait 20s\"", "\"others\"", "'others' is nobody", "other-lines"),
        (
            "\"team:youth\",          when = \"wait 20s\"",
            "\"line:comfrt\"",
            "no line 'comfrt'",
            "did you mean 'comfort'?",
        ),
        ("\"team:youth\",          when = \"wait 20s\"", "\"team:volunteers\"", "stands twice", "keep one"),
    ];
    for (old, who, reason, mend) in cases {
        let text = hospital_with(old, &format!("{who}, when = \"wait 20s\""));
        let errors = refused(&text);
        let [finding] = errors.findings.as_slice() else { panic!("not one finding:\n{errors}") };
        assert!(finding.reason.contains(reason) && finding.mend.contains(mend), "{errors}");
        assert_eq!(finding.line, 33, "{errors}");
    }
    let whens: &[(&str, &str, &str)] = &[
        ("\"buzy\"", "'buzy' opens no tier", "\"busy\""),
        ("\"after 20s\"", "opens no tier", "\"wait 30s\""),
        ("\"wait\"", "not a length of time", "15s"),
        ("\"wait 20\"", "needs a unit", "20s"),
        ("\"wait 2h\"", "from 1s to 1h", ""),
        ("\"missed two\"", "'two' is not a whole number", "missed 2"),
        ("\"missed 99\"", "from 1 to 20", ""),
        ("\"depth -1\"", "'-1' is not a whole number", "depth 5"),
        ("[\"busy\", \"busy\"]", "stands twice", "keep one"),
        ("[]", "nothing opens this tier", "busy"),
        ("20", "text in quotes", "busy"),
    ];
    for (when, reason, mend) in whens {
        let text = hospital_with("when = \"wait 20s\"", &format!("when = {when}"));
        let errors = refused(&text);
        let [finding] = errors.findings.as_slice() else { panic!("{when}: not one finding:\n{errors}") };
        assert!(finding.reason.contains(reason) && finding.mend.contains(mend), "{errors}");
        assert_eq!(finding.line, 33, "{errors}");
    }
    expect_one(
        &hospital_with("{ who = \"own\" },  ", "{ who = \"own\", when = \"busy\" },"),
        "\"busy\" },",
        "open from the start",
        "remove 'when'",
    );
    expect_one(
        &hospital_with("when = \"wait 90s\", ring = \"30s\" }", "when = \"wait 90s\", ring = \"3h\" }"),
        "\"3h\"",
        "'ring' must be from 5s to 2m",
        "",
    );
    expect_one(
        &hospital_with("when = \"wait 20s\"", "when = \"wait 20s\", ring = \"20s\""),
        "\"20s\"",
        "only an outside number",
        "remove it",
    );
}

#[test]
fn hours() {
    let hours = |text: &str| hospital_with("[lines.duty]\n", &format!("[lines.duty]\nhours = {text}\n"));
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            "[\"Mon-Fri 08:00-17:30\", \"Wed 17:00-19:00\"]",
            "\"Wed 17:00-19:00\"",
            "overlap from Wed 17:00 to Wed 17:30",
            "where the other begins",
        ),
        (
            "[\"Sun 22:00-02:00\", \"Mon 01:00-03:00\"]",
            "\"Mon 01:00-03:00\"",
            "overlap from Mon 01:00 to Mon 02:00",
            "",
        ),
        ("[\"Mon 08:00-12:00\", \"daily 00:00-24:00\"]", "\"daily 00:00-24:00\"", "overlap", ""),
        ("[\"Mon 08:00-08:00\"]", "\"Mon 08:00-08:00\"", "same minute", "00:00-24:00"),
        ("[]", "[]", "never opens", "delete its table"),
        ("\"never\"", "\"never\"", "not a window", "Mon-Fri 08:00-17:30"),
        ("8", "8\n", "a list is wanted", "always"),
        ("[\"08:00-17:30\"]", "\"08:00-17:30\"", "which days", "daily"),
    ];
    for (written, at, reason, mend) in cases {
        expect_one(&hours(written), at, reason, mend);
    }
    let overlap = refused(&hours("[\"Mon-Fri 08:00-17:30\", \"Wed 17:00-19:00\"]")).to_string();
    assert!(
        overlap.contains("--- ") || overlap.contains("---  ^"),
        "both windows are underlined:\n{overlap}"
    );
    for good in ["\"always\"", "\"Mon-Fri 08:00-17:30\"", "[\"Fri 22:00-02:00\", \"Sat 02:00-03:00\"]"] {
        let parsed = plan::parse("hospital.toml", &hours(good));
        assert!(parsed.is_ok(), "{good}: {}", parsed.unwrap_err());
    }
}

#[test]
fn hours_that_never_rest() {
    let windows = (0..50)
        .map(|n| format!("\"daily {:02}:{:02}-{:02}:{:02}\"", n / 4, n % 4 * 15, n / 4, n % 4 * 15 + 5));
    let hours = format!("hours = [{}]\n", windows.collect::<Vec<_>>().join(", "));
    let line = |n: usize| format!("[lines.more-{n}]\ntitle = {{ zh = \"多\", en = \"More\" }}\n{hours}");
    let many = |count: usize| plan::HOSPITAL.to_owned() + &(0..count).map(line).collect::<String>();
    let errors = refused(&many(29));
    assert_eq!(errors.findings.len(), 1, "{errors}");
    assert!(errors.findings[0].reason.contains("open 10150 times a week"), "{errors}");
    assert!(errors.findings[0].field.ends_with(".hours"), "{errors}");
    assert!(plan::parse("hospital.toml", &many(28)).is_ok());
}

#[test]
fn dead_ends_and_circles() {
    let text = hospital_with("  { who = \"closing\",             when = [\"empty\", \"wait 10m\"] },\n", "");
    let errors = refused(&text);
    assert!(errors.findings[0].reason.contains("'staff' is left waiting for ever"), "{errors}");
    assert!(
        errors.findings.iter().any(|f| f.reason.contains("staff caller of line 'emergency'")),
        "{errors}"
    );
    expect_one(
        &hospital_with("  { who = \"outside:duty-phone\",  when = \"wait 45s\", ring = \"30s\" },\n", ""),
        "{ who = \"closing\",             when = [\"empty\", \"wait 15m\"] },\n]\n\n[lines.comfort]",
        "(an emergency) reaches nobody",
        "outside:<destination>",
    );
    let night = "[lines.duty]\nhours = \"Mon-Fri 08:00-17:30\"\nwhen_closed = \"line:comfort\"\n";
    let circle = hospital_with("[lines.duty]\n", night).replacen(
        "[lines.comfort]\n",
        "[lines.comfort]\nwhen_closed = \"line:duty\"\n",
        1,
    );
    let errors = refused(&circle);
    assert!(errors.findings.iter().all(|f| f.reason.contains("come back to it")), "{errors}");
    let emergency =
        hospital_with("[lines.emergency]\n", "[lines.emergency]\nhours = \"Mon-Fri 08:00-17:30\"\n");
    let errors = refused(&emergency);
    assert!(errors.findings[0].reason.contains("reaches nobody on Mon 00:00"), "{errors}");
    assert_eq!(errors.findings[0].field, "lines.emergency.when_closed");
}

#[test]
fn many_mistakes_are_told_at_once() {
    let text = plan::HOSPITAL
        .replacen("ring         = \"15s\"", "ring = 15", 1)
        .replacen("\"team:youth\"", "\"team:yuth\"", 1)
        .replacen("guard   = 0", "gard = 0", 1)
        .replacen("zh = \"普通话\"", "zh = 5", 1)
        .replacen("press_one = true", "press_one = \"yes\"", 1)
        .replacen("redial            = \"10m\"", "redial = \"10 minutes\"", 1);
    let errors = refused(&text);
    let lines: Vec<usize> = errors.findings.iter().map(|f| f.line).collect();
    assert_eq!(lines.len(), 6, "{errors}");
    assert!(lines.is_sorted(), "{errors}");
}

#[test]
fn a_mistake_as_it_is_shown() {
    let text = hospital_with("\"team:youth\"", "\"team:yuth\"");
    let expected = "\
error: there is no team 'yuth' in this plan
  --> hospital.toml:33:11
   |
33 |   { who = \"team:yuth\",          when = \"wait 20s\" },
   |           ^^^^^^^^^^^
   |
   = help: did you mean 'youth'?";
    assert_eq!(refused(&text).to_string(), expected);
    let two = hospital_with(
        "[lines.duty]\n",
        "[lines.duty]\nhours = [\"Mon-Fri 08:00-17:30\", \"Wed 17:00-19:00\"]\n",
    );
    let expected = "\
error: these hours overlap from Wed 17:00 to Wed 17:30
  --> hospital.toml:98:33
   |
98 | hours = [\"Mon-Fri 08:00-17:30\", \"Wed 17:00-19:00\"]
   |          ---------------------  ^^^^^^^^^^^^^^^^^
   |          |
   |          with these
   |
   = help: let one end where the other begins";
    assert_eq!(refused(&two).to_string(), expected);
}
