//! The database files: SQLite's version, how they are written, their schema; and stores that this release has none of.

use std::path::Path;

use session::look_at_files;

use super::Finding;
use crate::journal::unopened;
use crate::lang::Lang;
use crate::office::said::said;

/// Whether the files can be used by this release.
pub(super) async fn look(data: &Path) -> Vec<Finding> {
    let files = match look_at_files(data).await {
        Ok(files) => files,
        Err(fault) => {
            let words = said(unopened(Lang::Zh, &fault), unopened(Lang::En, &fault));
            let mend = said(
                "按上文所述处理后再检查一次；备份由 `hotline backup` 制作、`hotline restore` 取回",
                "do what it says and look again; `hotline backup` makes backups and `hotline restore` begins with one",
            );
            return vec![Finding::bad("schema", words, mend)];
        }
    };
    let mut findings = Vec::new();
    let version = files.first().map_or("", |file| &file.sqlite);
    let others: Vec<String> = files
        .iter()
        .filter(|file| file.journal_mode != "wal")
        .map(|file| format!("{} ({})", file.name, file.journal_mode))
        .collect();
    findings.push(if others.is_empty() {
        Finding::good("sqlite", said(format!("SQLite {version}，WAL"), format!("SQLite {version}, WAL")))
    } else {
        let others = others.join(", ");
        let words = said(
            format!("SQLite {version}，未使用 WAL：{others}"),
            format!("SQLite {version}, without WAL: {others}"),
        );
        Finding::bad(
            "sqlite",
            words,
            said("重新启动服务器，它会改回 WAL", "restart the server, which sets it again"),
        )
    });
    let schemas: Vec<String> =
        files.iter().map(|file| format!("{} {}/{}", file.name, file.schema, file.known)).collect();
    let told = schemas.join(", ");
    findings.push(if files.iter().all(|file| file.schema == file.known) {
        Finding::good("schema", said(format!("结构版本 {told}"), format!("schemas {told}")))
    } else {
        let words = said(format!("结构版本较旧：{told}"), format!("an older schema: {told}"));
        let mend = said(
            "先备份，再启动本版服务器，它会升级结构",
            "make a backup, then start this release's server, which brings it up to date",
        );
        Finding::doubtful("schema", words, mend)
    });
    findings
}

/// A database beside the data directory.
pub(super) fn not_configured() -> Finding {
    let words = said("未配置：全部保存在数据目录中", "not configured: everything is in the data directory");
    Finding::good("postgres", words)
}
