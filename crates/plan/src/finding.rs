//! What is wrong with a text: where, what, and how to mend it; drawn with the source line and a caret.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::source::{Excerpt, Source};

/// Most findings told at once: nobody mends more in one sitting, and a hostile text cannot make us write more.
pub const FINDINGS_MAX: usize = 50;

/// One thing wrong, or doubtful, in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which field: names and ids from the top, as `lines.emergency.tiers.2.who`. Empty for the text as a whole.
    pub field: String,
    /// Line of the text, from 1.
    pub line: usize,
    /// Character of the line, from 1.
    pub column: usize,
    /// The bytes of the text it is about.
    pub span: Range<usize>,
    /// What is wrong.
    pub reason: String,
    /// How to mend it.
    pub mend: String,
    drawing: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.drawing)
    }
}

/// Everything wrong with a text, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Findings {
    /// At least one, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub left_out: usize,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.findings.iter().enumerate() {
            if n > 0 {
                f.write_str("\n\n")?;
            }
            finding.fmt(f)?;
        }
        if self.left_out > 0 {
            write!(f, "\n\n… and {} more; mend these first", self.left_out)?;
        }
        Ok(())
    }
}

/// A finding that is not drawn yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) field: String,
    pub(crate) span: Range<usize>,
    pub(crate) reason: String,
    pub(crate) mend: String,
    /// A second place that has to do with it, and what it is.
    pub(crate) also: Option<(Range<usize>, String)>,
}

impl Fault {
    pub(crate) fn new(
        field: &str,
        span: Range<usize>,
        reason: impl Into<String>,
        mend: impl Into<String>,
    ) -> Fault {
        Fault { field: field.to_owned(), span, reason: reason.into(), mend: mend.into(), also: None }
    }

    pub(crate) fn also(mut self, span: Range<usize>, what: impl Into<String>) -> Fault {
        self.also = Some((span, what.into()));
        self
    }
}

/// How severe what is drawn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// Sorts, drops repetitions, draws.
pub(crate) fn drawn(source: &Source, severity: Severity, mut faults: Vec<Fault>) -> (Vec<Finding>, usize) {
    faults.sort_by(|a, b| (a.span.start, a.span.end, &a.reason).cmp(&(b.span.start, b.span.end, &b.reason)));
    faults.dedup_by(|a, b| a.span == b.span && a.reason == b.reason);
    let left_out = faults.len().saturating_sub(FINDINGS_MAX);
    faults.truncate(FINDINGS_MAX);
    let findings = faults.into_iter().map(|fault| finding(source, severity, fault)).collect();
    (findings, left_out)
}

/// The errors of a text that has some.
pub(crate) fn errors(source: &Source, faults: Vec<Fault>) -> Findings {
    let (findings, left_out) = drawn(source, Severity::Error, faults);
    Findings { findings, left_out }
}

fn finding(source: &Source, severity: Severity, fault: Fault) -> Finding {
    let at = source.position(fault.span.start);
    let drawing = draw(source, severity, &fault);
    Finding {
        field: fault.field,
        line: at.line,
        column: at.column,
        span: fault.span,
        reason: fault.reason,
        mend: fault.mend,
        drawing,
    }
}

fn draw(source: &Source, severity: Severity, fault: &Fault) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let main = source.excerpt(fault.span.clone());
    let also = fault.also.as_ref().map(|(span, what)| (source.excerpt(span.clone()), what.as_str()));
    let mut group = Group::with_title(level.primary_title(fault.reason.as_str()));
    if !main.is_whole {
        let place = Origin::path(source.file.as_str()).line(main.line).char_column(main.column);
        group = group.element(place);
    }
    let snippet = snippet(source, &main).annotation(AnnotationKind::Primary.span(main.span.clone()));
    group = match &also {
        Some((second, what)) => {
            let label = AnnotationKind::Context.span(second.span.clone()).label(*what);
            if second.line == main.line && second.text == main.text {
                group.element(snippet.annotation(label))
            } else {
                group.element(snippet).element(self::snippet(source, second).annotation(label))
            }
        }
        None => group.element(snippet),
    };
    let report = [group.element(Level::HELP.message(fault.mend.as_str()))];
    Renderer::plain().render(&report)
}

fn snippet<'a>(source: &'a Source, excerpt: &'a Excerpt) -> Snippet<'a, Annotation<'a>> {
    let snippet = Snippet::source(excerpt.text.as_str()).line_start(excerpt.line);
    if excerpt.is_whole { snippet.path(source.file.as_str()) } else { snippet }
}
