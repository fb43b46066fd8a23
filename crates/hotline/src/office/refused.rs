//! A server's no as people read it: what, why, and what mends it at this command line.

use api::{Refusal, RefusalKind};

use super::fault::{Exit, Fault};
use super::said::{Said, said, same};
use crate::chinese::{reason_and_mend, translated};

/// A reason code; what it means in Chinese, what mends it in Chinese and, where the server speaks to programs, in
/// English.
type Words = (&'static str, &'static str, &'static str, &'static str);

/// Every reason code that a command here can meet, and the others of the same list.
#[rustfmt::skip]
const REASONS: &[Words] = &[
    ("ALREADY_DONE", "已经是这样", "无须再做", ""),
    ("REQUEST_REUSED", "该请求编号已用于另一项操作", "再执行一次", "do it again"),
    ("TIME_WENT_BACK", "服务器的时间倒退", "请告知管理服务器的人；未作任何更改", ""),
    ("TICK_FIRST", "恰有到期的事项", "再执行一次", "do it again"),
    ("NOT_YOURS", "此令牌无权这样做", "使用管理员或主管的令牌", "use an administrator's or a supervisor's token"),
    ("UNKNOWN_CALL", "没有这个通话，或早已结束", "查看：hotline call list", "see which there are: hotline call list"),
    ("CALL_CLOSED", "该通话已结束", "查看：hotline call list", "see which are open: hotline call list"),
    ("CALL_ID_TAKEN", "该通话编号已被使用", "换一个编号", ""),
    ("UNKNOWN_ATTEMPT", "没有这次尝试", "查看该通话的最新状态", ""),
    ("WRONG_CALL_STATE", "以该通话现在的状态不能这样做", "查看：hotline call show", "look at it: hotline call show"),
    ("BAD_ARRIVAL", "来电的等候时间过长", "最多声称两小时", ""),
    ("MEANINGLESS_DIGIT", "该按键此刻没有含义", "忽略它", ""),
    ("CALLER_GONE", "来电者已挂断", "无须再做", ""),
    ("ANSWERED_ELSEWHERE", "已由他人接听", "无须再做", ""),
    ("EXPIRED", "已过时限", "等待下一次", ""),
    ("STALE_SESSION", "另一个工作台已接替", "重新连接", ""),
    ("WITHDRAWN", "已被撤回", "等待下一次", ""),
    ("STALE_OFFER", "不再有效", "等待下一次", ""),
    ("UNKNOWN_OPERATOR", "没有这名接线员", "查看：hotline operator list", "see who there is: hotline operator list"),
    ("OPERATOR_EXISTS", "已有同名的接线员", "换一个标识", "choose another id"),
    ("WRONG_OPERATOR_STATE", "以该接线员现在的状态不能这样做", "查看：hotline operator show", "look at it: hotline operator show"),
    ("PROFILE_CONFLICT", "其间有人更改了该接线员", "未作任何更改；再执行一次", "nothing was changed; do it again"),
    ("OPERATOR_BUSY", "该接线员正忙", "等手头的工作结束", ""),
    ("OPERATOR_NOT_READY", "该接线员未就绪", "选一名空闲的接线员", ""),
    ("WRONG_DEVICE", "该接线员的接听设备不能这样做", "更改其接听方式", ""),
    ("CONSULT_IN_PROGRESS", "咨询正在进行", "先完成转接或取回来电", ""),
    ("UNKNOWN_LINE", "没有这条热线", "查看：hotline line list", "see which there are: hotline line list"),
    ("LINE_NOT_OPEN", "该热线此刻不接来电", "选一条开放的热线：hotline line list", "choose one that is open: hotline line list"),
    ("WRONG_LINE_STATE", "以该热线现在的状态不能这样做", "查看：hotline line show；按时间关闭的热线按时间开放，已停用的不再开放", "look at it: hotline line show; a line closed by its hours opens by them, a removed one never"),
    ("EMERGENCY_NEEDS_DIVERT", "急诊热线不能在没有去处时关闭", "先执行 hotline line divert 热线 --to 外线号码 --for 时长，再关闭", "first hotline line divert LINE --to DESTINATION --for LENGTH, then close it"),
    ("BAD_DURATION", "时长不在范围内", "从 1m 到 30d", "from 1m to 30d"),
    ("UNKNOWN_TEAM", "没有这个班组", "查看：hotline team list", "see which there are: hotline team list"),
    ("UNKNOWN_SKILL", "没有这项技能", "写现行方案中的技能：hotline plan get", "name a skill of the plan in force: hotline plan get"),
    ("UNKNOWN_DESTINATION", "没有这个外线号码，或它不要求按 1 接听", "写现行方案 [destinations] 中 press_one = true 的一个：hotline plan get", "name one of [destinations] in the plan in force that has press_one = true: hotline plan get"),
    ("LINE_ID_RETIRED", "该热线标识已停用，不再使用", "给热线换一个标识", ""),
    ("PLAN_CONFLICT", "其间有人应用了另一版方案", "取现行方案（hotline plan get），在其中修改，再应用", "get the plan in force (hotline plan get), make your change in it, apply that"),
    ("SKILLS_EXHAUSTED", "技能种类已满", "使用已有的技能名称", ""),
    ("BAD_MOVE", "等候的来电不能这样转移", "从被移除的热线转到保留的热线", ""),
    ("BAD_SCHEDULE", "班表有误", "按时间先后排列，只写现有的热线和接线员", ""),
    ("UNKNOWN_GATEWAY", "没有这个网关", "先让网关连接", ""),
    ("NOT_BLOCKED", "未被屏蔽", "无须再做", ""),
    ("NEVER_BLOCKED", "急诊来电从不屏蔽", "放行", ""),
    ("LIMIT_REACHED", "已达上限", "先减少一些", ""),
    ("SITE_HAS_CALLS", "该站点还有进行中的通话", "关闭其热线，等最后一个通话结束后再停用", ""),
    ("SITE_RETIRED", "该站点已停用，不再接来电", "让应急方案接听；新站点须用另一个名称", "its emergency plan takes its calls; a new site begins under another name"),
    ("SITE_EXISTS", "已有或曾有此站点", "换一个名称；名称从不重复使用", "choose another name; a name is never used again"),
    ("UNKNOWN_SITE", "没有这个站点", "查看：hotline site list", "see which there are: hotline site list"),
    ("HOME_SITE", "主站点管理其他站点，不能停用", "先关闭其热线，再结束服务", ""),
    ("NOT_HOME", "只有主站点的管理员能建立、查看和停用站点", "请主站点的管理员来做", ""),
    ("ONE_SITE", "此服务只为一个站点而设", "以 hotline serve --data 目录 启动", ""),
    ("SITE_NOT_SERVED", "服务器此刻不服务该站点", "稍后再试；若一直如此，请告知管理服务器的人", ""),
    ("FORMAT_UNKNOWN", "服务器不写这个格式", "写它会写的格式，或问更新版本的服务器", "name one that it writes, or ask a server of a later release"),
    ("FORMAT_LOWER", "格式从不降低", "保持现状：该站点的每台服务器都能读", "leave it: every server of the site reads it"),
    ("FORMAT_NOT_READ", "还有服务器读不了这个格式", "用能读它的版本替换这些服务器，或结束它们，15 秒后再试", "replace these by a release that reads it, or end them, and do it again after 15 s"),
    ("ROLL_UNKNOWN", "此刻不知道还有哪些服务器", "稍后再试", "do it again in a moment"),
    ("FOREIGN_CALL", "该通话属于另一个网关", "只报告自己的通话", ""),
    ("FENCED", "连接已过期", "重新连接", "do it again"),
    ("BUSY", "服务器此刻太忙", "稍后再试", "do it again in a moment"),
    ("FAULTY", "服务器内部出错", "请告知管理服务器的人；再试无用", ""),
    ("DEGRADED", "该站点已停止作出决定；进行中的通话继续", "请告知管理服务器的人", ""),
    ("CLOSING", "服务器正在结束", "稍后再试", "do it again in a moment"),
    ("NOT_STEPPED", "服务器的时钟不是步进的", "以步进时钟启动服务器", ""),
    ("WOULD_REMOVE", "该方案会移除热线", "把这些热线留在方案中，或加 --allow-remove", "keep these lines in the plan, or say --allow-remove"),
    ("NO_PLAN_TEXT", "服务器没有现行方案的文本", "应用一份方案：hotline plan apply -f 文件", "apply a plan: hotline plan apply -f FILE"),
    ("INVALID_FIELD", "请求中有不合要求的内容", "按原因修改", "change what is named"),
    ("NO_VALID_TOKEN", "令牌无效", "检查令牌文件；需要新令牌时：hotline token create", "look at the token file; for a new one: hotline token create"),
    ("TOKEN_EXPIRED", "令牌已过期", "请管理员发新令牌：hotline token create", "ask an administrator for a new one: hotline token create"),
    ("TOKEN_REVOKED", "令牌已被收回", "请管理员发新令牌：hotline token create", "ask an administrator for a new one: hotline token create"),
    ("TOO_MANY_WRONG_TOKENS", "错误的令牌太多", "稍候，并检查令牌文件", "wait a little, and look at the token file"),
    ("WRONG_ROLE", "此令牌的角色不能这样做", "使用管理员的令牌；查看类命令也可用主管的令牌", "use an administrator's token; to look at things, a supervisor's will do, too"),
    ("TOO_MANY_STREAMS", "此令牌打开的看板或记录太多", "关掉一些", "close some of them"),
    ("TAKEN_OVER", "另一个连接已接替", "重新连接", ""),
    ("NOT_THERE_YET", "服务器还没有读到所要的记录", "稍后再试", "do it again in a moment"),
    ("OTHER_EPOCH", "所给的位置属于另一段历史", "从头开始", "begin at the beginning"),
    ("JOURNAL_UNREADABLE", "服务器无法读取日志", "请告知管理服务器的人", ""),
    ("CALLERS_UNAVAILABLE", "服务器无法读取来电者记录", "请告知管理服务器的人", ""),
    ("REGISTRY_UNAVAILABLE", "服务器无法读写令牌和方案", "请告知管理服务器的人", ""),
    ("MALFORMED_MESSAGE", "服务器读不懂此请求", "使用与服务器相同版本的程序", "use a program of the server's version"),
    ("CALL_NOT_OPEN_THEN", "那一刻没有这个通话", "它何时在线上：hotline call why", "see when it was inside: hotline call why"),
    ("OPERATOR_NOT_HERE_THEN", "那一刻没有这名接线员", "写更晚的时刻", "name a later moment"),
    ("RECORDS_UNAVAILABLE", "服务器无法读取通话记录", "稍后再试；进行中的通话继续", "do it again in a moment; calls under way go on"),
    ("OTHER_ROSTER", "其间有人应用了另一版排班表", "取现行排班表（hotline roster get），在其中修改，再应用", "get the roster in force (hotline roster get), make your change in it, apply that"),
    ("ROSTER_UNREADABLE", "服务器读不懂现行的排班表", "取现行排班表（hotline roster get），用 hotline roster validate 检查，改好再应用", "get the roster in force (hotline roster get), mend what hotline roster validate tells, and apply it again"),
    ("AUDIT_UNAVAILABLE", "服务器无法写入审计记录，所以什么也没有做", "稍后再试", "do it again in a moment; what cannot be recorded is not done"),
    ("AUDIT_DAMAGED", "审计记录已损坏，所以什么也没有做", "请告知管理服务器的人：需从备份恢复数据目录", ""),
    ("CALLERS_DAMAGED", "来电者记录已损坏", "请告知管理服务器的人：需从备份恢复数据目录", ""),
    ("REGISTRY_DAMAGED", "令牌、方案和排班表的存储已损坏", "请告知管理服务器的人：需从备份恢复数据目录", ""),
    ("RECORDS_DAMAGED", "通话记录已损坏", "请告知管理服务器的人：停止服务并删除 derived.db，记录会重新生成", ""),
    ("JOURNAL_DAMAGED", "日志已损坏", "请告知管理服务器的人：需从备份恢复数据目录", ""),
    ("ERASURE_EXPIRED", "没有人及时批准", "重新申请：hotline privacy erase", "ask for it again: hotline privacy erase"),
    ("UNKNOWN_ERASURE", "没有这项删除申请", "查看：hotline privacy list", "see what waits: hotline privacy list"),
    ("NOT_BY_ONESELF", "申请删除的人不能自己批准", "请另一名管理员批准：hotline privacy approve", "let another administrator do it: hotline privacy approve"),
    ("APPROVER_TOO_NEW", "批准人的令牌是在申请之后才发的：申请人自己也可能发了它", "请一名在申请之前就有令牌的管理员批准，或重新申请", "let an administrator approve it who had the token before it was asked for, or ask for it again: hotline privacy erase"),
    ("NO_VALID_INVITE", "没有这份邀请，或已经用过", "请管理员再发一份：hotline operator invite；每份只能用一次，新的一份取代旧的", "ask for another: hotline operator invite; each is worth a token once, and the latest one alone"),
    ("INVITE_EXPIRED", "邀请已过期", "请管理员再发一份：hotline operator invite", "ask for another: hotline operator invite"),
    ("NO_NUMBER", "没有保存此来电者的号码", "检查所写的；隐藏号码或已被删除的来电者没有号码", "look at what you wrote; callers who withhold their number or were forgotten have none"),
    ("MESSAGE_TOO_LONG", "请求太大", "分几次发送", ""),
];

/// A server's no, as a fault of this command.
pub(super) fn fault(refusal: &Refusal, address: &str) -> Fault {
    match refusal.kind {
        RefusalKind::NotReached => not_reached(refusal, address),
        RefusalKind::NotAdmitted => told(refusal, Exit::NotAdmitted),
        RefusalKind::Broken => told(refusal, Exit::Broken),
        RefusalKind::BadRequest | RefusalKind::NotFound | RefusalKind::Busy | RefusalKind::Refused => {
            told(refusal, Exit::Refused)
        }
    }
}

fn not_reached(refusal: &Refusal, address: &str) -> Fault {
    let what = said(format!("{address} 上没有服务器应答"), format!("no server answers at {address}"));
    let certificate = refusal.message.contains("certificate");
    Fault::new(Exit::NotReached, "NOT_REACHED", what).because(translated(&refusal.message)).mend(if certificate {
        said(
            "检查 --ca 是否为签发该证书的机构，以及证书是否写有此名称（hotline certs renew --name）",
            "see whether --ca is the authority of its certificate, and whether that names this host (hotline certs renew --name)",
        )
    } else {
        said(
            "检查 hotline serve 是否在运行、地址是否正确（--server、HOTLINE_SERVER、profiles.toml）、服务器是否要求 https",
            "see whether hotline serve runs, whether the address is right (--server, HOTLINE_SERVER, profiles.toml), and \
             whether the server wants https",
        )
    })
}

fn told(refusal: &Refusal, exit: Exit) -> Fault {
    let why = why(refusal);
    let known = REASONS.iter().find(|(code, ..)| *code == refusal.reason);
    let Some((code, zh, zh_mend, en_mend)) = known else {
        let what = said("服务器拒绝了", "the server said no");
        let fault =
            Fault::new(exit, if refusal.reason.is_empty() { "REFUSED" } else { &refusal.reason }, what);
        let fault = fault.because(why);
        return if refusal.mend.is_empty() { fault } else { fault.mend(translated(&refusal.mend)) };
    };
    let english_mend = if en_mend.is_empty() { refusal.mend.as_str() } else { en_mend };
    let figures: Vec<String> =
        refusal.figures.iter().map(|(name, figure)| format!("{name} = {figure}")).collect();
    let what = said(*zh, english_what(refusal));
    let fault = Fault::new(exit, code, what).mend(said(*zh_mend, english_mend));
    match (refusal.fields.is_empty(), figures.is_empty()) {
        (false, _) => fault.because(why),
        (true, false) => fault.because(same(figures.join(", "))),
        (true, true) => fault,
    }
}

/// The server's own words: what it says of each field, if it does.
fn why(refusal: &Refusal) -> Said {
    if refusal.fields.is_empty() {
        return translated(&refusal.message);
    }
    let fields = |line: &dyn Fn(&str, &str) -> String| {
        let lines: Vec<String> = refusal.fields.iter().map(|(path, what)| line(path, what)).collect();
        lines.join("\n        ")
    };
    said(
        fields(&|path, what| format!("{path}：{}", reason_and_mend(what))),
        fields(&|path, what| format!("{path}: {what}")),
    )
}

/// The server's own words, or that fields are wrong where the words only list these.
fn english_what(refusal: &Refusal) -> String {
    if refusal.fields.is_empty() {
        refusal.message.clone()
    } else {
        "something in the request is not what it should be".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;
    use crate::lang::Lang;

    /// The texts in which the service makes its reasons: all but the one that counts gRPC's own status names.
    fn sources() -> Vec<String> {
        let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../routing/src")];
        let mut texts = Vec::new();
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.file_name().is_some_and(|name| name != "figures.rs") {
                    texts.push(std::fs::read_to_string(path).expect("a text"));
                }
            }
        }
        texts
    }

    /// Words in quotes that are capitals and underscores: reason codes.
    fn codes(source: &str) -> impl Iterator<Item = &str> {
        let quoted = source.lines().flat_map(|line| line.split('"').skip(1).step_by(2));
        quoted.filter(|word| word.len() > 3 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    }

    #[test]
    fn every_reason_of_the_service_has_words_in_chinese() {
        let known: BTreeSet<&str> = REASONS.iter().map(|(code, ..)| *code).collect();
        assert_eq!(known.len(), REASONS.len(), "each once");
        let sources = sources();
        let made: BTreeSet<&str> = sources.iter().flat_map(|source| codes(source)).collect();
        assert!(made.contains("PLAN_CONFLICT") && made.contains("WRONG_ROLE") && made.len() > 50, "{made:?}");
        let without: Vec<&&str> = made.difference(&known).collect();
        assert!(without.is_empty(), "say these in Chinese: {without:?}");
    }

    #[test]
    fn what_is_wrong_with_a_field_is_told_in_both_languages() {
        let field = |path: &str, what: &str| (path.to_owned(), what.to_owned());
        let refusal = Refusal {
            kind: RefusalKind::BadRequest,
            reason: "INVALID_FIELD".to_owned(),
            message: String::new(),
            mend: String::new(),
            figures: BTreeMap::new(),
            fields: vec![
                field("text:5:9 weekly.ana", "there is no shift 'erly'; did you mean 'early'?"),
                field("page_size", "from 1 to 1,000"),
                field("a", "the words of a later server"),
            ],
        };
        let fault = fault(&refusal, "http://127.0.0.1:1");
        let (zh, en) = (fault.lines(Lang::Zh).join("\n"), fault.lines(Lang::En).join("\n"));
        assert!(en.contains("page_size: from 1 to 1,000"), "{en}");
        for words in [
            "text:5:9 weekly.ana：没有班次 'erly'；您是否指 early？",
            "page_size：从 1 到 1000",
            "a：the words of a later server",
        ] {
            assert!(zh.contains(words), "{words} is not in {zh}");
        }
    }

    #[test]
    fn a_no_is_told_in_both_languages() {
        let refusal = Refusal {
            kind: RefusalKind::Refused,
            reason: "PLAN_CONFLICT".to_owned(),
            message: "another plan is in force".to_owned(),
            mend: "for programs".to_owned(),
            figures: [("in_force".to_owned(), "8".to_owned())].into(),
            fields: Vec::new(),
        };
        let fault = fault(&refusal, "http://127.0.0.1:1");
        let (zh, en) = (fault.lines(Lang::Zh).join("\n"), fault.lines(Lang::En).join("\n"));
        assert!(zh.contains("另一版方案") && zh.contains("in_force = 8"), "{zh}");
        assert!(en.contains("another plan is in force") && en.contains("hotline plan get"), "{en}");
    }
}
