//! Which server is asked, and with whose token.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use crate::house::{House, command_in, said};

#[test]
fn on_the_servers_machine_nothing_has_to_be_said() {
    let house = House::open();
    assert!(house.told(&["line", "list", "-o", "name"]).contains("emergency"));
    let elsewhere = tempfile::tempdir().expect("a directory");
    let data = house.path("data");
    let data = data.to_str().expect("text");
    assert_eq!(said(command_in(elsewhere.path(), &["line", "list", "--data", data])).code, 0);
    let mut command = command_in(elsewhere.path(), &["line", "list"]);
    command.env("HOTLINE_DATA", data);
    assert_eq!(said(command).code, 0);
}

#[test]
fn a_token_that_others_can_read_is_refused_with_what_mends_it() {
    let house = House::open();
    let path = house.write_private("admin token", &format!("{}\n", house.token("admin")));
    let ask = || house.ask(&["line", "list", "--token-file", "admin token"]);
    assert_eq!(ask().code, 0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("its mode");
    ask().refused(4, &["can be read by others (mode 644)", "chmod 600 'admin token'"]);
    let tokens = house.path("data/tokens.json");
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o640)).expect("its mode");
    house.ask(&["line", "list"]).refused(4, &["chmod 600 'data/tokens.json'"]);
    house.write_private("two.token", "hl_a b");
    house.ask(&["line", "list", "--token-file", "two.token"]).refused(4, &["is no token"]);
    house.write_private("wrong.token", "hl_nobody_knows");
    house
        .ask(&["line", "list", "--token-file", "wrong.token"])
        .refused(4, &["no valid token", "hotline token create"]);
}

#[test]
fn the_environment_says_it_without_flags() {
    let house = House::open();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = command_in(elsewhere.path(), arguments);
        command.envs(variables.iter().copied());
        said(command)
    };
    let (address, token) = (house.address.as_str(), house.token("admin"));
    let file = house.write_private("admin.token", &token);
    let file = file.to_str().expect("text");
    assert_eq!(with(&[("HOTLINE_SERVER", address), ("HOTLINE_TOKEN", &token)], &["line", "list"]).code, 0);
    assert_eq!(with(&[("HOTLINE_SERVER", address), ("HOTLINE_TOKEN_FILE", file)], &["line", "list"]).code, 0);
    with(&[("HOTLINE_SERVER", address), ("HOTLINE_TOKEN", "hl_a_b")], &["line", "list"])
        .refused(4, &["no valid token"]);
    with(&[("HOTLINE_SERVER", address)], &["line", "list", "--token", &token])
        .refused(2, &["unexpected argument"]);
}

#[test]
fn profiles_name_servers() {
    let house = House::open();
    let home = house.path("config/hotline");
    fs::create_dir_all(&home).expect("made");
    house.write_private("config/hotline/ward.token", &house.token("supervisor"));
    let text = format!(
        "[profiles.ward]\nserver = \"{}\"\ntoken_file = \"ward.token\"\nlang = \"zh-CN\"\n\n[profiles.far]\nserver = \"http://127.0.0.1:9\"\n",
        house.address
    );
    house.write("config/hotline/profiles.toml", &text);
    let listed = house.told(&["line", "list", "--profile", "ward"]);
    assert!(listed.starts_with("标识"), "{listed}");
    house.ask(&["plan", "get", "--profile", "ward"]).refused(4, &["此令牌的角色不能这样做"]);
    house.ask(&["line", "list", "--profile", "wrad"]).refused(2, &["did you mean ward?"]);
    house
        .ask(&["line", "list", "--profile", "far"])
        .refused(4, &["there is no token for http://127.0.0.1:9"]);
    house.write("config/hotline/profiles.toml", &format!("default = \"ward\"\n{text}"));
    assert!(house.told(&["line", "list"]).starts_with("标识"), "the default one");
    assert!(house.told(&["line", "list", "--lang", "en"]).starts_with("LINE"), "the flag comes first");
    let other = ["line", "list", "--profile", "ward", "--server", "http://127.0.0.1:9"];
    house.ask(&other).refused(4, &["没有用于 http://127.0.0.1:9 的令牌"]);
    house.write("config/hotline/profiles.toml", "[profiles.ward]\ntoken = \"hl_x\"\n");
    house
        .ask(&["line", "list", "--profile", "ward"])
        .refused(2, &["unknown field `token`", "never stands in this file"]);
}

#[test]
fn over_tls_the_authority_is_found_or_named() {
    let certs = tempfile::tempdir().expect("a directory");
    let dir = certs.path().join("certs");
    let dir = dir.to_str().expect("text");
    assert_eq!(said(command_in(certs.path(), &["certs", "init", dir])).code, 0);
    let house = House::open_with(&["--tls", dir]);
    assert!(house.address.starts_with("https://"));
    assert_eq!(house.ask(&["line", "list"]).code, 0, "the server wrote down where its authority is");
    let elsewhere = tempfile::tempdir().expect("a directory");
    house.write_private("admin.token", &house.token("admin"));
    let token = house.path("admin.token");
    let ask = |more: &[&str]| {
        let first =
            ["line", "list", "--server", &house.address, "--token-file", token.to_str().expect("text")];
        said(command_in(elsewhere.path(), &[&first[..], more].concat()))
    };
    ask(&[]).refused(2, &["there is no authority", "--ca FILE"]);
    assert_eq!(ask(&["--ca", &format!("{dir}/ca.pem")]).code, 0);
    let other = elsewhere.path().join("other");
    let other = other.to_str().expect("text");
    assert_eq!(said(command_in(elsewhere.path(), &["certs", "init", other])).code, 0);
    ask(&["--ca", &format!("{other}/ca.pem")]).refused(3, &["no server answers", "certificate"]);
}

#[test]
fn a_data_directory_that_is_named_comes_before_the_environment_and_profiles() {
    let house = House::open();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let home = elsewhere.path().join("config/hotline");
    fs::create_dir_all(&home).expect("made");
    let text = "default = \"far\"\n[profiles.far]\nserver = \"http://127.0.0.1:9\"\n";
    fs::write(home.join("profiles.toml"), text).expect("written");
    let data = house.path("data");
    let data = data.to_str().expect("text");
    let with = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = command_in(elsewhere.path(), &[&["line", "list"], more].concat());
        command.envs(variables.iter().copied());
        said(command)
    };
    let others: [&[(&str, &str)]; 3] = [
        &[("HOTLINE_SERVER", "http://127.0.0.1:9"), ("HOTLINE_TOKEN", "hl_a_b")],
        &[("HOTLINE_PROFILE", "far"), ("HOTLINE_TOKEN_FILE", "nowhere")],
        &[("HOTLINE_DATA", "nowhere")],
    ];
    for variables in others {
        let listed = with(variables, &["--data", data]);
        assert_eq!(listed.code, 0, "{variables:?}: {listed:?}");
    }
    assert_eq!(with(&[("HOTLINE_DATA", data)], &[]).code, 0, "before a profile that nobody named");
    with(&[], &["--data", data, "--profile", "far"]).refused(2, &["--profile and --data", "say one of them"]);
    with(&[("HOTLINE_SERVER", "http://127.0.0.1:9"), ("HOTLINE_DATA", data)], &[])
        .refused(3, &["no server answers at http://127.0.0.1:9"]);
}

#[test]
fn a_directory_that_lies_here_does_not_get_the_environments_token() {
    let house = House::open();
    let trap = TcpListener::bind("127.0.0.1:0").expect("a port");
    trap.set_nonblocking(true).expect("set");
    let address = trap.local_addr().expect("an address");
    house.write("data/server.json", &format!("{{\"address\":\"http://{address}\"}}"));
    for (name, value) in [("HOTLINE_TOKEN", "hl_a_b"), ("HOTLINE_TOKEN_FILE", "data/tokens.json")] {
        let mut command = house.command(&["line", "list"]);
        command.env(name, value);
        assert_ne!(said(command).code, 0, "it went elsewhere");
        assert_eq!(trap.accept().expect_err("nobody came").kind(), ErrorKind::WouldBlock);
    }
    house.ask(&["line", "list"]);
    trap.accept().expect("without it the directory says where to go");
}

#[test]
fn a_server_that_is_being_started_again_is_waited_for() {
    let house = House::open();
    house.write_private("admin.token", &house.token("admin"));
    let commands: [&[&str]; 3] =
        [&["board"], &["operator", "list"], &["events", "tail", "--from", "now", "--no-follow"]];
    for command in commands {
        let door = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", door.local_addr().expect("an address"));
        let server: SocketAddr =
            house.address.strip_prefix("http://").expect("HTTP").parse().expect("an address");
        std::thread::spawn(move || {
            // Nobody is there yet: whoever comes first is cut off.
            drop(door.accept());
            for inside in door.incoming().flatten() {
                let through = TcpStream::connect(server).expect("the server");
                for (mut from, mut to) in [(&inside, &through), (&through, &inside)].map(|(from, to)| {
                    (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"))
                }) {
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                }
            }
        });
        let asked = house.ask(&[command, &["--server", &address, "--token-file", "admin.token"]].concat());
        assert_eq!(asked.code, 0, "{command:?}: {asked:?}");
    }
}
