//! Formats and compressions, and how a file's name tells them.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Parquet.
    Parquet,
    /// Arrow IPC file.
    Arrow,
    /// Avro object container file.
    Avro,
}

/// How a file is compressed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compression {
    /// Not at all.
    None,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bz2,
    /// LZ4 frames.
    Lz4,
}

impl Format {
    /// By the ending of a name, without that of a compression.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let name = match Compression::of(path) {
            Compression::None => name.as_str(),
            _ => name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem),
        };
        match name.rsplit_once('.')?.1 {
            "csv" | "tsv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "parquet" => Some(Self::Parquet),
            "arrow" | "feather" | "ipc" => Some(Self::Arrow),
            "avro" => Some(Self::Avro),
            _ => None,
        }
    }

    /// Whether a big file can be read in parts by byte range.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Ndjson)
    }
}

impl Compression {
    /// By the ending of a name.
    pub(super) fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).as_deref() {
            Some("gz" | "gzip") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            Some("bz2") => Self::Bz2,
            Some("lz4") => Self::Lz4,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_format_and_compression() {
        let of = |name: &str| (Format::of(Path::new(name)), Compression::of(Path::new(name)));
        assert_eq!(of("a/b.ndjson.gz"), (Some(Format::Ndjson), Compression::Gzip));
        assert_eq!(of("B.CSV"), (Some(Format::Csv), Compression::None));
        assert_eq!(of("x.txt"), (None, Compression::None));
    }
}
