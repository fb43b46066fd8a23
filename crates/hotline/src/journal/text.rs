//! What is said about a journal, in both languages.

use session::{OpenFault, Verified, VerifyFault};
use switchboard::id::SiteId;

use crate::chinese::chinese;
use crate::lang::Lang;

/// What is wrong with a data directory, and what mends it.
pub(crate) fn unopened(lang: Lang, fault: &OpenFault) -> String {
    match lang {
        Lang::En => fault.to_string(),
        Lang::Zh => unopened_in_chinese(fault),
    }
}

fn unopened_in_chinese(fault: &OpenFault) -> String {
    match fault {
        OpenFault::NoDirectory { dir, source } => {
            format!(
                "无法创建数据目录 {}：{}。请指定一个上级目录存在且属于您的目录",
                dir.display(),
                chinese(source)
            )
        }
        OpenFault::NoJournal { dir } => {
            format!("{} 中没有日志。请指定 `hotline serve --data` 所用的目录", dir.display())
        }
        OpenFault::NoPlace { dir } => format!("没有目录 {}。请先创建它", dir.display()),
        OpenFault::BadCopy { path, why } => {
            format!(
                "无法用 {} 恢复：{}。请另指定一个 `hotline backup` 生成的文件",
                path.display(),
                chinese(why)
            )
        }
        OpenFault::NotWritable { dir, source } => {
            format!("无法写入 {}：{}。请让当前用户可以写入该目录", dir.display(), chinese(source))
        }
        OpenFault::InUse { dir, process } => {
            format!("{} 正被进程 {process} 使用。请先结束该进程，或指定另一个目录", dir.display())
        }
        OpenFault::Exists { path } => {
            format!("{} 已存在，不会被覆盖。请指定另一个位置，或将其移走", path.display())
        }
        OpenFault::LeftBehind { path } => {
            format!("{} 属于一个不在旁边的数据库。请把那个数据库放回来，或把此文件也移走", path.display())
        }
        OpenFault::NotADatabase { path } => {
            format!("{} 不是数据库。请将其移走，或从备份恢复", path.display())
        }
        OpenFault::NotOurs { path } => {
            format!("{} 是其他程序的数据库。请指定另一个目录", path.display())
        }
        OpenFault::Newer { path, schema, known } => format!(
            "{} 的结构版本是 {schema}，本版程序只认识 1 到 {known}。请使用写入它的版本或更新的版本",
            path.display()
        ),
        OpenFault::Damaged { path, why } => {
            format!("{} 已损坏：{}。请从备份恢复", path.display(), chinese(why))
        }
        OpenFault::WrongKey => "日志中的来电号码是用另一把密钥封存的。请提供最初使用的密钥".to_owned(),
        OpenFault::Full { dir } => format!("{} 所在磁盘已满。请腾出空间", dir.display()),
        OpenFault::Failed { path, why } => format!("无法打开 {}：{}", path.display(), chinese(why)),
    }
}

/// What is wrong with a journal.
pub(super) fn unsound(lang: Lang, site: SiteId, fault: &VerifyFault) -> String {
    match lang {
        Lang::En => format!("site {site}: {fault}"),
        Lang::Zh => format!("站点 {site}：{}", unsound_in_chinese(fault)),
    }
}

fn unsound_in_chinese(fault: &VerifyFault) -> String {
    match fault {
        VerifyFault::Journal(fault) => format!("无法读取日志：{}", chinese(fault)),
        VerifyFault::Body(fault) => format!("无法读取日志中的一行：{}", chinese(fault)),
        VerifyFault::Derived(fault) => format!("无法读取快照或通话记录：{}", chinese(fault)),
        VerifyFault::Gap { after, found } => {
            format!("日志有缺口：第 {} 号决定之后是第 {} 号。请从备份恢复", after.0, found.0)
        }
        VerifyFault::TimeWentBack { seq, at } => {
            format!("第 {} 号决定的时间 {} 微秒早于前一决定", seq.0, at.0)
        }
        VerifyFault::DecidedOtherwise { seq, stored, decided } => {
            format!("第 {} 号决定重新判定后结果不同：原记录 {stored}；重新判定 {decided}", seq.0)
        }
        VerifyFault::ReplayedOtherwise { seq } => {
            format!("在第 {} 号决定处，重放得到的状态与判定得到的状态不同", seq.0)
        }
        VerifyFault::Snapshot { seq } => {
            format!("第 {} 号决定处的快照与该处状态不符。删除 derived.db 后会重新生成", seq.0)
        }
        VerifyFault::Record { call } => {
            format!("通话 {call} 的记录与日志不符。删除 derived.db 后会重新生成")
        }
        VerifyFault::RecordsElsewhere { seq } => {
            format!("通话记录（到第 {} 号决定）属于另一段历史。删除 derived.db 后会重新生成", seq.0)
        }
    }
}

/// What was verified.
pub(super) fn sound(lang: Lang, site: SiteId, verified: &Verified) -> String {
    let Verified { rows, decisions, snapshots, passed_over, records, let_go, state } = verified;
    match lang {
        Lang::En => format!(
            "site {site}: {decisions} decisions in {rows} rows, without a gap; decided again they are the same; \
             {snapshots} snapshots and {records} call records agree, {passed_over} snapshots passed over, \
             {let_go} call records let go; state {state}"
        ),
        Lang::Zh => format!(
            "站点 {site}：{rows} 行共 {decisions} 个决定，没有缺口；重新判定结果相同；\
             {snapshots} 个快照和 {records} 条通话记录相符，略过 {passed_over} 个快照，已清除 {let_go} 条通话记录；状态 {state}"
        ),
    }
}

/// How far it has come.
pub(super) fn progress(lang: Lang, site: SiteId, seq: u64, of: u64) -> String {
    match lang {
        Lang::En => format!("site {site}: {seq} of {of} decisions verified"),
        Lang::Zh => format!("站点 {site}：已核对 {seq} / {of} 个决定"),
    }
}

/// Neither a directory nor a database is named.
pub(crate) fn unnamed(lang: Lang) -> &'static str {
    lang.of(
        "请用 --data 指定数据目录，或用 --postgres、--config 或 HOTLINE_POSTGRES 指定数据库",
        "name a data directory by --data, or a database by --postgres, --config or HOTLINE_POSTGRES",
    )
}

/// There is nothing to verify.
pub(super) fn empty(lang: Lang) -> &'static str {
    lang.of("日志为空：还没有任何决定", "the journal is empty: there are no decisions yet")
}

#[cfg(test)]
mod tests {
    use switchboard::id::Seq;

    use super::*;

    #[test]
    fn every_fault_is_told_in_both_languages() {
        let site: SiteId = "main".parse().expect("a name");
        let dir = || "/data".into();
        let opening = [
            OpenFault::NoJournal { dir: dir() },
            OpenFault::InUse { dir: dir(), process: "7".to_owned() },
            OpenFault::NotADatabase { path: dir() },
            OpenFault::NoPlace { dir: dir() },
            OpenFault::BadCopy { path: dir(), why: "it is not a database".to_owned() },
            OpenFault::NotOurs { path: dir() },
            OpenFault::Exists { path: dir() },
            OpenFault::LeftBehind { path: dir() },
            OpenFault::Newer { path: dir(), schema: 9, known: 1 },
            OpenFault::Full { dir: dir() },
        ];
        for fault in opening {
            let (zh, en) = (unopened(Lang::Zh, &fault), unopened(Lang::En, &fault));
            assert!(zh.contains("/data") && en.contains("/data") && zh != en, "{zh} {en}");
            assert!(zh.chars().any(|c| c > '\u{4e00}') && en.is_ascii(), "{zh} {en}");
        }
        for fault in [
            VerifyFault::Gap { after: Seq(41), found: Seq(43) },
            VerifyFault::ReplayedOtherwise { seq: Seq(41) },
            VerifyFault::Snapshot { seq: Seq(41) },
            VerifyFault::RecordsElsewhere { seq: Seq(41) },
        ] {
            for lang in [Lang::Zh, Lang::En] {
                let told = unsound(lang, site, &fault);
                assert!(told.contains("main") && told.contains("41"), "{told}");
            }
        }
    }
}
