//! The tutorial as a newcomer goes through it: every command of it in order, in a directory that is empty at first, each
//! with the answer that the tutorial shows; and the mistakes that are easily made on the way.
//!
//! The server's clock is stepped, so that a call of a minute takes none, and what differs from run to run (times, tokens,
//! ports, hashes, sizes) is compared by its shape.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::house::{House, command_in};
use crate::play::{Desk, Gateway};
use crate::terminal::Terminal;

/// The two callers of the sixth part, by the ids that the tutorial shows.
const CALLS: [&str; 2] = ["897829c2-09f9-4cec-8e60-1818eafd7dff", "1a0b7c1a-9b07-44d6-8251-0226f931cea0"];
/// Half past nine in the evening, when the tutorial was written, in microseconds since the site's midnight.
const EVENING_US: u64 = 77_400_000_000;
const SECOND_US: u64 = 1_000_000;

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(path).expect("the tutorial")
}

/// A part of the tutorial that is done: a file that is written, or a command with what it says.
#[derive(Debug)]
enum Step {
    File { text: String },
    Typed { line: usize, command: String, said: Vec<String> },
}

fn steps(text: &str) -> Vec<Step> {
    let (mut steps, mut fence, mut block) = (Vec::new(), None, Vec::new());
    for (n, line) in text.lines().enumerate() {
        match (&fence, line.strip_prefix("```")) {
            (None, Some(kind)) => fence = Some((kind.to_owned(), n + 2)),
            (Some((kind, first)), Some(_)) => {
                match kind.as_str() {
                    "console" => typed(*first, &block, &mut steps),
                    "toml" => steps.push(Step::File { text: block.join("\n") + "\n" }),
                    // The callers' program: the stage `strangers` plays it, and here it is played for it.
                    "sh" => assert!(block.iter().any(|line| line.contains("two_callers.py")), "{block:?}"),
                    other => panic!("line {first}: nobody knows what to do with {other:?}"),
                }
                (fence, block) = (None, Vec::new());
            }
            (Some(_), None) => block.push(line.to_owned()),
            (None, None) => {}
        }
    }
    steps
}

fn typed(first: usize, block: &[String], steps: &mut Vec<Step>) {
    for (n, line) in block.iter().enumerate() {
        match line.strip_prefix("$ ") {
            Some(command) => {
                steps.push(Step::Typed { line: first + n, command: command.to_owned(), said: Vec::new() });
            }
            None => match steps.last_mut() {
                Some(Step::Typed { said, .. }) => said.push(line.clone()),
                _ => panic!("line {}: an answer without a command", first + n),
            },
        }
    }
}

/// What differs from run to run, by its shape; the room between columns by one blank.
fn shape(line: &str) -> String {
    let mut line = line.replace('[', " [").replace("…", " … ");
    for sign in ["，", "。", "；", "：", "、", "（", "）", "“", "”"] {
        line = line.replace(sign, &format!(" {sign} "));
    }
    let mut words: Vec<String> = line.split_whitespace().map(shape_of).collect();
    // `311296 bytes`, `process 15646`, `life 1795…`, `main: 33`, `all 30 rows`, the same in Chinese, and the number of a
    // row of the audit.
    for n in 0..words.len() {
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let follows = |word: &str| n > 0 && words[n - 1].trim_end_matches(':').ends_with(word);
        let before =
            |word: &str| words.get(n + 1).is_some_and(|next| next.trim_end_matches(['.', ',']) == word);
        let bare = words[n].trim_end_matches([';', '.', ',']).to_owned();
        let counts = before("bytes") || before("rows") || before("字节") || before("DATE") && n == 0;
        if is_number(&bare)
            && (counts || ["process", "life", "main", "进程", "纪元", "全部"].into_iter().any(follows))
        {
            words[n] = "N".to_owned();
        }
    }
    words.join(" ")
}

fn shape_of(word: &str) -> String {
    let bare = word.trim_matches(|c: char| ",;()\"".contains(c));
    let like = |pattern: &str| {
        bare.len() == pattern.len()
            && bare
                .bytes()
                .zip(pattern.bytes())
                .all(|(b, p)| if p == b'9' { b.is_ascii_digit() } else { b == p })
    };
    let hash = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if like("9999-99-99") {
        return "DATE".to_owned();
    }
    if like("99:99:99") || like("99:99") {
        return "CLOCK".to_owned();
    }
    if ["9.9s", "99.9s", "9.9秒", "99.9秒"].into_iter().any(like) {
        return "SECONDS".to_owned();
    }
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    if days.contains(&bare) || ["周一", "周二", "周三", "周四", "周五", "周六", "周日"].contains(&bare)
    {
        return "DAY".to_owned();
    }
    if word.starts_with("hl_") {
        return "hl_".to_owned();
    }
    if let Some((_, head)) =
        word.split_once(':').filter(|(row, rest)| row.parse::<u64>().is_ok() && hash(rest))
    {
        return format!("ROW:{}", head.len());
    }
    let mut shaped = word.to_owned();
    if let Some(at) = shaped.find("127.0.0.1:") {
        let begin = at + "127.0.0.1:".len();
        let end = shaped[begin..].find(|c: char| !c.is_ascii_digit()).map_or(shaped.len(), |end| begin + end);
        shaped.replace_range(begin..end, "PORT");
    }
    shaped
}

/// Whether a line is as it is shown; `…` stands for whatever was left out of it.
fn is_like(said: &str, shown: &str) -> bool {
    let (said, shown) = (shape(said), shape(shown));
    let mut parts = shown.split('…').map(str::trim);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = said.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.trim().is_empty() || last == Some("")
}

/// Whether the lines are as they are shown; a line `…` stands for any number of them.
fn are_like(said: &[&str], shown: &[&str]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((line, rest)) if line.trim() == "…" => {
            (0..=said.len()).any(|left_out| are_like(&said[left_out..], rest))
        }
        Some((line, rest)) => {
            said.split_first().is_some_and(|(first, others)| is_like(first, line) && are_like(others, rest))
        }
    }
}

/// Somebody who does what the tutorial says.
struct Newcomer {
    house: House,
    /// What the newcomer's machine speaks, as `LANG` says it.
    locale: &'static str,
    gateway: Option<Gateway>,
    desk: Option<Desk>,
    now_us: u64,
    second: Option<Child>,
}

impl Newcomer {
    fn step_to(&mut self, to_us: u64) {
        self.now_us = to_us;
        self.house.step(to_us);
    }

    /// As one types it: with a shell, and nothing of whoever runs the tests.
    fn shell(&self, line: &str) -> Command {
        let as_named = Path::new(env!("CARGO_BIN_EXE_hotline")).parent().expect("a directory").to_owned();
        let mut path = as_named.into_os_string();
        path.push(":/usr/bin:/bin");
        let like = self.house.command(&[]);
        let mut command = Command::new("/bin/sh");
        command
            .env_clear()
            .args(["-c", line])
            .env("PATH", path)
            .env("TZ", "Asia/Shanghai")
            .stdin(Stdio::null());
        for (name, value) in like.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command.env("LANG", self.locale).current_dir(self.house.path(""));
        command
    }

    /// What a command says on both outputs as it comes, and how it ends.
    fn types(&self, line: &str) -> (i32, String) {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = self.shell(line);
        command.stdout(writer.try_clone().expect("shared")).stderr(writer);
        let mut child = command.spawn().expect("started");
        drop(command);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut reader, &mut said).expect("text");
        (child.wait().expect("ended").code().expect("an end"), said)
    }

    /// What stands between the commands: what is written into files, what time it is, and who rings in.
    fn prepares(&mut self, command: &str, earlier: usize) {
        match command {
            "hotline roster validate -f roster.toml" if earlier == 0 => self.step_to(EVENING_US),
            "hotline roster validate -f roster.toml" => {
                self.edits("roster.toml", "daily erly", "daily early")
            }
            "hotline plan diff -f hospital.toml" => {
                assert_eq!(self.types("hotline plan get > hospital.toml").0, 0);
                self.edits("hospital.toml", "max_waiting = 80 ", "max_waiting = 60 ");
            }
            "hotline plan validate -f hospital.toml" => {
                assert_eq!(self.types("hotline plan get > hospital.toml").0, 0);
                self.edits("hospital.toml", "ring         = \"15s\"", "ring         = 15");
            }
            "hotline plan apply -f hospital.toml --yes --why 'eighty is too long a queue'" => {
                self.edits("hospital.toml", "ring         = 15", "ring         = \"15s\"");
                self.edits("hospital.toml", "max_waiting = 80 ", "max_waiting = 60 ");
            }
            "hotline call list" => self.calls_ring_in(),
            "hotline call why 897829c2" => {
                self.step_to(self.now_us + 9 * SECOND_US);
                self.gateway().hang_up(CALLS[1]);
                self.desk.take().expect("somebody sits there").leaves();
                // Nobody takes the other at the outside number, and the closing message is heard.
                self.step_to(self.now_us + 70 * SECOND_US);
                // Records are made beside the decisions, a little later.
                let both =
                    |list: &serde_json::Value| list["items"].as_array().is_some_and(|all| all.len() == 2);
                self.house.until(&["call", "list", "--closed"], both);
            }
            _ => {}
        }
    }

    fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("calls have come in")
    }

    /// The first finds nobody; by the second, `vol-1` sits at a desk.
    fn calls_ring_in(&mut self) {
        let gateway = Gateway::attach(&self.house);
        gateway.ring(CALLS[0], "emergency");
        self.gateway = Some(gateway);
        self.step_to(self.now_us + 6 * SECOND_US);
        let token = fs::read_to_string(self.house.path("vol-1.token")).expect("her token");
        let mut desk = Desk::attach(&self.house, token.trim());
        self.gateway().ring(CALLS[1], "emergency");
        desk.takes_what_is_offered();
        self.desk = Some(desk);
        self.step_to(self.now_us + 2 * SECOND_US);
    }

    fn edits(&self, name: &str, old: &str, new: &str) {
        let path = self.house.path(name);
        let before = fs::read_to_string(&path).expect("a text");
        assert!(before.contains(old), "{name} has no {old:?}");
        fs::write(path, before.replacen(old, new, 1)).expect("written");
    }

    /// A second server on the copy, until it is ready or has ended: what it said.
    fn serves_the_copy(&mut self, line: &str) -> (i32, String) {
        self.ends_the_copy();
        let mut command = self.shell(&format!("exec {line} --with-parent 2>&1"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let mut reader = std::io::BufReader::new(child.stdout.take().expect("piped"));
        let mut said = String::new();
        while !said.contains("\"addresses\"") {
            if std::io::BufRead::read_line(&mut reader, &mut said).expect("text") == 0 {
                return (child.wait().expect("ended").code().expect("an end"), said);
            }
        }
        self.second = Some(child);
        let without_ready = said.lines().filter(|line| !line.contains("\"addresses\"")).collect::<Vec<_>>();
        (0, without_ready.join("\n"))
    }

    fn ends_the_copy(&mut self) {
        if let Some(mut child) = self.second.take() {
            drop(child.stdin.take());
            child.wait().expect("ended");
        }
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.second {
            // A test that failed leaves no server behind.
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

/// Whether the tutorial shows that this is refused.
fn fails(said: &[String]) -> bool {
    let english = ["error: ", "is in use by", "is there already", "cannot be applied"];
    // A difference between two plans is told by the exit code, too.
    let chinese = ["错误：", "正被进程", "已存在", "不能应用", "处不同"];
    let marks = [&english[..], &chinese[..]].concat();
    said.iter().any(|line| marks.iter().any(|mark| line.contains(mark)))
}

/// An answer that somebody types after a question: the command, and what was typed.
fn question(said: &[String]) -> Option<(usize, String)> {
    let at = said.iter().position(|line| line.contains("[y/N]"))?;
    Some((at, said[at].rsplit(' ').next().unwrap_or_default().to_owned()))
}

#[test]
fn the_tutorial_does_what_it_says() {
    play("tutorial.md", "C");
}

#[test]
fn the_tutorial_in_chinese_does_what_it_says() {
    play("tutorial.zh-CN.md", "zh_CN.UTF-8");
}

fn play(tutorial: &str, locale: &'static str) {
    let steps = steps(&text(tutorial));
    let mut newcomer = Newcomer {
        house: House::open_with(&["--clock", "stepped", "--seed", "7"]),
        locale,
        gateway: None,
        desk: None,
        now_us: 0,
        second: None,
    };
    let mut done: Vec<String> = Vec::new();
    for step in &steps {
        let (line, command, shown) = match step {
            Step::File { text } => {
                newcomer.house.write("roster.toml", text);
                continue;
            }
            Step::Typed { line, command, said } => (line, command, said),
        };
        newcomer.prepares(command, done.iter().filter(|earlier| *earlier == command).count());
        done.push(command.clone());
        let lines: Vec<&str> = shown.iter().map(String::as_str).collect();
        if command == "hotline serve --data data" {
            // It runs since the test began: on a port of its own, by a clock of the test's.
            continue;
        }
        if command == "hotline serve --data copy" {
            // What somebody sees who began it without the key.
            newcomer.ends_the_copy();
            fs::remove_dir_all(newcomer.house.path("copy")).expect("removed");
            assert_eq!(newcomer.types("hotline restore --from monday.backup --data copy").0, 0);
        }
        if let Some((at, typed)) = question(shown) {
            let arguments: Vec<String> = words(command);
            let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
            let (mut terminal, child) = Terminal::start(&newcomer.house, 200, &arguments, &[]);
            // The blank behind it, too: what is typed comes back on the screen.
            terminal.read_until("[y/N] ");
            terminal.types(&typed);
            let screen = console::strip_ansi_codes(terminal.rest()).replace('\r', "");
            let said: Vec<&str> = screen.lines().collect();
            assert!(
                are_like(&said, &lines),
                "line {line}, question in {at}: {screen}\nis not\n{}",
                shown.join("\n")
            );
            assert_ne!(crate::terminal::code(child), 0);
            continue;
        }
        let (code, said) = match command.starts_with("hotline serve") {
            true => newcomer.serves_the_copy(command),
            false => newcomer.types(command),
        };
        if shown.is_empty() {
            // A command that asks, and here there is nobody to be asked.
            let asks = said.contains("nobody can be asked") || said.contains("此处无人可问");
            assert!(code == 0 || asks, "line {line}: {command} ended with {code}: {said}");
            continue;
        }
        assert_eq!(code != 0, fails(shown), "line {line}: {command} ended with {code}: {said}");
        let said_lines: Vec<&str> = said.lines().collect();
        assert!(
            are_like(&said_lines, &lines),
            "line {line}: {command} says\n{said}\nand the tutorial shows\n{}",
            shown.join("\n")
        );
    }
    assert!(done.len() > 25, "{} commands", done.len());
}

/// The words of a line, as a shell takes them apart: blanks outside single quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// Mistakes of beginners: what is typed, how it ends, and what the answer names, in English and in Chinese.
const MISTAKES: &[(&str, i32, &str, &str)] = &[
    ("line lst", 2, "list", "您是否指"),
    ("lines list", 2, "line", "您是否指"),
    ("line show emergncy", 1, "did you mean emergency?", "您是否指 emergency？"),
    ("line show out", 2, "write more of it: outpatient-1, outpatient-2", "写全：outpatient-1, outpatient-2"),
    ("line close dut --for 1h", 1, "write it whole: duty", "写全：duty"),
    ("line close duty", 2, "--for", "缺少：--for"),
    ("line close duty --for 30", 2, "30m for minutes", "30 分钟写 30m"),
    ("line close duty --for 30min", 2, "write 30m", "请写 30m"),
    ("line close emergency --for 1h", 1, "first hotline line divert", "先执行 hotline line divert"),
    ("line divert duty --to phone --for 1h", 1, "destination", "外线号码"),
    ("operator add Li-Na", 2, "li-na", "li-na"),
    ("operator add 李娜", 2, "a-z", "a-z"),
    ("operator add ana --team volunters", 1, "did you mean volunteers?", "您是否指 volunteers？"),
    ("operator add ana --home emergancy", 1, "did you mean emergency?", "您是否指 emergency？"),
    ("operator show nobody", 1, "hotline operator list", "hotline operator list"),
    ("operator remove nobody --yes", 1, "hotline operator list", "hotline operator list"),
    ("operator pause nobody", 1, "hotline operator list", "hotline operator list"),
    ("roster apply -f roster.toml", 2, "hotline roster get", "hotline roster get"),
    ("roster apply", 2, "--file", "--file"),
    ("plan apply -f .", 2, "it is a directory", "这是一个目录"),
    ("plan apply -f hospital.tml", 2, "hotline plan get", "hotline plan get"),
    ("plan rollback 9 --yes", 1, "the last one is 1", "最后一版是第 1 版"),
    ("call why 0190a5c2", 1, "hotline call list", "hotline call list"),
    ("call list --from 10m", 2, "--closed", "--closed"),
    ("call list --closed --from tomorrow", 2, "is not a time", "不是时间"),
    ("token create boss ana", 2, "supervisor", "supervisor"),
    ("token create operator ana --yes", 1, "there is no operator", "没有接线员"),
    ("audit list --from 2999-01-01", 2, "is in the future", "还没有到"),
    ("privacy erase --caller ana --reason x", 1, "caller_ref", "caller_ref"),
    ("privacy export --number 13800000000", 2, "--reason", "--reason"),
    ("backup --data nowhere --to x", 1, "nowhere", "nowhere"),
    ("restore --from nothing --data new", 1, "nothing", "nothing"),
    ("serve", 2, "say where to keep the tokens", "错误：写明令牌放在哪里"),
    ("serve --data data --config data", 2, "Is a directory", "无法读取配置 data\n  原因：这是一个目录"),
    ("serve --data data", 1, "is in use by process", "正被进程"),
    (
        "certs renew nowhere",
        1,
        "hotline certs init makes",
        "无法读取 nowhere/ca-key.pem；用 hotline certs init",
    ),
    ("team remove youth --yes", 1, "teams.youth is still used", "方案里还有地方用到 teams.youth"),
    ("serve --otlp localhost --data x", 2, "this does not begin with http://", "没有以 http:// 开头"),
    ("line list --data nowhere", 4, "nowhere/tokens.json is not there", "没有 nowhere/tokens.json"),
    ("line list --token-file open.token", 4, "chmod 600", "chmod 600"),
    ("line list --token-file gone.token", 4, "hotline token create", "hotline token create"),
    ("line list --server 127.0.0.1:7430", 2, "http://HOST:PORT", "http://主机:端口"),
    ("line list --server http://127.0.0.1:9", 3, "no server answers", "没有服务器应答"),
    ("line list --profile ward", 2, "ward", "ward"),
    ("line list -o jason", 2, "json", "json"),
    ("line list --lang fr", 2, "write zh-CN or en", "写 zh-CN 或 en"),
];

#[test]
fn every_mistake_of_a_beginner_has_a_clear_answer_in_both_languages() {
    let house = House::open();
    house.write("open.token", "hl_1_2");
    for (line, code, english, chinese) in MISTAKES {
        for (lang, words) in [("en_US.UTF-8", english), ("zh_CN.UTF-8", chinese)] {
            let typed: Vec<&str> = line.split(' ').collect();
            let mut command = house.command(&typed);
            let said = crate::house::said({
                command.env("LANG", lang);
                command
            });
            assert_eq!(said.code, *code, "hotline {line}: {said:?}");
            assert!(said.err.contains(words), "hotline {line}, {lang}: {words:?} is not in {}", said.err);
            assert!(said.out.is_empty(), "hotline {line}: {said:?}");
            assert!(!said.err.contains("panicked"), "hotline {line}: {said:?}");
        }
    }
    let elsewhere = tempfile::tempdir().expect("a directory");
    crate::house::said(command_in(elsewhere.path(), &["line", "list"])).refused(4, &["there is no token"]);
}

#[test]
fn lines_are_compared_by_their_shape() {
    for (said, shown) in [
        ("copied to monday.backup, 4096 bytes. main: 7", "copied to monday.backup, 311296 bytes. main: 33"),
        ("pro-1  late 2022-04-04 15:00:00", "pro-1     late   2026-11-22 15:00:00"),
        ("hl_0011_abc", "hl_…"),
        ("12 2022-04-04 21:30:00 admin", "20   2026-11-22 21:37:21  admin"),
        ("warning: nobody on lines 'a', 'b' from 23:00", "warning: nobody on lines 'a', … from 07:00"),
        ("已备份到 a（4096 字节）。main: 7", "已备份到 a（282624 字节）。main: 22"),
        ("data 正被进程 7 使用。请先结束该进程", "data 正被进程 13479 使用。请先结束该进程"),
        (
            "警告：2022-04-04（周一）、2022-04-05（周二）等，另有 7 天",
            "警告：2026-11-22（周日）、…等，另有 7 天",
        ),
    ] {
        assert!(is_like(said, shown), "{} is not like {}", shape(said), shape(shown));
    }
    for (said, shown) in [
        ("error: there is no line", "error: there is no team"),
        ("1 thing is wrong", "2 things are wrong"),
        ("vol-1 is added", "vol-2 is added"),
    ] {
        assert!(!is_like(said, shown), "{said} is like {shown}");
    }
    assert!(are_like(&["a", "b", "c"], &["a", "…"]) && are_like(&["a"], &["a", "…"]));
    assert!(!are_like(&["a", "b"], &["a"]) && !are_like(&["a"], &["a", "b"]));
    let mut sink = Vec::new();
    writeln!(sink, "{:?}", steps("```console\n$ a 'b c'\nd\n```\n")).expect("written");
    assert!(String::from_utf8(sink).expect("text").contains("\"a 'b c'\""));
    assert_eq!(words("a 'b c' d"), ["a", "b c", "d"]);
}
