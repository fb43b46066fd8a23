use std::fs;
use std::process::Stdio;

use crate::house::{House, command_in, said};

#[test]
fn slips_in_nouns_and_verbs_get_the_nearest() {
    let dir = tempfile::tempdir().expect("a directory");
    for (arguments, tip) in
        [(["lien", "list"], "'line'"), (["line", "lst"], "'list'"), (["plan", "aply"], "'apply'")]
    {
        said(command_in(dir.path(), &arguments)).refused(2, &["similar", tip]);
    }
    said(command_in(dir.path(), &["line", "list", "-o", "jsn"])).refused(2, &["json"]);
}

#[test]
fn flags_that_make_no_sense_are_told_in_chinese() {
    let dir = tempfile::tempdir().expect("a directory");
    let told = |arguments: &[&str], words: &[&str]| {
        said(command_in(dir.path(), &[arguments, &["--lang", "zh-CN"]].concat())).refused(2, words);
        // The locale alone says it, too.
        let mut command = command_in(dir.path(), arguments);
        command.env("LANG", "zh_CN.UTF-8");
        said(command).refused(2, words);
    };
    told(
        &["lien", "list"],
        &["错误：没有命令 lien", "您是否指 line？", "用法：hotline", "详细说明：加 --help"],
    );
    told(&["line", "lst"], &["没有命令 lst", "list"]);
    told(&["line", "list", "--colour"], &["没有选项 --colour"]);
    told(&["line", "list", "--data-dir", "x"], &["没有选项 --data-dir", "您是否指 --data"]);
    told(&["line", "list", "--site", "north"], &["没有选项 --site", "令牌属于一个站点"]);
    told(&["line", "list", "-o", "jsn"], &["--output <OUTPUT> 不能是 jsn", "json", "您是否指 json？"]);
    told(&["line", "close"], &["缺少：", "<LINE>", "--for <LENGTH>", "用法：hotline line close [选项]"]);
    told(&["call", "list", "--limit", "0"], &["--limit <N> 不能是 0", "不在 1 到 1000 之间"]);
    told(&["call", "list", "--limit", "many"], &["--limit <N> 不能是 many", "不是整数"]);
    told(&["line", "show", "duty", "emergency"], &["多余的参数 emergency"]);
    told(&["line", "show", "duty", "--data", "--yes"], &["--data <DIR> 之后须写一个值"]);
    told(&["operator", "change", "a", "--team", "b", "--no-team"], &["不能与", "同时使用"]);
    let english = said(command_in(dir.path(), &["line", "lst", "--lang", "fr"]));
    assert!(english.code == 2 && english.err.contains("error:"), "{english:?}");
    for typed in [
        &["migrate", "postgres://a:s3cret@b/c"][..],
        &["postgres://a:s3cret@b/c"],
        &["migrate", "host=b password=s3cret"],
        &["serve", "--listen", "postgres://a:s3cret@b/c"],
    ] {
        for lang in ["en", "zh-CN"] {
            let shown = said(command_in(dir.path(), &[typed, &["--lang", lang]].concat()));
            assert!(shown.code == 2 && !shown.err.contains("s3cret") && shown.err.contains('…'), "{shown:?}");
        }
    }
    said(command_in(dir.path(), &["line", "list", "--site", "north", "--lang", "en"]))
        .refused(2, &["unexpected argument '--site'", "a token is of one site"]);
}

#[test]
fn help_is_there_in_chinese() {
    let dir = tempfile::tempdir().expect("a directory");
    let ask = |arguments: &[&str]| said(command_in(dir.path(), arguments));
    for arguments in [&["line", "--help", "--lang", "zh"][..], &["help", "line", "--lang=zh"]] {
        let help = ask(arguments);
        assert_eq!(help.code, 0, "{help:?}");
        for words in ["热线：公布的号码", "用法：hotline line", "命令:", "示例：", "退出码：0 完成"]
        {
            assert!(help.out.contains(words), "{words:?} is not in {}", help.out);
        }
    }
    let whole = ask(&["help", "line", "close", "--lang", "zh"]);
    assert!(whole.out.contains("（默认：by-hand）") && whole.out.contains("可选值："), "{whole:?}");
    let page = ask(&["man", "line", "close"]);
    assert!(page.out.contains("Close a line by hand"), "{page:?}");
    let mut command = command_in(dir.path(), &["man", "line", "close"]);
    command.env("LC_ALL", "zh_CN.UTF-8");
    assert!(said(command).out.contains("人工关闭一条热线"));
}

#[test]
fn without_a_token_it_is_said_where_one_comes_from() {
    let dir = tempfile::tempdir().expect("a directory");
    let ask = |arguments: &[&str]| said(command_in(dir.path(), arguments));
    ask(&["line", "list"])
        .refused(4, &["there is no token for http://127.0.0.1:7430", "--token-file", "--data"]);
    ask(&["line", "list", "--lang", "zh"]).refused(4, &["没有用于 http://127.0.0.1:7430 的令牌"]);
    ask(&["line", "list", "--data", "nowhere"]).refused(4, &["nowhere/tokens.json is not there"]);
    ask(&["line", "list", "--token-file", "gone"])
        .refused(4, &["gone cannot be read", "hotline token create"]);
    let as_object = ask(&["line", "list", "-o", "json"]);
    let fault: serde_json::Value = serde_json::from_str(&as_object.err).expect("a fault for programs");
    assert_eq!((fault["kind"].as_str(), fault["item"]["code"].as_str()), (Some("error"), Some("NO_TOKEN")));
    assert_eq!(fault["item"]["exit"], 4);
    let as_yaml = ask(&["line", "list", "-o", "yaml"]).err;
    assert!(as_yaml.starts_with("item:\n  code: \"NO_TOKEN\"\n  exit: 4\n"), "{as_yaml}");
    assert!(as_yaml.ends_with("kind: \"error\"\nversion: 1\n"), "{as_yaml}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let house = House::open();
    house.write_private("admin.token", &house.token("admin"));
    let ask = |more: &[&str]| house.ask(&[&["line", "list", "--token-file", "admin.token"], more].concat());
    ask(&["--server", "http://127.0.0.1:9"])
        .refused(3, &["no server answers at http://127.0.0.1:9", "refused", "HOTLINE_SERVER"]);
    ask(&["--server", "127.0.0.1:9"]).refused(2, &["not the address of a server", "http://HOST:PORT"]);
    ask(&["--server", "http://203.0.113.7:1"]).refused(2, &["in the clear", "--insecure-plaintext"]);
    ask(&["--server", "https://127.0.0.1:9"]).refused(2, &["--ca FILE"]);
    let next = format!("http://127.0.0.1:9,{}", house.address);
    assert!(ask(&["--server", &next]).out.contains("emergency"), "the next one is asked");
    for several in ["http://127.0.0.1:9,", "http://127.0.0.1:9,https://127.0.0.1:9"] {
        ask(&["--server", several]).refused(2, &["not the address of a server", "commas between several"]);
    }
    ask(&["--server", "http://127.0.0.1:9,http://203.0.113.7:1"]).refused(2, &["in the clear"]);
}

#[test]
fn lengths_of_time_have_units() {
    let house = House::open();
    let close = |lasting: &str| house.ask(&["line", "close", "duty", "--for", lasting]);
    close("30min").refused(2, &["not a length of time", "write 30m"]);
    close("30").refused(2, &["the unit is missing"]);
    close("31d").refused(1, &["1m to 30d"]);
    close("1s").refused(1, &["1m to 30d"]);
    house
        .ask(&["line", "close", "duty", "--for", "1h", "--reason", "it broke"])
        .refused(2, &["no free text"]);
    assert_eq!(house.object(&["line", "show", "duty"])["item"]["state"], "open", "nothing was half done");
}

#[test]
fn a_pipe_closed_early_ends_quietly() {
    let house = House::open();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = house.command(&["plan", "get"]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().expect("it ran");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"), "{output:?}");
}

#[test]
fn a_verdict_outlives_its_reader() {
    let house = House::open();
    house.write("other.toml", &plan::HOSPITAL.replace("max_waiting = 80 ", "max_waiting = 90 "));
    house.write("bad.toml", "[shifts]\n");
    house.write("bad-roster.toml", "[shift]\n");
    let commands: [(&[&str], i32); 6] = [
        (&["plan", "diff", "-f", "other.toml"], 1),
        (&["plan", "diff", "-f", "other.toml", "-o", "json"], 1),
        (&["plan", "validate", "-f", "bad.toml", "--offline"], 1),
        (&["roster", "validate", "-f", "bad-roster.toml"], 1),
        (&["audit", "verify"], 0),
        (&["doctor", "--data", "data", "--config", "nowhere.toml"], 1),
    ];
    for (arguments, code) in commands {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = house.command(arguments).stdout(writer).stderr(Stdio::piped()).output().expect("it ran");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }
}

#[test]
fn a_full_disk_behind_the_output_is_said() {
    let house = House::open();
    let mut command = house.command(&["plan", "get"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let output = command.stdout(full).stderr(Stdio::piped()).output().expect("it ran");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output cannot be written to"));
}
