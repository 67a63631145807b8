//! What users can say of their Parquet files.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::staging::Roll;

/// Options of `parquet`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ParquetOptions {
    /// The folder to write to; it is made if it is not there. A run's files are in a folder of their
    /// own below it, which appears under the run's name when the run is complete. With `roll` they
    /// appear in this folder itself, at each checkpoint.
    pub path: String,
    /// How pages are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// The level of `zstd`, 1 to 22; more is smaller and slower. 3 where nothing is said.
    #[serde(default)]
    pub level: Option<i32>,
    /// Rows in a row group, at most.
    #[serde(default = "default_row_group_rows")]
    pub row_group_rows: usize,
    /// Bytes of a row group in memory, at most: what one lane holds before it writes, `32MiB` where
    /// nothing is said.
    #[serde(default)]
    pub row_group_bytes: Option<String>,
    /// Whether columns with few different values are written as dictionaries.
    #[serde(default = "default_true")]
    pub dictionary: bool,
    /// Columns with a bloom filter, for readers that look single values up.
    #[serde(default)]
    pub bloom_filters: Vec<String>,
    /// Columns by which the rows of each row group are sorted, for readers that skip by value.
    #[serde(default)]
    pub sort_by: Vec<String>,
    /// Columns whose values become folders, as in `country=DE/`; they are left out of the files.
    #[serde(default)]
    pub partition_by: Vec<String>,
    /// When files are closed while the run goes on.
    #[serde(default)]
    pub roll: Option<Roll>,
}

/// How pages are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compression {
    /// Small, and fast to read.
    #[default]
    Zstd,
    /// Faster to write, larger.
    Snappy,
    /// Faster to write, larger.
    Lz4,
    /// Not at all.
    None,
}

fn default_row_group_rows() -> usize {
    1_048_576
}

fn default_true() -> bool {
    true
}
