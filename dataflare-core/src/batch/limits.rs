//! How large a batch may be.

/// The upper bounds of one record batch; a source ends a batch at whichever is reached first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Rows in a batch.
    pub rows: usize,
    /// Bytes of a batch in memory; one record larger than this is a batch of its own.
    pub bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { rows: 65_536, bytes: 4 << 20 }
    }
}
