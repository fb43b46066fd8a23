//! What is said about a database, in both languages.

use session::PostgresFault;

use super::Address;
use crate::chinese::chinese;
use crate::lang::Lang;

/// Why a database cannot be used, and what mends it.
pub(crate) fn unopened(lang: Lang, fault: &PostgresFault) -> String {
    match lang {
        Lang::En => fault.to_string(),
        Lang::Zh => unopened_in_chinese(fault),
    }
}

/// The same of the database at an address; of one that is none, also where it stands.
pub(crate) fn unopened_at(lang: Lang, address: &Address, fault: &PostgresFault) -> String {
    let words = unopened(lang, fault);
    match fault {
        PostgresFault::BadAddress { .. } => format!("{}{}{words}", address.place(), lang.of("：", ": ")),
        _ => words,
    }
}

fn unopened_in_chinese(fault: &PostgresFault) -> String {
    match fault {
        PostgresFault::BadAddress { why } => format!(
            "这不是数据库地址：{}。请写成 postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full",
            chinese(why)
        ),
        PostgresFault::Unreachable { server, why } => {
            format!("{server} 没有应答：{why}。请在那里启动 Postgres，或换一个地址")
        }
        PostgresFault::NoTls { server, why } => {
            format!("无法与 {server} 建立 TLS：{why}。请为它配置 sslrootcert 认可的证书，或改用其他 sslmode")
        }
        PostgresFault::WrongPassword { server, user } => {
            format!("{server} 拒绝了 {user} 的密码。请更正地址中的用户或密码")
        }
        PostgresFault::NotAllowed { server, user, why } => {
            format!("{server} 不允许 {user} 这样做：{why}。请按 docs/postgres.md 授权")
        }
        PostgresFault::NoDatabase { server } => {
            format!("{server} 没有这个数据库。请用 createdb 创建，或在地址中写另一个")
        }
        PostgresFault::Replica { server } => format!("{server} 是只读副本。请在地址中写主库"),
        PostgresFault::ReadOnly { server } => {
            format!(
                "{server} 不接受写入：它的事务是只读的。请在那里把 default_transaction_read_only 设为 off"
            )
        }
        PostgresFault::TooOld { server, version } => {
            format!("{server} 的 Postgres 版本是 {version}，至少需要 15。请升级")
        }
        PostgresFault::NotUtf8 { server, encoding } => format!(
            "{server} 的数据库编码是 {encoding}。请用 createdb --encoding=UTF8 --template=template0 创建一个"
        ),
        PostgresFault::Behind { server, missing } => {
            format!("{server} 的表结构缺少 {}。请运行 hotline migrate", missing.join("、"))
        }
        PostgresFault::Newer { server, step } => {
            format!("{server} 的表结构已有第 {step} 步，本版程序不认识。请启动做出这一步的版本，或更新的版本")
        }
        PostgresFault::NotOurs { server, why } => {
            format!("{server} 中的 hotline 模式属于其他程序：{why}。请换一个数据库")
        }
        PostgresFault::Busy { server } => {
            format!("有人正在更改 {server} 的表结构，或锁住了它的表。请等其结束后再试")
        }
        PostgresFault::NotEmpty { server } => {
            format!("{server} 的数据库中已有记录，不会被覆盖。请指定一个空的数据库")
        }
        PostgresFault::WrongKey => "日志中的来电号码是用另一把密钥封存的。请提供最初使用的密钥".to_owned(),
        PostgresFault::Damaged { server, why } => format!("{server} 中的记录已损坏：{why}。请从备份恢复"),
        PostgresFault::Failed { server, why } => format!("无法使用 {server} 的数据库：{why}"),
    }
}

/// What `hotline migrate` did.
pub(super) fn migrated(lang: Lang, steps: &[String]) -> String {
    match (lang, steps) {
        (Lang::Zh, []) => "表结构已是本版程序的，没有更改".to_owned(),
        (Lang::En, []) => "the tables are those of this release already; nothing was changed".to_owned(),
        (Lang::Zh, steps) => format!("已完成 {} 步：{}", steps.len(), steps.join("、")),
        (Lang::En, steps) => format!("made {} steps: {}", steps.len(), steps.join(", ")),
    }
}

/// No database is named anywhere.
pub(super) fn unnamed(lang: Lang) -> &'static str {
    lang.of(
        "没有指定数据库。请用 --postgres FILE 指定一个写有地址的文件，或设置 HOTLINE_POSTGRES，或在配置的 [postgres] 中写 file",
        "no database is named; give a file with its address by --postgres FILE, or set HOTLINE_POSTGRES, or write file \
         into [postgres] of the configuration",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_in_both_languages_with_its_mend() {
        let server = || "127.0.0.1:5432/hotline".to_owned();
        for fault in [
            PostgresFault::Unreachable { server: server(), why: "connection refused".to_owned() },
            PostgresFault::Behind { server: server(), missing: vec!["journal/0006_roll".to_owned()] },
            PostgresFault::Newer { server: server(), step: 9 },
            PostgresFault::Replica { server: server() },
        ] {
            let (zh, en) = (unopened(Lang::Zh, &fault), unopened(Lang::En, &fault));
            assert!(zh.contains(&server()) && en.contains(&server()), "{zh} {en}");
            assert!(zh.contains('请') && en.is_ascii(), "{zh} {en}");
        }
        assert!(unopened(Lang::Zh, &PostgresFault::WrongKey).contains("密钥"));
    }
}
