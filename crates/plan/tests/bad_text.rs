//! Texts that are no plan at all: not TOML, not text, hiding something, too long, too deep.

use plan::PlanErrors;

/// The hospital's plan with one text put in place of another.
fn hospital_with(old: &str, new: &str) -> String {
    assert!(plan::HOSPITAL.contains(old), "the hospital's plan has no {old:?}");
    plan::HOSPITAL.replacen(old, new, 1)
}

fn refused(text: &str) -> PlanErrors {
    plan::parse("hospital.toml", text).expect_err("this plan is wrong")
}

#[test]
fn texts_that_are_no_toml() {
    for (old, new, reason, mend) in [
        ("wrap_up = \"30s\"", "wrap_up = 30s", "not TOML", "wrap_up = \"30s\""),
        ("wrap_up = \"30s\"", "wrap_up = “30s”", "not TOML", "straight quotes"),
        ("number    = \"021-5550-0190\"", "number = 021-5550-0190", "not TOML", "number = \"021-5550-0190\""),
        ("[lines.duty]", "[lines.duty", "not TOML", "[lines.emergency]"),
        ("[lines.duty]", "and now the duty line", "not TOML", "#"),
    ] {
        let text = hospital_with(old, new);
        let errors = refused(&text);
        let line = text[..text.find(new).unwrap()].matches('\n').count() + 1;
        let finding = &errors.findings[0];
        assert_eq!(finding.line, line, "{errors}");
        assert!(finding.reason.contains(reason) && finding.mend.contains(mend), "{errors}");
    }
}

#[test]
fn texts_that_hide_something() {
    let cases: &[(&[u8], &str, &str)] = &[
        (b"# \xe2\x80\xae look\n", "U+202E", "delete it"),
        (b"a = 1 # zero\xe2\x80\x8bwidth", "U+200B", "delete it"),
        (b"\xef\xbb\xbf\xef\xbb\xbf", "U+FEFF", "delete it"),
        (b"time_zone = \"\xd6\xd0\"", "byte 0xd6 is not UTF-8", "GBK"),
        (b"\xff\xfea\0", "byte 0xff", "UTF-16"),
        (b"a = \"\0\"", "not TOML", "quotes"),
        (b"a = 1\rb = 2", "carriage return", "line ends"),
        (b"", "no line", "[lines.switchboard]"),
    ];
    for (bytes, reason, mend) in cases {
        let errors = plan::parse_bytes("x\u{202e}.toml", bytes).unwrap_err();
        let finding = &errors.findings[0];
        assert!(finding.reason.contains(reason) && finding.mend.contains(mend), "{errors}");
        let drawn = errors.to_string();
        let acts = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!drawn.contains(acts), "the drawing itself hides something: {drawn:?}");
    }
}

#[test]
fn windows_files_are_welcome() {
    let text = format!("\u{feff}{}", plan::HOSPITAL.replace('\n', "\r\n"));
    let parsed = plan::parse("hospital.toml", &text).unwrap();
    assert_eq!(parsed.plan, plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan);
    let wrong = text.replacen("team:youth", "team:yuth", 1);
    assert_eq!(refused(&wrong).findings[0].line, 33);
}

#[test]
fn huge_and_deep_texts_are_refused_quickly() {
    let megabytes = "x".repeat(10_000_000);
    assert!(refused(&megabytes).findings[0].reason.contains("10000000 bytes"));
    let exact = format!("{}{}", plan::HOSPITAL, "#".repeat(plan::TEXT_BYTES_MAX - plan::HOSPITAL.len()));
    assert!(plan::parse("hospital.toml", &exact).is_ok());
    assert!(plan::parse("hospital.toml", &format!("{exact}#")).is_err());
    let hostile = [
        format!("a = {}", "[".repeat(300_000)),
        format!("{}a = 1", "a.".repeat(300_000)),
        "[".repeat(300_000),
        format!("a = \"{}", "y".repeat(900_000)),
        "=\n".repeat(200_000),
        "a = 1\r".repeat(100_000),
        "\u{200b}".repeat(300_000),
        (0..50_000).map(|n| format!("k{n} = 1\n")).collect(),
        (0..50_000).map(|n| format!("[lines.l{n}]\n")).collect(),
        format!("[lines.a]\ntiers = [{}]", "{who=\"x\"},".repeat(50_000)),
        format!("[lines.a]\nhours = [{}]", "\"Mon 08:00-09:00\",".repeat(50_000)),
        format!("[lines.\"{}\"]", "é".repeat(400_000)),
    ];
    for text in hostile {
        let errors = refused(&text);
        assert!(errors.findings.len() <= plan::FINDINGS_MAX);
        assert!(errors.to_string().len() < 200_000, "{}", errors.to_string().len());
    }
}
