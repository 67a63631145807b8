//! Why an expression or statement cannot be planned, in DataFlare's words.

use std::ops::Range;

use datafusion::common::{DataFusionError, SchemaError};

/// Why an expression cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// The bytes of the SQL text to blame, where known.
    pub range: Option<Range<usize>>,
    /// What to write instead.
    pub help: Option<String>,
}

impl ExprError {
    /// An error that blames the whole text.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), range: None, help: None }
    }

    /// What DataFusion says of `sql`, whose columns are `columns`.
    pub(super) fn of(error: &DataFusionError, sql: &str, columns: &[&str]) -> Self {
        if let Some(name) = unknown_column(error) {
            return Self::unknown_column(&name, sql, columns);
        }
        let text = root(error).strip_backtrace();
        let text = text.lines().next().unwrap_or_default();
        for noise in [
            "SQL error: ParserError(\"",
            "Error during planning: ",
            "Schema error: ",
            "This feature is not implemented: ",
        ] {
            if let Some(rest) = text.strip_prefix(noise) {
                return Self::worded(rest.trim_end_matches("\")"), sql);
            }
        }
        Self::worded(text, sql)
    }

    fn unknown_column(name: &str, sql: &str, columns: &[&str]) -> Self {
        let help = nearest(name, columns).map_or_else(
            || format!("the columns are {}", columns.join(", ")),
            |near| format!("did you mean `{near}`? The columns are {}", columns.join(", ")),
        );
        Self {
            message: format!("there is no column `{name}`"),
            range: find_word(sql, name),
            help: Some(help),
        }
    }

    fn worded(text: &str, sql: &str) -> Self {
        let mut error = Self::new(lowercase_first(text.trim_end_matches('.')));
        error.range = position(text, sql);
        if let Some(name) = text.strip_prefix("Invalid function '").and_then(|rest| rest.split('\'').next()) {
            error.message = format!("there is no function `{name}`");
            error.range = find_word(sql, name);
            let suggestion = text.split("Did you mean '").nth(1).and_then(|rest| rest.split('\'').next());
            error.help = suggestion.map(|near| format!("did you mean `{near}`?"));
        }
        error
    }
}

fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => root(inner),
        other => other,
    }
}

fn unknown_column(error: &DataFusionError) -> Option<String> {
    match root(error) {
        DataFusionError::SchemaError(cause, _) => match &**cause {
            SchemaError::FieldNotFound { field, .. } => Some(field.name.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The known name that is nearest to `name`, if one is near.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored =
        known.iter().map(|known| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()), *known));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// Where `word` stands in `sql` as a word of its own.
fn find_word(sql: &str, word: &str) -> Option<Range<usize>> {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    sql.match_indices(word).map(|(start, _)| start..start + word.len()).find(|range| {
        let before = sql[..range.start].chars().next_back();
        let after = sql[range.end..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// The place that the parser names as "at Line: 1, Column: 9".
fn position(text: &str, sql: &str) -> Option<Range<usize>> {
    let number = |label: &str| -> Option<usize> {
        let rest = text.split(label).nth(1)?;
        rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
    };
    let (line, column) = (number("Line: ")?, number("Column: ")?);
    let line_start: usize = sql.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let in_line =
        sql.get(line_start..)?.char_indices().nth(column.checked_sub(1)?).map_or(0, |(offset, _)| offset);
    let start = line_start + in_line;
    let end = sql[start..]
        .find(|character: char| character.is_whitespace() || character == ')')
        .map_or(sql.len(), |length| start + length);
    Some(start..end.max(start + 1).min(sql.len()))
}

fn lowercase_first(text: &str) -> String {
    let mut characters = text.chars();
    let second_is_upper = text.chars().nth(1).is_some_and(char::is_uppercase);
    match characters.next() {
        Some(first) if !second_is_upper => first.to_lowercase().chain(characters).collect(),
        _ => text.to_owned(),
    }
}
