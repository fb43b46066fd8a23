//! A command line that makes no sense, in Chinese: what, what was probably meant, and how it is written.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::office::said::clean_lines;

/// What is said to whoever names a site.
pub(super) const SITE: &str = "a token is of one site: the token of another, as --token-file FILE, asks that one; which site a server \
                               begins with is said in its configuration";
const SITE_ZH: &str = "令牌属于一个站点：用 --token-file 给出另一站点的令牌，问的就是那个站点；服务器以哪个站点启动，写在它的配置中";

/// What is said of it.
pub(super) fn chinese(fault: &clap::Error) -> String {
    let told = Told(fault);
    let mut text = format!("错误：{}", told.what());
    for hint in told.hints() {
        text.push_str(&format!("\n\n  提示：{hint}"));
    }
    if let Some(ContextValue::StyledStr(usage)) = fault.get(ContextKind::Usage) {
        let usage = usage.to_string();
        text.push_str(&format!("\n\n用法：{}", usage.trim().trim_start_matches("Usage: ")));
    }
    text.push_str("\n\n详细说明：加 --help");
    clean_lines(&text)
}

struct Told<'f>(&'f clap::Error);

impl Told<'_> {
    fn all(&self, kind: ContextKind) -> Vec<String> {
        match self.0.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
            Some(ContextValue::StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect(),
            Some(ContextValue::Number(number)) => vec![number.to_string()],
            _ => Vec::new(),
        }
    }

    fn one(&self, kind: ContextKind) -> String {
        self.all(kind).join(" ")
    }

    fn what(&self) -> String {
        let (arg, value) = (self.one(ContextKind::InvalidArg), self.one(ContextKind::InvalidValue));
        match self.0.kind() {
            ErrorKind::UnknownArgument if arg.starts_with('-') => format!("没有选项 {arg}"),
            ErrorKind::UnknownArgument => format!("多余的参数 {arg}"),
            ErrorKind::InvalidSubcommand => format!("没有命令 {}", self.one(ContextKind::InvalidSubcommand)),
            ErrorKind::MissingSubcommand => {
                let of = self.one(ContextKind::InvalidSubcommand);
                format!("{of} 之后还须写一个命令{}", self.listed(ContextKind::ValidSubcommand))
            }
            ErrorKind::InvalidValue if value.is_empty() => {
                format!("{arg} 之后须写一个值{}", self.listed(ContextKind::ValidValue))
            }
            ErrorKind::InvalidValue => {
                format!("{arg} 不能是 {value}{}", self.listed(ContextKind::ValidValue))
            }
            ErrorKind::ValueValidation => format!("{arg} 不能是 {value}：{}", self.why()),
            ErrorKind::NoEquals => format!("{arg} 的值须用等号连写"),
            ErrorKind::TooManyValues => format!("{arg} 的值太多：{value} 是多余的"),
            ErrorKind::TooFewValues => {
                let (min, is) = (self.one(ContextKind::MinValues), self.one(ContextKind::ActualNumValues));
                format!("{arg} 至少要 {min} 个值，只写了 {is} 个")
            }
            ErrorKind::WrongNumberOfValues => {
                let expected = self.one(ContextKind::ExpectedNumValues);
                format!("{arg} 要 {expected} 个值，写了 {} 个", self.one(ContextKind::ActualNumValues))
            }
            ErrorKind::ArgumentConflict => self.conflict(&arg),
            ErrorKind::MissingRequiredArgument => {
                format!("缺少：{}", self.all(ContextKind::InvalidArg).join("、"))
            }
            ErrorKind::InvalidUtf8 => "命令行中有不是 UTF-8 的文字".to_owned(),
            _ => self.0.to_string().trim_end().to_owned(),
        }
    }

    fn conflict(&self, arg: &str) -> String {
        let others = self.all(ContextKind::PriorArg);
        match others.as_slice() {
            [] => format!("{arg} 不能与其他选项同时使用"),
            [one] if one == arg => format!("{arg} 只能写一次"),
            others => format!("{arg} 不能与 {} 同时使用", others.join("、")),
        }
    }

    fn listed(&self, kind: ContextKind) -> String {
        match self.all(kind).as_slice() {
            [] => String::new(),
            names => format!("（可选：{}）", names.join("、")),
        }
    }

    /// The words of whoever reads a value.
    fn why(&self) -> String {
        let said = self.0.source().map(ToString::to_string).unwrap_or_default();
        if let Some((value, range)) = said.split_once(" is not in ")
            && let Some((from, to)) = range.split_once("..")
        {
            let to = to.trim_start_matches('=');
            return match to {
                "" => format!("{value} 小于 {from}"),
                to => format!("{value} 不在 {from} 到 {to} 之间"),
            };
        }
        crate::chinese::chinese(said)
    }

    fn hints(&self) -> Vec<String> {
        use ContextKind as Kind;
        let meant = [Kind::SuggestedSubcommand, Kind::SuggestedArg, Kind::SuggestedValue];
        let meant: Vec<String> = meant.into_iter().flat_map(|kind| self.all(kind)).collect();
        let mut hints = Vec::new();
        if !meant.is_empty() {
            hints.push(format!("您是否指 {}？", meant.join("、")));
        }
        hints.extend(self.all(Kind::Suggested).iter().map(|hint| other_hint(hint)));
        hints
    }
}

/// The library's further hints have no kind of their own.
fn other_hint(english: &str) -> String {
    if english == SITE {
        return SITE_ZH.to_owned();
    }
    let quoted: Vec<&str> = english.split('\'').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [_, with] if english.starts_with("to pass ") => format!("要把它当作值，请写 {with}"),
        [one] if english.ends_with(" exists") => format!("有 {one}"),
        _ => english.to_owned(),
    }
}
