use std::os::unix::fs::PermissionsExt;

use crate::house::House;

#[test]
fn a_site_is_begun_used_and_ended() {
    let house = House::open();
    let made = house.object(&["site", "create", "north", "--token-out", "north.token"]);
    assert_eq!((made["kind"].as_str(), made["item"]["id"].as_str()), (Some("site_created"), Some("north")));
    assert!(made["item"].get("token").is_none(), "it is in the file and nowhere else");
    let mode = std::fs::metadata(house.path("north.token")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let at_north = |more: &[&str]| house.ask(&[more, &["--token-file", "north.token"]].concat());
    assert!(at_north(&["line", "list"]).out.contains("duty"));
    assert_eq!(at_north(&["operator", "add", "ana", "--home", "duty"]).code, 0);
    assert!(!house.ask(&["operator", "list"]).out.contains("ana"), "nobody of north is here");
    at_north(&["site", "list"]).refused(4, &["from the home site alone", "administrator of the home site"]);
    let listed = house.told(&["site", "list"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[1].starts_with("main ") && lines[1].contains("home"), "{listed}");
    assert!(lines[2].starts_with("north") && lines[2].contains("in use"), "{listed}");
    house.ask(&["site", "create", "north"]).refused(1, &["there is, or was, a site north", "another name"]);
    house.ask(&["site", "create", "North Side"]).refused(2, &["write, for example, north-side"]);
    house.ask(&["site", "retire", "nort"]).refused(1, &["a change takes the whole id", "north"]);
    house.ask(&["site", "retire", "nroth"]).refused(1, &["did you mean north?"]);
    house.ask(&["site", "retire", "north"]).refused(2, &["for ever", "say --yes"]);
    house.ask(&["site", "retire", "main", "--yes"]).refused(1, &["home site"]);
    assert_eq!(house.object(&["site", "retire", "north", "--yes"])["kind"], "site_retired");
    assert!(house.told(&["site", "list", "--lang", "zh-CN"]).contains("已停用"));
    assert!(at_north(&["audit", "list"]).out.contains("site.retire"), "its record stays readable");
    at_north(&["operator", "add", "ben", "--home", "duty"]).refused(1, &["retired"]);
    house.write("bad.toml", "lines = 3");
    house.ask(&["site", "create", "south", "-f", "bad.toml"]).refused(1, &["bad.toml has mistakes"]);
    house.ask(&["site", "create", "south", "-f", "none.toml"]).refused(2, &["there is no such file"]);
    assert_eq!(house.object(&["site", "list"])["items"].as_array().expect("sites").len(), 2);
}

#[test]
fn the_format_of_a_site_is_told_and_never_lowered() {
    let house = House::open();
    let listed = house.told(&["site", "list", "-o", "wide"]);
    assert!(listed.lines().next().is_some_and(|head| head.trim_end().ends_with("FORMAT")), "{listed}");
    assert!(
        house.ask(&["site", "raise-format", "main", "--dry-run"]).err.contains("site main is in format 2")
    );
    let raised = house.object(&["site", "raise-format", "main"]);
    assert_eq!((raised["kind"].as_str(), raised["item"]["format"].as_u64()), (Some("site_format"), Some(2)));
    let server = &raised["item"]["servers"][0];
    assert!(
        server["name"].as_str().is_some_and(|name| name.contains('/')) && server["reads_to"] == 2,
        "{server}"
    );
    house
        .ask(&["site", "raise-format", "main", "--to", "1"])
        .refused(1, &["the format in force is 2", "never lowered"]);
    let later = house.ask(&["site", "raise-format", "main", "--to", "9", "--yes"]);
    later.refused(
        1,
        &["servers of site main do not read format 9", "(1–2)", "replace these by a release that reads it"],
    );
    house.ask(&["site", "raise-format", "mian"]).refused(1, &["did you mean main?"]);
    let in_chinese = house.ask(&["site", "raise-format", "main", "--to", "9", "--lang", "zh-CN"]);
    assert!(in_chinese.err.contains("站点 main 还有服务器读不了格式 9"), "{}", in_chinese.err);
}
