use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use api::{Bearer, Client, v1};
use serde_json::json;

use crate::house::House;

#[test]
fn a_person_is_added_paused_and_removed() {
    let house = House::open();
    let added = house.ask(&["operator", "add", "li-na", "--team", "volunteers", "--skill", "cantonese"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.out.starts_with("hl_") && added.out.lines().count() == 1, "only the token, to be piped");
    assert!(added.err.contains("li-na is added") && added.err.contains("shown this once"), "{added:?}");
    let listed = house.object(&["operator", "list"]);
    assert_eq!((listed["version"].as_u64(), listed["kind"].as_str()), (Some(1), Some("operators")));
    let person = &listed["items"][0];
    assert_eq!((person["id"].as_str(), person["state"].as_str()), (Some("li-na"), Some("off_duty")));
    assert_eq!(person["skills"][0], "cantonese");
    let members = house.told(&["team", "members", "vol", "--lang", "zh-CN"]);
    assert_eq!(members.lines().nth(1), Some("li-na  下班  volunteers  -     软电话"), "{members}");
    let why = house.told(&["operator", "why", "li"]);
    assert!(why.contains("off duty; the desk cannot be reached"), "{why}");
    house.ask(&["operator", "resume", "li-na"]).refused(1, &["neither paused nor suspended", "off duty"]);
    house
        .ask(&["operator", "pause", "li-na", "--for", "5m"])
        .refused(1, &["not in a state", "at this moment: off duty"]);
    house.ask(&["operator", "remove", "li-na"]).refused(2, &["nobody can be asked", "say --yes"]);
    assert_eq!(house.object(&["operator", "remove", "li-na", "--yes"])["kind"], "operator_removed");
    let nobody = house.ask(&["operator", "list"]);
    assert_eq!((nobody.code, nobody.out.as_str(), nobody.err.as_str()), (0, "", "there are none\n"));
}

#[test]
fn a_pause_ends_by_resume() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    assert_eq!(house.object(&["operator", "show", "li-na"])["item"]["state"], "paused");
    let resumed = house.ask(&["operator", "resume", "li-na", "--lang", "zh"]);
    assert_eq!((resumed.code, resumed.err.as_str()), (0, "li-na 已恢复，重新接派\n"), "{resumed:?}");
    assert_eq!(house.object(&["operator", "show", "li-na"])["item"]["state"], "ready");
    assert_eq!(house.object(&["operator", "off", "li-na"])["kind"], "operator_off");
    assert_eq!(house.object(&["operator", "show", "li-na"])["item"]["state"], "off_duty");
}

#[test]
fn what_is_known_of_a_person_is_changed_piece_by_piece() {
    let house = House::open();
    house.told(&[
        "operator",
        "add",
        "li-na",
        "--team",
        "volunteers",
        "--home",
        "duty",
        "--skill",
        "cantonese",
    ]);
    let change = |more: &[&str]| house.ask(&[&["operator", "change", "li-na"], more].concat());
    change(&[]).refused(2, &["nothing to change", "--no-team"]);
    change(&["--team", "youht"]).refused(1, &["did you mean youth?"]);
    change(&["--team", "youth", "--no-team"]).refused(2, &["--no-team"]);
    house.ask(&["operator", "change", "li", "--no-home"]).refused(1, &["a change takes the whole id"]);
    let changed = change(&["--team", "youth", "--team", "professionals", "--no-home"]);
    assert!(changed.code == 0 && changed.err.contains("youth"), "{changed:?}");
    let person = house.object(&["operator", "show", "li-na"])["item"].clone();
    let mut teams: Vec<&str> =
        person["teams"].as_array().expect("teams").iter().filter_map(|team| team.as_str()).collect();
    teams.sort_unstable();
    assert_eq!(teams, ["professionals", "youth"]);
    assert_eq!((&person["home_lines"], &person["skills"][0]), (&serde_json::json!([]), &"cantonese".into()));
}

/// A way to the server. Before something goes on that names this person, the other does what is theirs, by its number.
fn way_with_another(
    house: &House,
    name: &'static str,
    mut does: impl FnMut(usize) + Send + 'static,
) -> String {
    let door = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", door.local_addr().expect("an address"));
    let server: SocketAddr =
        house.address.strip_prefix("http://").expect("HTTP").parse().expect("an address");
    std::thread::spawn(move || {
        let mut named = 0;
        for mut inside in door.incoming().flatten() {
            let mut through = TcpStream::connect(server).expect("the server");
            let (mut from, mut to) =
                (through.try_clone().expect("a socket"), inside.try_clone().expect("a socket"));
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let mut bytes = [0; 16_384];
            while let Ok(length @ 1..) = inside.read(&mut bytes) {
                if bytes[..length].windows(name.len()).any(|window| window == name.as_bytes()) {
                    does(named);
                    named += 1;
                }
                through.write_all(&bytes[..length]).expect("passed on");
            }
            let _closed = through.shutdown(Shutdown::Both);
        }
    });
    address
}

/// Li Na is in this team from here on and has no skill, whatever was known of her.
fn put_in_team(address: &str, token: &str, team: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let bearer = Bearer::new(token).expect("a token");
        let admin = Client::new(address, bearer).expect("an address");
        let profile = v1::OperatorProfile {
            team_ids: vec![team.to_owned()],
            home_line_ids: vec!["duty".to_owned()],
            device: v1::DeviceKind::Softphone.into(),
            ..Default::default()
        };
        let (operator_id, profile) = ("li-na".to_owned(), Some(profile));
        let change = v1::ChangeOperatorRequest { operator_id, profile, ..Default::default() };
        admin.send(change).await.expect("changed");
    });
}

#[test]
fn what_another_administrator_changes_meanwhile_is_kept() {
    let house = House::open();
    house.told(&["operator", "add", "li-na", "--home", "duty"]);
    let token = house.token("admin");
    house.write_private("admin.token", &token);
    let give_skill = |way: &str, more: &[&str]| {
        let change = ["operator", "change", "li-na", "--skill", "cantonese", "--server", way];
        house.ask(&[&change[..], &["--token-file", "admin.token"], more].concat())
    };
    let known = || house.object(&["operator", "show", "li-na"])["item"].clone();
    let (address, other) = (house.address.clone(), token.clone());
    let once = way_with_another(&house, "li-na", move |n| {
        if n == 0 {
            put_in_team(&address, &other, "youth");
        }
    });
    let changed = give_skill(&once, &[]);
    assert_eq!(changed.code, 0, "{changed:?}");
    assert!(changed.err.contains("somebody else changed this operator meanwhile"), "{changed:?}");
    let person = known();
    assert_eq!((&person["teams"], &person["skills"]), (&json!(["youth"]), &json!(["cantonese"])));
    assert_eq!(person["home_lines"], json!(["duty"]));

    let address = house.address.clone();
    let always = way_with_another(&house, "li-na", move |n| {
        put_in_team(&address, &token, ["volunteers", "youth"][n % 2]);
    });
    give_skill(&always, &[]).refused(1, &["somebody else changed this operator", "do it again"]);
    let person = known();
    assert_eq!((&person["teams"], &person["skills"]), (&json!(["youth"]), &json!([])), "as the other said");
    give_skill(&always, &["--lang", "zh"]).refused(1, &["其间有人更改了该接线员", "再执行一次"]);
}

#[test]
fn whoever_is_invited_comes_to_a_token_once() {
    let house = House::open();
    house.told(&["operator", "add", "li-na", "--home", "duty"]);
    house.ask(&["operator", "invite", "li-an"]).refused(1, &["did you mean li-na?"]);
    house.ask(&["operator", "invite", "li-na", "--for", "31d"]).refused(1, &["at most 30 days"]);
    house.ask(&["operator", "invite", "li-na", "-o", "name"]).refused(2, &["--invite-out"]);
    let invited = house.ask(&["operator", "invite", "li-na"]);
    assert!(
        invited.code == 0 && invited.out.starts_with("hi_") && invited.out.lines().count() == 1,
        "{invited:?}"
    );
    assert!(invited.err.contains("li-na is invited") && invited.err.contains("clock: "), "{invited:?}");
    let item = house.object(&["operator", "invite", "li-na", "--invite-out", "li-na.invite"])["item"].clone();
    assert_eq!((item["invite_file"].as_str(), item.get("invite")), (Some("li-na.invite"), None));
    let mode = std::fs::metadata(house.path("li-na.invite")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    house
        .ask(&["operator", "invite", "li-na", "--invite-out", "li-na.invite"])
        .refused(2, &["li-na.invite is there already"]);
    let text = std::fs::read_to_string(house.path("li-na.invite")).expect("the invitation");
    assert_eq!(
        house.redeem(invited.out.trim()),
        Err("NO_VALID_INVITE".to_owned()),
        "a later one took its place"
    );
    let token = house.redeem(text.trim()).expect("redeemed");
    assert!(token.starts_with("hl_"), "a token");
    assert_eq!(house.redeem(text.trim()), Err("NO_VALID_INVITE".to_owned()), "once");
    let rows = house.object(&["audit", "list", "--object", "operator:li-na"])["items"].to_string();
    assert!(
        rows.contains("invite.redeem") && rows.contains("operator.invite") && !rows.contains("hi_"),
        "{rows}"
    );
}

#[test]
fn teams_are_listed_with_their_people_by_what_they_do() {
    let house = House::open();
    house.have_somebody_paused("li-na", "duty");
    house.told(&["operator", "change", "li-na", "--team", "volunteers"]);
    house.told(&["operator", "add", "wang", "--team", "volunteers", "--team", "youth"]);
    let table = house.told(&["team", "list", "--lang", "zh-CN"]);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["标识", "名称", "空闲", "振铃", "通话", "话后", "暂停", "下班"]);
    assert_eq!(rows[1], ["professionals", "专业接线员", "0", "0", "0", "0", "0", "0"]);
    assert_eq!(rows[2], ["volunteers", "社工志愿者", "0", "0", "0", "0", "1", "1"]);
    assert_eq!((rows[3][0], rows[3][7], rows.len()), ("youth", "1", 4));
    let object = house.object(&["team", "list"]);
    let team = &object["items"][1];
    assert_eq!((object["kind"].as_str(), team["title"]["zh"].as_str()), (Some("teams"), Some("社工志愿者")));
    assert_eq!((team["paused"].as_u64(), team["off"].as_u64()), (Some(1), Some(1)));
    let members = |team: &str| house.told(&["team", "members", team, "-o", "name"]);
    assert_eq!((members("volunteers"), members("you")), ("li-na\nwang\n".into(), "wang\n".into()));
    assert_eq!(house.ask(&["team", "members", "professionals"]).err, "there are none\n");
    house.ask(&["team", "members", "volunters"]).refused(1, &["did you mean volunteers?"]);
}

#[test]
fn slips_in_teams_lines_and_ids_get_the_nearest() {
    let house = House::open();
    let add = |more: &[&str]| house.ask(&[&["operator", "add", "wang"], more].concat());
    add(&["--team", "volunters"]).refused(1, &["there is no team \"volunters\"", "did you mean volunteers?"]);
    add(&["--home", "switchbord"])
        .refused(1, &["there is no line \"switchbord\"", "did you mean switchboard?"]);
    house.ask(&["operator", "add", "Wang Wei"]).refused(2, &["write, for example, wang-wei"]);
    house.ask(&["operator", "add", "王伟", "--lang", "zh"]).refused(2, &["错误：", "只用 a-z、0-9 和 -"]);
    house.told(&["operator", "add", "wang-wei"]);
    house.told(&["operator", "add", "wang-lin"]);
    house.ask(&["operator", "show", "wang"]).refused(2, &["wang-lin, wang-wei"]);
    house.ask(&["operator", "off", "wang-we"]).refused(1, &["a change takes the whole id", "wang-wei"]);
    house.ask(&["operator", "add", "wang-wei"]).refused(1, &["choose another id"]);
    house.ask(&["operator", "why", "wang-wie"]).refused(1, &["did you mean wang-wei?"]);
}

#[test]
fn tokens_are_made_used_and_taken_away() {
    let house = House::open();
    let create = ["token", "create", "supervisor", "night", "--yes", "--token-out", "night.token"];
    let made = house.object(&create)["item"].clone();
    assert_eq!(
        (made["role"].as_str(), made["token_file"].as_str()),
        (Some("supervisor"), Some("night.token"))
    );
    assert!(made.get("token").is_none(), "it is in the file and nowhere else");
    let mode = std::fs::metadata(house.path("night.token")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    house.ask(&create).refused(2, &["night.token is there already"]);
    let as_night = |more: &[&str]| house.ask(&[more, &["--token-file", "night.token"]].concat());
    assert_eq!(as_night(&["line", "list"]).code, 0);
    assert_eq!(as_night(&["line", "show", "duty"]).code, 0, "without what the plan says");
    as_night(&["plan", "get"]).refused(4, &["not for this role", "administrator's token"]);
    house.ask(&["token", "create", "gateway", "gw-7", "--yes", "-o", "name"]).refused(2, &["--token-out"]);
    let gateway = ["token", "create", "gateway", "gw-7"];
    house.told(&gateway);
    house.ask(&gateway).refused(2, &["say --yes", "gateway gw-7 has a token, which will be worth nothing"]);
    assert_eq!(house.object(&["token", "revoke", "supervisor", "night", "--yes"])["item"]["revoked"], true);
    as_night(&["line", "list"]).refused(4, &["no valid token"]);
    house
        .ask(&["token", "revoke", "supervisor", "night", "--yes"])
        .refused(1, &["supervisor night has no token", "hotline token list"]);
    house.told(&["token", "create", "supervisor", "night", "--yes"]);
    house.ask(&["token", "revoke", "supervisor", "nigth", "--yes"]).refused(1, &["did you mean night?"]);
    house.ask(&["token", "create", "operator", "nobody", "--yes"]).refused(1, &["there is no operator"]);
}
