//! Why a command that has no answer of its own, as `serve` and `certs`, did not do what was asked: told cause by cause.

use std::io::{self, Write};

use anyhow::Error;

use crate::chinese::told;
use crate::lang::Lang;

/// Says on standard error what went wrong.
pub(crate) fn tell(lang: Lang, fault: &Error) {
    // Where even this cannot be written the exit code is all there is to say.
    let _said = writeln!(io::stderr(), "{}", words(lang, fault));
}

fn words(lang: Lang, fault: &Error) -> String {
    let (mark, why) = (lang.of("错误：", "error: "), lang.of("原因：", "why:  "));
    let mut causes = fault.chain().map(|cause| told(lang, cause));
    let first = causes.next().unwrap_or_default();
    // A drawing begins with the mark.
    let mark = if first.starts_with(mark) { "" } else { mark };
    // Some say their cause themselves.
    causes.fold(format!("{mark}{first}"), |told, cause| match told.ends_with(&cause) {
        true => told,
        false => format!("{told}\n  {why}{cause}"),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use session::SealKeyFault;

    use super::*;

    #[test]
    fn each_cause_is_told_in_both_languages() {
        let fault = io::Error::from_raw_os_error(2);
        let fault = Err::<(), _>(fault).context("cannot read the plan x.toml").expect_err("a fault");
        assert_eq!(words(Lang::Zh, &fault), "错误：无法读取方案 x.toml\n  原因：没有这个文件或目录");
        let english = "error: cannot read the plan x.toml\n  why:  No such file or directory (os error 2)";
        assert_eq!(words(Lang::En, &fault), english);
        let fault = SealKeyFault::File { path: "x".into(), source: io::Error::from_raw_os_error(2) }.into();
        assert_eq!(words(Lang::Zh, &fault), "错误：无法使用密钥文件 x：没有这个文件或目录");
    }

    #[test]
    fn a_drawing_has_its_mark_once() {
        let findings = || plan::parse("x.toml", "lines = 3").expect_err("no plan").into();
        for (lang, mark) in [(Lang::Zh, "错误：此处应为表"), (Lang::En, "error: a table is wanted here")]
        {
            let told = words(lang, &findings());
            assert!(told.starts_with(mark) && told.matches(&mark[..6]).count() == 1, "{told}");
        }
    }
}
