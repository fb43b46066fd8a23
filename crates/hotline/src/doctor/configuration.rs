//! Whether the configuration file can be used.

use std::path::Path;

use super::Finding;
use crate::chinese::chinese;
use crate::office::said::{said, same};
use crate::serve::{ServerFile, read_configuration};

const CHECK: &str = "config";

/// What was found, and what holds: the file's words, or what holds without a file.
pub(super) fn look(path: Option<&Path>, data: &Path) -> (Finding, ServerFile) {
    let Some(path) = path else {
        let words = said("未给出 --config：按默认配置检查", "no --config was given: what holds without one");
        return (Finding::good(CHECK, words), ServerFile::default());
    };
    let shown = path.display();
    match read_configuration(path) {
        Ok(file) => (judged(path, data, &file), file),
        Err(fault) => {
            // The drawing has its title first; the place follows behind an arrow.
            let text = format!("{fault:#}");
            let place = text.lines().find_map(|line| line.trim().strip_prefix("--> ")).unwrap_or_default();
            let title = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let words = said(
                format!("无法使用 {shown}：{} {place}", chinese(title)),
                format!("{shown} cannot be used: {title} {place}"),
            );
            let mend = said(
                "按 config/server.toml 改正：其中有每个字段及其取值",
                "mend it after config/server.toml, which has every field and what it may be",
            );
            (Finding::bad(CHECK, words, mend), ServerFile::default())
        }
    }
}

fn judged(path: &Path, data: &Path, file: &ServerFile) -> Finding {
    let shown = path.display();
    if !file.retention.retention().tells_last_calls() {
        let words = said(
            "[retention] 中 numbers_days 比 records_days 长：服务器不会启动",
            "[retention] keeps numbers_days longer than records_days: the server will not start",
        );
        return Finding::bad(
            CHECK,
            words,
            said("让 records_days 不小于 numbers_days", "keep records at least as long"),
        );
    }
    let same_place = |other: &Path| match (other.canonicalize(), data.canonicalize()) {
        (Ok(other), Ok(data)) => other == data,
        _ => other == data,
    };
    if let Some(other) = file.data.as_deref().filter(|other| !same_place(other)) {
        let words = said(
            format!("{shown} 指定的数据目录是 {}", other.display()),
            format!("{shown} names another data directory, {}", other.display()),
        );
        let mend = said("用 --data 指定该目录，或改正文件", "give that one with --data, or mend the file");
        return Finding::doubtful(CHECK, words, mend);
    }
    Finding::good(CHECK, same(shown.to_string()))
}
