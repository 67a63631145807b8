//! What is wrong with a workflow, shown like a compiler would.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, SourceCode, SourceSpan, SpanContents,
};
use serde_json::json;

use super::node::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The workflow cannot run.
    Error,
    /// It can, but something is to be changed.
    Warning,
}

/// Something wrong with a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Names the kind of mistake, for tools: `workflow::unknown-key`.
    pub code: &'static str,
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The places it is about, the one to blame first, each with what is to be said there.
    pub labels: Vec<(Location, String)>,
}

/// A place in a workflow's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub(super) span: Span,
}

/// The texts that a workflow was read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<(String, String)>,
}

impl Diagnostic {
    pub(super) fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        let labels = vec![(Location { span }, String::new())];
        Self { severity: Severity::Error, code, message: message.into(), help: None, labels }
    }

    pub(super) fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn says(mut self, label: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.1 = label.into();
        }
        self
    }

    pub(super) fn and(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((Location { span }, label.into()));
        self
    }
}

impl Sources {
    /// Adds a file; its number is what spans refer to.
    pub(super) fn add(&mut self, name: String, text: String) -> usize {
        self.files.push((name, text));
        self.files.len() - 1
    }

    pub(super) fn text(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |(_, text)| text)
    }

    pub(super) fn name(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |(name, _)| name)
    }

    /// Line and column of an offset, both from one, the column in characters.
    fn place(&self, file: usize, offset: usize) -> (usize, usize) {
        let text = self.text(file);
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// A place as `file:line:column`.
    pub fn describe(&self, location: &Location) -> String {
        let Span { file, range } = &location.span;
        let (line, column) = self.place(*file, range.start);
        format!("{}:{line}:{column}", self.name(*file))
    }
}

/// All of `diagnostics` as a compiler would print them.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_context_lines(1);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let file = diagnostic.labels.first().map_or(0, |(location, _)| location.span.file);
        let report = Report { diagnostic, sources, file };
        if handler.render_report(&mut text, &report).is_err() {
            text.push_str(&diagnostic.message);
        }
        text.push('\n');
    }
    text
}

/// All of `diagnostics` for editors; lines and columns count from one.
pub fn to_json(diagnostics: &[Diagnostic], sources: &Sources) -> serde_json::Value {
    let entry = |diagnostic: &Diagnostic| {
        let severity = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
        let mut entry = json!({ "severity": severity, "code": diagnostic.code, "message": diagnostic.message, "help": diagnostic.help });
        if let Some((Location { span }, _)) = diagnostic.labels.first() {
            let (line, column) = sources.place(span.file, span.range.start);
            let (end_line, end_column) = sources.place(span.file, span.range.end);
            entry["file"] = sources.name(span.file).into();
            entry["line"] = line.into();
            entry["column"] = column.into();
            entry["end_line"] = end_line.into();
            entry["end_column"] = end_column.into();
        }
        entry
    };
    diagnostics.iter().map(entry).collect()
}

/// A diagnostic as miette wants it: labels in the file of the first; those elsewhere are told in words.
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    sources: &'a Sources,
    file: usize,
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)?;
        for (location, label) in
            self.diagnostic.labels.iter().filter(|(location, _)| location.span.file != self.file)
        {
            write!(f, " ({label}: {})", self.sources.describe(location))?;
        }
        Ok(())
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        if self.diagnostic.labels.is_empty() { None } else { Some(self) }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = self.diagnostic.labels.iter().filter(|(location, _)| location.span.file == self.file);
        Some(Box::new(here.map(|(Location { span }, label)| {
            let label = if label.is_empty() { "here".to_owned() } else { label.clone() };
            // The value of a long list or map is not shown whole: its first line is enough.
            let text = self.sources.text(span.file).get(span.range.clone()).unwrap_or_default();
            let length = text.lines().next().map_or(0, str::len);
            LabeledSpan::new(Some(label), span.range.start, length)
        })))
    }
}

impl SourceCode for Report<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let contents = self.sources.text(self.file).read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.sources.name(self.file).to_owned(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}
