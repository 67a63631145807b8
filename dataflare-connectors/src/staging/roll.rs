//! When a file is closed and the next one begun.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;

/// Closes a file and begins the next at whichever of these is reached first. Files that roll become
/// visible at each checkpoint, one by one; without it a run's files become visible together, at its end.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Roll {
    /// Rows in a file.
    #[serde(default)]
    rows: Option<u64>,
    /// Bytes of a file, about: `128MiB`.
    #[serde(default)]
    bytes: Option<String>,
    /// Time that a file is written to: `5m`.
    #[serde(default)]
    interval: Option<String>,
}

/// [`Roll`] in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RollLimits {
    rows: Option<u64>,
    bytes: Option<u64>,
    interval: Option<Duration>,
}

impl Roll {
    /// The limits, or which of them is not one.
    pub(crate) fn limits(&self) -> Result<RollLimits, (&'static str, String)> {
        let bytes = self
            .bytes
            .as_ref()
            .map(|text| text.parse::<bytesize::ByteSize>().map_err(|error| ("bytes", error)));
        let interval = self
            .interval
            .as_ref()
            .map(|text| humantime::parse_duration(text).map_err(|error| ("interval", error.to_string())));
        Ok(RollLimits {
            rows: self.rows,
            bytes: bytes.transpose()?.map(|size| size.as_u64()),
            interval: interval.transpose()?,
        })
    }
}

impl RollLimits {
    /// Whether a file with so many rows and bytes, begun then, is to be closed.
    pub(crate) fn reached(&self, rows: u64, bytes: u64, begun: Instant) -> bool {
        self.rows.is_some_and(|limit| rows >= limit)
            || self.bytes.is_some_and(|limit| bytes >= limit)
            || self.interval.is_some_and(|limit| begun.elapsed() >= limit)
    }
}
