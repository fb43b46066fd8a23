//! What a server does not begin on: a site that is not there, tokens of another one, a database that is not the right one.

use std::fs::{self, File};
use std::path::Path;

use api::{Client, v1};

use super::{Shared, hotline, said, text};
use crate::database::ask;
use crate::private::Private;
use crate::server::Server;

/// What a server says that does not start with these flags; nobody is told that it would be ready.
fn refusal(code: i32, lang: &str, more: &[&str]) -> String {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--with-parent", "--lang", lang];
    let refused = hotline(&[&serve[..], more].concat());
    assert_eq!(refused.status.code(), Some(code), "{more:?}: {}", said(&refused));
    assert!(refused.stdout.is_empty(), "{more:?}: {}", said(&refused));
    said(&refused)
}

/// On a record of the sites main and north, which `kept` names.
async fn only_sites_that_are_there_are_served(name: &str, kept: &[&str], verify: &[&str]) {
    let mut server = Server::start(name, kept);
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address").to_owned();
    let admin = Client::new(&address, server.token("admin")).expect("an address");
    let north = v1::CreateSiteRequest { site_id: "north".to_owned(), ..Default::default() };
    admin.send(north).await.expect("begun");
    server.log();
    let tokens = server.tokens.clone();
    let handed_out = fs::read_to_string(&tokens).expect("the token file");

    let dir = tempfile::tempdir().expect("a directory");
    let [slip, of_north, elsewhere] =
        ["slip.toml", "north.toml", "new.json"].map(|name| dir.path().join(name));
    fs::write(&slip, "site = \"mian\"\n").expect("written");
    fs::write(&of_north, "site = \"north\"\n").expect("written");
    let refused = |lang: &str, config: &Path, tokens: &Path| {
        let more = ["--config", text(config), "--tokens-file", text(tokens)];
        refusal(2, lang, &[&more[..], kept].concat())
    };
    for tokens in [&tokens, &elsewhere] {
        let told = refused("en", &slip, tokens);
        assert!(told.contains("there is no site mian in this record, which has main, north;"), "{told}");
        let told = refused("zh-CN", &slip, tokens);
        assert!(told.contains("错误：记录中没有站点 mian，只有 main, north；"), "{told}");
    }
    let told = refused("en", &of_north, &tokens);
    assert!(told.contains("is of site main, not of north, and is not replaced"), "{told}");
    let told = refused("zh-CN", &of_north, &tokens);
    assert!(told.contains("属于站点 main，不是 north"), "{told}");
    assert_eq!(fs::read_to_string(&tokens).expect("the token file"), handed_out, "everybody keeps theirs");
    assert!(!elsewhere.exists(), "nobody of a site that is not there has a token");
    let sound = hotline(&[&["journal", "verify", "--lang", "en"][..], verify].concat());
    let told = said(&sound);
    assert!(sound.status.success() && told.contains("site main:") && !told.contains("mian"), "{told}");

    let at_north = [&["--config", text(&of_north)][..], kept].concat();
    let mut other = Server::start(&format!("{name}-north"), &at_north);
    assert_eq!(other.ready()["site"], "north", "whichever site there is may be the home of a server");
    other.log();
    let mut again = Server::start(name, kept);
    assert_eq!(again.ready()["site"], "main");
    assert_eq!(fs::read_to_string(&again.tokens).expect("the token file"), handed_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_does_not_exist_is_not_begun_in_a_database() {
    let shared = Shared::migrated();
    let (data, postgres) = (shared.data("slip"), ["--postgres", text(&shared.file)]);
    let kept = [&postgres[..], &["--data", text(&data)]].concat();
    only_sites_that_are_there_are_served("slip-shared", &kept, &postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_does_not_exist_is_not_begun_in_a_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let kept = ["--data", text(&data)];
    only_sites_that_are_there_are_served("slip-own", &kept, &kept).await;
}

/// Each in one sentence, in both languages, with no password in it; nobody gets a token.
fn is_told(shared: &Shared, address: &str, code: i32, in_english: &str, in_chinese: &str) {
    fs::write(&shared.file, address).expect("written");
    let data = shared.data("refused");
    let more = ["--postgres", text(&shared.file), "--data", text(&data)];
    for (lang, expected) in [("en", in_english), ("zh-CN", in_chinese)] {
        let told = refusal(code, lang, &more);
        assert!(told.contains(expected), "{expected} is not in {told}");
        let password = address.split(['@', ':']).nth(2).expect("a password");
        assert!(!told.contains(password), "{told}");
    }
    assert!(!data.join("tokens.json").exists(), "{address}");
}

#[test]
fn a_database_that_is_not_the_right_one_is_told_in_a_sentence() {
    let shared = Shared::migrated();
    let address = shared.database.address();
    let (who, place) = address.rsplit_once('@').expect("an address");
    let wrong = format!("postgres://hotline:wr0ng-s3cret@{place}");
    is_told(&shared, &wrong, 1, "refuses the password of hotline", "拒绝了 hotline 的密码");
    let stranger = format!("postgres://nobody-here:wr0ng-s3cret@{place}");
    is_told(&shared, &stranger, 1, "refuses the password of nobody-here", "拒绝了 nobody-here 的密码");
    let (server, name) = place.rsplit_once('/').expect("an address");
    let nowhere = format!("{who}@{server}/{name}_nowhere");
    is_told(&shared, &nowhere, 1, "make it with createdb", "没有这个数据库");
    let away = "postgres://hotline:wr0ng-s3cret@127.0.0.1:1/calls";
    is_told(&shared, away, 1, "nobody answers at 127.0.0.1:1", "没有应答");
    fs::write(&shared.file, &address).expect("written");
    shared.start("right-address").ready();
}

#[test]
fn a_schema_of_a_later_release_is_not_served_and_stays_as_it_is() {
    let shared = Shared::migrated();
    let address = shared.database.address();
    ask(
        &address,
        "INSERT INTO hotline._sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'later', TRUE, '', 0)",
    );
    let later = "has step 99, which this release does not know; start the release that made it";
    is_told(&shared, &address, 78, later, "已有第 99 步，本版程序不认识");
    let migrate = hotline(&["migrate", "--postgres", text(&shared.file), "--lang", "en"]);
    assert_eq!(migrate.status.code(), Some(1), "{}", said(&migrate));
    assert!(said(&migrate).contains(later), "{}", said(&migrate));
    ask(&address, "DELETE FROM hotline._sqlx_migrations WHERE version = 99");
    shared.start("right-schema").ready();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_not_served_from() {
    let (server, shared) = (Private::start().await, Shared::migrated());
    fs::write(&shared.file, &server.url).expect("written");
    let made = hotline(&["migrate", "--postgres", text(&shared.file)]);
    assert!(made.status.success(), "{}", said(&made));
    server.does("stop").await;
    File::create(server.data().join("standby.signal")).expect("made");
    server.does("start").await;
    is_told(&shared, &server.url, 1, "is a replica and takes no writes; name the primary", "是只读副本");
}
