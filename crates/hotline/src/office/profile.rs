//! `profiles.toml`: servers by name, so that nobody types an address and a file again.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::fault::{Fault, Told};
use super::find::{Known, PROFILE, unknown};
use super::said::said;
use crate::chinese::translated;
use crate::lang::Lang;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profiles {
    /// Which is meant if none is named.
    default: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// One server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) server: Option<String>,
    pub(super) ca: Option<PathBuf>,
    pub(super) token_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "lang")]
    pub(super) lang: Option<Lang>,
}

fn lang<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Lang>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// The profile of this name, or the file's default one; none if nobody named one and there is no default.
///
/// # Errors
/// When the file makes no sense, or has no such profile.
pub(super) fn read(named: Option<&str>) -> Told<Option<Profile>> {
    let Some(path) = path() else { return absent(named, "profiles.toml") };
    let shown = path.display().to_string();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return absent(named, &shown),
        Err(fault) => {
            let what = said(format!("无法读取 {shown}"), format!("{shown} cannot be read"));
            return Err(Fault::usage("PROFILES", what).because(translated(&fault)));
        }
    };
    let home = path.parent().unwrap_or(Path::new("")).to_owned();
    parse(&text, named, &shown, &home)
}

fn parse(text: &str, named: Option<&str>, shown: &str, home: &Path) -> Told<Option<Profile>> {
    let profiles: Profiles = toml::from_str(text).map_err(|fault| {
        let what = said(format!("{shown} 有误"), format!("{shown} makes no sense"));
        Fault::usage("PROFILES", what).because(translated(fault.to_string().trim_end())).mend(said(
            "每个 [profiles.名称] 可有 server、ca、token_file、lang；令牌不写在此文件里",
            "a [profiles.NAME] may have server, ca, token_file and lang; a token never stands in this file",
        ))
    })?;
    let Some(name) = named.or(profiles.default.as_deref()) else { return Ok(None) };
    let Some(profile) = profiles.profiles.get(name) else {
        let known: Vec<Known> = profiles.profiles.keys().map(Known::id).collect();
        return Err(unknown(PROFILE, name, &known).exiting(super::fault::Exit::Usage));
    };
    let from_home = |path: &PathBuf| home.join(path);
    Ok(Some(Profile {
        ca: profile.ca.as_ref().map(from_home),
        token_file: profile.token_file.as_ref().map(from_home),
        ..profile.clone()
    }))
}

fn absent(named: Option<&str>, shown: &str) -> Told<Option<Profile>> {
    let Some(name) = named else { return Ok(None) };
    let what = said(
        format!("没有配置 {name:?}：{shown} 不存在"),
        format!("there is no profile {name:?}: {shown} is not there"),
    );
    Err(Fault::usage("PROFILES", what).mend(said(
        format!("在该文件中写入：[profiles.{name}] 和 server = \"https://主机:7430\""),
        format!("write into it: [profiles.{name}] and server = \"https://HOST:7430\""),
    )))
}

fn path() -> Option<PathBuf> {
    let given = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = given("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let home = home.or_else(|| Some(given("HOME")?.join(".config")))?;
    Some(home.join("hotline").join("profiles.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "default = \"ward\"\n[profiles.ward]\nserver = \"https://ward:7430\"\nca = \"ca.pem\"\nlang = \"zh-CN\"\n\
                        [profiles.night]\nserver = \"http://127.0.0.1:1\"\n";

    fn told(text: &str, named: Option<&str>) -> String {
        let fault = parse(text, named, "profiles.toml", Path::new("/etc")).expect_err("refused");
        fault.lines(Lang::En).join("\n")
    }

    #[test]
    fn a_profile_is_found_by_name_and_by_default() {
        let read =
            |named| parse(TEXT, named, "profiles.toml", Path::new("/etc")).expect("profiles").expect("one");
        assert_eq!(read(None).ca.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert_eq!(read(None).lang, Some(Lang::Zh));
        assert_eq!(read(Some("night")).server.as_deref(), Some("http://127.0.0.1:1"));
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        assert!(told(TEXT, Some("nigt")).contains("did you mean night?"));
        let token = told("[profiles.a]\ntoken = \"hl_x\"\n", Some("a"));
        assert!(
            token.contains("unknown field `token`") && token.contains("never stands in this file"),
            "{token}"
        );
        assert!(told("default = 3", None).contains("line 1"));
    }
}
