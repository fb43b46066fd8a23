//! What somebody sees who sits at a terminal: colours, a width, and questions.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::house::House;

/// A terminal, and the side on which a person sits.
pub(crate) struct Terminal {
    person: File,
    screen: String,
}

impl Terminal {
    /// A command at a terminal of so many columns.
    pub(crate) fn start(
        house: &House,
        columns: u16,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> (Terminal, Child) {
        let person: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&person).expect("granted");
        unlockpt(&person).expect("unlocked");
        tcsetwinsize(&person, Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("a size");
        let name = ptsname(&person, Vec::new()).expect("a name").into_string().expect("text");
        let side = || OpenOptions::new().read(true).write(true).open(&name).expect("the other side");
        let mut command = house.command(arguments);
        command.envs(variables.iter().copied()).stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().expect("started");
        (Terminal { person: File::from(person), screen: String::new() }, child)
    }

    /// Reads on until this is on the screen, or the command has ended.
    pub(crate) fn read_until(&mut self, words: &str) -> &str {
        let mut bytes = [0; 4096];
        let mut seen = self.screen.clone().into_bytes();
        while !String::from_utf8_lossy(&seen).contains(words) {
            match self.person.read(&mut bytes) {
                Ok(count) if count > 0 => seen.extend_from_slice(&bytes[..count]),
                // The other side is closed.
                _ => break,
            }
        }
        self.screen = String::from_utf8_lossy(&seen).into_owned();
        &self.screen
    }

    /// Everything until the end.
    pub(crate) fn rest(&mut self) -> &str {
        self.read_until("\u{0}never on a screen")
    }

    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.person, "{line}").expect("typed");
    }
}

/// How it ended.
pub(crate) fn code(mut child: Child) -> i32 {
    child.wait().expect("ended").code().expect("an end")
}

#[test]
fn colours_and_a_width_are_for_terminals() {
    let house = House::open();
    let (mut terminal, child) = Terminal::start(&house, 70, &["line", "list", "--lang", "en"], &[]);
    let screen = terminal.rest().to_owned();
    assert_eq!(code(child), 0);
    assert!(screen.contains("\u{1b}[32mopen\u{1b}[0m"), "{screen:?}");
    for line in screen.lines() {
        assert!(console::measure_text_width(line) < 70, "{line:?}");
    }
    assert!(
        screen.contains("outpatient-1") && screen.contains(".."),
        "an id is whole, words are shortened: {screen}"
    );
    let (mut plain, child) = Terminal::start(&house, 120, &["line", "list"], &[("NO_COLOR", "1")]);
    let screen = plain.rest().to_owned();
    assert_eq!(code(child), 0);
    assert!(screen.contains("Emergency consultation") && !screen.contains('\u{1b}'), "{screen:?}");
}

#[test]
fn whoever_sits_there_is_asked() {
    let house = House::open();
    house.told(&["operator", "add", "li-na"]);
    let remove = ["operator", "remove", "li-na", "--lang", "zh-CN"];
    let (mut terminal, child) = Terminal::start(&house, 100, &remove, &[]);
    let asked = terminal.read_until("[y/N]").to_owned();
    assert!(asked.contains("移除 li-na，其令牌立即作废"), "{asked}");
    terminal.types("");
    assert!(terminal.rest().contains("未作任何更改"));
    assert_eq!(code(child), 5);
    assert!(house.told(&["operator", "list", "-o", "name"]).contains("li-na"));
    let (mut terminal, child) = Terminal::start(&house, 100, &remove, &[]);
    terminal.read_until("[y/N]");
    terminal.types("是");
    assert!(terminal.rest().contains("li-na 已移除"));
    assert_eq!(code(child), 0);
}

#[test]
fn whoever_was_overtaken_is_shown_the_same_once_more() {
    let house = House::open();
    let overtake = |old: &str, new: &str| {
        let text = house.told(&["plan", "get"]);
        house.write("other.toml", &text.replace(old, new));
        house.told(&["plan", "apply", "-f", "other.toml", "--yes"]);
    };
    let add = ["line", "add", "duty-2", "--zh", "值班热线二", "--en", "Duty line 2", "--lang", "en"];
    let (mut terminal, child) = Terminal::start(&house, 100, &add, &[]);
    terminal.read_until("[y/N]");
    overtake("max_waiting = 80 ", "max_waiting = 81 ");
    terminal.types("y");
    terminal.read_until("compared with revision 2");
    overtake("max_waiting = 81 ", "max_waiting = 82 ");
    terminal.types("y");
    let screen = terminal.rest().to_owned();
    assert!(screen.contains("here is the same for that one") && screen.contains("do it again"), "{screen}");
    assert_eq!(code(child), 1);
    let (mut terminal, child) = Terminal::start(&house, 100, &add, &[]);
    terminal.read_until("[y/N]");
    overtake("max_waiting = 82 ", "max_waiting = 83 ");
    terminal.types("y");
    terminal.read_until("compared with revision 4");
    terminal.types("y");
    assert!(terminal.rest().contains("line duty-2 is in the plan (revision 5)"), "{}", terminal.screen);
    assert_eq!(code(child), 0);
    assert!(house.told(&["plan", "get"]).contains("max_waiting = 83 "), "nothing of the others' is lost");
}

#[test]
fn a_token_that_is_gone_meanwhile_is_taken_away() {
    let house = House::open();
    house.told(&["token", "create", "gateway", "gw-7", "--yes", "--token-out", "gw-7.token"]);
    let revoke = ["token", "revoke", "gateway", "gw-7", "--lang", "en"];
    let (mut terminal, child) = Terminal::start(&house, 100, &revoke, &[]);
    terminal.read_until("[y/N]");
    house.told(&[&revoke[..], &["--yes"]].concat());
    terminal.types("y");
    assert!(terminal.rest().contains("the token of gateway gw-7 is taken away"), "{}", terminal.screen);
    assert_eq!(code(child), 0, "as it is when the answer to the first asking was lost");
}

#[test]
fn a_watched_board_is_redrawn_in_place() {
    let house = House::open();
    let (mut terminal, mut child) =
        Terminal::start(&house, 100, &["board", "--watch", "--lang", "zh-CN"], &[]);
    let drawn = terminal.read_until("服务水平").to_owned();
    assert!(drawn.contains("\u{1b}[?25l") && drawn.contains("急诊咨询"), "{drawn:?}");
    house.told(&["line", "close", "duty", "--for", "1h"]);
    assert!(terminal.read_until("值班热线（关闭）").contains("\u{1b}["), "{:?}", terminal.screen);
    child.kill().expect("ended");
    child.wait().expect("ended");
}
