//! What users can say of the files they read.

use std::collections::BTreeMap;

use dataflare_decode::OnMismatch;
use dataflare_decode::csv::Dialect;
use schemars::JsonSchema;
use serde::Deserialize;

use super::format::{Compression, Format};
use super::types::TypeSpec;

/// Options of the source `file`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileOptions {
    /// What to read: a file, a folder (all files below it whose ending is known), a pattern
    /// (`data/**/*.ndjson`), or a list of these. Relative to the current directory.
    pub path: Paths,
    /// How the files are written; by their ending where nothing is said.
    #[serde(default)]
    pub format: Option<Format>,
    /// How the files are compressed; by their ending where nothing is said.
    #[serde(default)]
    pub compression: Option<Compression>,
    /// The columns and their types, as in `{ id: int64, at: "timestamp(ms, UTC)", device: { os: utf8 } }`.
    /// Where it is left out, the types are guessed from a sample of the first file.
    #[serde(default)]
    pub schema: Option<BTreeMap<String, TypeSpec>>,
    /// What becomes of a value that does not fit its column's type. Where nothing is said, the record
    /// goes where `on_error` of this source says.
    #[serde(default)]
    pub on_mismatch: Option<Mismatch>,
    /// How CSV files are written.
    #[serde(default)]
    pub csv: CsvOptions,
    /// Big CSV, NDJSON and Parquet files are read in parts of about this size, several at once.
    #[serde(default)]
    pub split: Option<String>,
    /// The longest record that is read, `256MiB` where nothing is said: it is held in memory whole.
    #[serde(default)]
    pub record_max: Option<String>,
    /// Records that are looked at to guess types.
    #[serde(default = "default_sample")]
    pub sample_rows: usize,
}

fn default_sample() -> usize {
    10_000
}

/// One path or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Paths {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Paths {
    pub(super) fn all(&self) -> Vec<String> {
        match self {
            Self::One(path) => vec![path.clone()],
            Self::Many(paths) => paths.clone(),
        }
    }
}

/// What becomes of a value that does not fit its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mismatch {
    /// The run fails.
    Error,
    /// The value is taken as null.
    Null,
    /// The record goes where `on_error` of this source says.
    DeadLetter,
}

/// How CSV files are written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CsvOptions {
    /// Stands between two values.
    #[serde(default = "default_delimiter")]
    pub delimiter: char,
    /// Encloses values that hold delimiters or line ends.
    #[serde(default = "default_quote")]
    pub quote: Option<char>,
    /// Takes the meaning from the character after it, where quotes are not doubled.
    #[serde(default)]
    pub escape: Option<char>,
    /// Lines that begin with it are left out.
    #[serde(default)]
    pub comment: Option<char>,
    /// Whether the first line names the columns; where it does not they are `column_1` and so on.
    #[serde(default = "default_header")]
    pub header: bool,
    /// Unquoted values that mean null.
    #[serde(default = "default_null")]
    pub null: Vec<String>,
    /// Whether quoted values may hold line ends. Where they cannot, saying so saves a look at the whole
    /// of each big file before it is read in parts.
    #[serde(default = "default_header")]
    pub quoted_newlines: bool,
}

fn default_delimiter() -> char {
    ','
}

#[allow(clippy::unnecessary_wraps, reason = "serde calls it for an optional field")]
fn default_quote() -> Option<char> {
    Some('"')
}

fn default_header() -> bool {
    true
}

fn default_null() -> Vec<String> {
    vec![String::new()]
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: default_delimiter(),
            quote: default_quote(),
            escape: None,
            comment: None,
            header: true,
            null: default_null(),
            quoted_newlines: true,
        }
    }
}

impl CsvOptions {
    /// The decoder's dialect, or the option that is not one byte.
    pub(super) fn dialect(&self) -> Result<Dialect, (&'static str, char)> {
        let byte = |name, character: char| {
            u8::try_from(character).ok().filter(u8::is_ascii).ok_or((name, character))
        };
        let optional =
            |name, character: Option<char>| character.map(|character| byte(name, character)).transpose();
        Ok(Dialect {
            delimiter: byte("delimiter", self.delimiter)?,
            quote: optional("quote", self.quote)?,
            escape: optional("escape", self.escape)?,
            comment: optional("comment", self.comment)?,
            null: self.null.clone(),
            quoted_newlines: self.quoted_newlines,
        })
    }
}

impl FileOptions {
    /// The decoders' policy; `reject` says whether bad records are wanted.
    pub(super) fn on_mismatch(&self, reject: bool) -> OnMismatch {
        match self.on_mismatch {
            Some(Mismatch::Error) => OnMismatch::Error,
            Some(Mismatch::Null) => OnMismatch::Null,
            Some(Mismatch::DeadLetter) => OnMismatch::Reject,
            None if reject => OnMismatch::Reject,
            None => OnMismatch::Error,
        }
    }
}
