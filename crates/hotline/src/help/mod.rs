//! The command line in Simplified Chinese: the same description with other words, and what is said of flags that make
//! no sense. In English it is what the description itself says.

mod fault;

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, FromArgMatches};

use crate::lang::Lang;
use crate::secrets;

/// Each paragraph of the English help, and what it is in Chinese.
const CHINESE: &str = include_str!("zh-CN.toml");

/// As clap's own, with the one word that it has for itself.
const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// What the command line says.
///
/// # Errors
/// When it makes no sense, or asks for help only: that is said, and this is what the program ends with.
pub(crate) fn typed<T: FromArgMatches>(english: Command) -> Result<T, ExitCode> {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    let lang = language(&arguments);
    if lang == Lang::Zh {
        asks_for_help(&mut arguments);
    }
    let mut command = in_language(english, lang);
    let typed = command.try_get_matches_from_mut(arguments).and_then(|mut matches| {
        T::from_arg_matches_mut(&mut matches).map_err(|fault| fault.format(&mut command))
    });
    typed.map_err(|fault| ended(&hinted(fault), lang))
}

/// The language that the command line or the locale asks for, found before anything else is understood.
pub(crate) fn asked_for() -> Lang {
    language(&env::args_os().collect::<Vec<_>>())
}

/// The same commands, described in a language.
pub(crate) fn in_language(english: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => english,
        Lang::Zh => {
            let mut command = chinese(english);
            // Only what is built knows how each of its commands is called.
            command.build();
            with_usage(command)
        }
    }
}

fn language(arguments: &[OsString]) -> Lang {
    let mut rest = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    let mut said = None;
    while let Some(argument) = rest.next() {
        let value = match argument.to_str() {
            Some("--lang") => rest.next().and_then(|value| value.to_str()),
            Some(text) => text.strip_prefix("--lang="),
            None => None,
        };
        said = value.and_then(|value| value.parse().ok()).or(said);
    }
    said.unwrap_or_else(Lang::of_environment)
}

/// `hotline help line add` is `hotline line add --help`: clap's own command for it has words of its own.
fn asks_for_help(arguments: &mut Vec<OsString>) {
    if arguments.get(1).map(OsString::as_os_str) == Some(OsStr::new("help")) {
        arguments.remove(1);
        arguments.push("--help".into());
    }
}

/// With a hint at a flag that nothing has and that people look for, and without what may be a secret.
fn hinted(mut fault: clap::Error) -> clap::Error {
    let said = |fault: &clap::Error, kind| match fault.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    if fault.kind() == ErrorKind::UnknownArgument && said(&fault, ContextKind::InvalidArg) == "--site" {
        fault.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![fault::SITE.into()]));
    }
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue] {
        let text = said(&fault, kind);
        let is_flag = text.starts_with("--") && !text.contains('=');
        if !is_flag && secrets::may_be_in(&text) {
            fault.insert(kind, ContextValue::String("…".to_owned()));
            // It says the same once more.
            fault.remove(ContextKind::Suggested);
        }
    }
    fault
}

fn ended(fault: &clap::Error, lang: Lang) -> ExitCode {
    let is_help = matches!(
        fault.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    match lang {
        // Where even this cannot be written the exit code is all there is to say.
        Lang::Zh if !is_help => drop(writeln!(io::stderr(), "{}", fault::chinese(fault))),
        _ => drop(fault.print()),
    }
    ExitCode::from(u8::try_from(fault.exit_code()).unwrap_or(2))
}

fn words() -> &'static BTreeMap<String, String> {
    static WORDS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    WORDS.get_or_init(|| toml::from_str(CHINESE).expect("a table of texts: a test reads it"))
}

/// A paragraph as the table has it: on one line, and without a full stop that only some forms of help have.
fn key(paragraph: &str) -> String {
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_suffix('.').unwrap_or(&line).to_owned()
}

/// Each paragraph in Chinese; one that has no row stays as it is.
fn said(english: &str) -> String {
    let paragraphs = english.split("\n\n").map(|paragraph| {
        if let Some(examples) = paragraph.strip_prefix("Examples:\n") {
            return format!("示例：\n{examples}");
        }
        words().get(&key(paragraph)).cloned().unwrap_or_else(|| paragraph.to_owned())
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn chinese(command: Command) -> Command {
    let (about, long_about) = (command.get_about().map(text), command.get_long_about().map(text));
    let (after, long_after) = (command.get_after_help().map(text), command.get_after_long_help().map(text));
    let has_version = command.get_version().is_some();
    let mut command = command
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_args(argument)
        .mut_subcommands(chinese)
        .arg(own(Arg::new("help").short('h').long("help").action(ArgAction::Help), "Print help"));
    if has_version {
        let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
        command = command.arg(own(version, "Print version"));
    }
    if let Some(about) = about {
        command = command.about(about);
    }
    if let Some(about) = long_about {
        command = command.long_about(about);
    }
    if let Some(after) = after {
        command = command.after_help(after);
    }
    if let Some(after) = long_after {
        command = command.after_long_help(after);
    }
    command
}

fn text(english: &clap::builder::StyledStr) -> String {
    said(&english.to_string())
}

fn own(arg: Arg, english: &str) -> Arg {
    arg.help(said(english)).help_heading("选项")
}

fn argument(arg: Arg) -> Arg {
    let heading = match arg.get_help_heading() {
        Some(heading) => words().get(heading).map_or("选项", String::as_str),
        None if arg.is_positional() => "参数",
        None => "选项",
    };
    let values = Values::of(&arg);
    let short = arg.get_help().map(text).unwrap_or_default();
    let long = arg.get_long_help().map(text);
    let takes_values = arg.get_action().takes_values();
    let mut arg = arg.help_heading(heading);
    if takes_values {
        arg = arg.hide_possible_values(true).hide_default_value(true);
    }
    if long.is_some() || values.are_explained() {
        arg = arg.long_help(format!("{}{}", long.as_deref().unwrap_or(&short), values.long()));
    }
    arg.help(format!("{short}{}", values.short()))
}

/// What an argument may be, and is if nobody says anything.
struct Values {
    possible: Vec<(String, Option<String>)>,
    default: Option<String>,
}

impl Values {
    fn of(arg: &Arg) -> Values {
        let takes_values = arg.get_action().takes_values();
        let shown = takes_values && !arg.is_hide_possible_values_set();
        let possible = arg.get_possible_values().into_iter().filter(|value| shown && !value.is_hide_set());
        let possible = possible.map(|value| (value.get_name().to_owned(), value.get_help().map(text)));
        let defaults: Vec<String> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
        let default = takes_values && !arg.is_hide_default_value_set() && !defaults.is_empty();
        Values { possible: possible.collect(), default: default.then(|| defaults.join(" ")) }
    }

    fn are_explained(&self) -> bool {
        self.possible.iter().any(|(_, help)| help.is_some())
    }

    fn short(&self) -> String {
        let names: Vec<&str> = self.possible.iter().map(|(name, _)| name.as_str()).collect();
        let possible =
            if names.is_empty() { String::new() } else { format!("（可选：{}）", names.join("、")) };
        format!("{possible}{}", self.default())
    }

    fn long(&self) -> String {
        if !self.are_explained() {
            return self.short();
        }
        let lines: String = self
            .possible
            .iter()
            .map(|(name, help)| match help {
                Some(help) => format!("\n- {name}：{help}"),
                None => format!("\n- {name}"),
            })
            .collect();
        format!("{}\n\n可选值：{lines}", self.default())
    }

    fn default(&self) -> String {
        self.default.as_ref().map(|value| format!("（默认：{value}）")).unwrap_or_default()
    }
}

/// How each command is written, with the one word that clap has for its flags.
fn with_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).replace("[OPTIONS]", "[选项]");
    command.override_usage(usage).mut_subcommands(with_usage)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;

    fn each(command: &Command, look: &mut impl FnMut(&Command)) {
        look(command);
        command.get_subcommands().filter(|sub| sub.get_name() != "help").for_each(|sub| each(sub, look));
    }

    /// Every paragraph of the English description.
    fn english() -> BTreeSet<String> {
        let mut found = BTreeSet::from(["Print help".to_owned(), "Print version".to_owned()]);
        each(&crate::Hotline::command(), &mut |command| {
            if command.is_hide_set() {
                return;
            }
            let mut texts: Vec<String> = [
                command.get_about(),
                command.get_long_about(),
                command.get_after_help(),
                command.get_after_long_help(),
            ]
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
            for arg in command.get_arguments() {
                texts.extend(arg.get_help().into_iter().chain(arg.get_long_help()).map(ToString::to_string));
                texts.extend(arg.get_help_heading().map(str::to_owned));
                let values = arg.get_possible_values();
                texts.extend(values.iter().filter_map(|value| value.get_help()).map(ToString::to_string));
            }
            let paragraphs = texts.iter().flat_map(|text| text.split("\n\n"));
            found.extend(paragraphs.filter(|paragraph| !paragraph.starts_with("Examples:")).map(key));
        });
        found.remove("");
        found
    }

    #[test]
    fn every_paragraph_of_help_is_there_in_chinese_and_none_is_left_over() {
        let (english, words) = (english(), words());
        assert!(english.len() > 200, "{}", english.len());
        let without: Vec<&String> = english.iter().filter(|text| !words.contains_key(*text)).collect();
        assert!(without.is_empty(), "say these in Chinese, in zh-CN.toml: {without:#?}");
        let left: Vec<&String> = words.keys().filter(|text| !english.contains(*text)).collect();
        assert!(left.is_empty(), "nothing says these any more: {left:#?}");
        for (english, chinese) in words {
            assert!(chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{english}: {chinese}");
        }
    }

    #[test]
    fn help_in_chinese_has_none_of_the_librarys_own_words() {
        let chinese = in_language(crate::Hotline::command(), Lang::Zh);
        let mut pages = 0;
        each(&chinese, &mut |command| {
            let mut command = command.clone();
            let page = format!("{}{}", command.render_help(), command.render_long_help());
            for word in
                ["Usage", "Options", "Arguments", "Commands", "[default", "[possible", "Print ", "OPTIONS"]
            {
                assert!(!page.contains(word), "{word:?} is in {page}");
            }
            assert!(page.contains("用法：hotline") && page.contains("选项"), "{page}");
            pages += 1;
        });
        assert!(pages > 50, "{pages}");
    }

    #[test]
    fn the_language_is_found_wherever_it_stands() {
        let of = |words: &[&str]| {
            let arguments: Vec<OsString> = ["hotline"].iter().chain(words).map(Into::into).collect();
            language(&arguments)
        };
        assert_eq!(of(&["line", "--lang", "zh-CN", "lst"]), Lang::Zh);
        assert_eq!(of(&["--lang=zh", "line"]), Lang::Zh);
        assert_eq!(of(&["line", "--lang", "zh", "--lang=en"]), Lang::En);
        assert_eq!(of(&["line", "--lang", "en", "--", "--lang=zh"]), Lang::En);
    }
}
