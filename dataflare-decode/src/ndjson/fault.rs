//! Why a value or a record was not read, small enough to travel in registers.

use crate::DecodeError;

/// The position after what was read, or why nothing was.
pub(super) type Step = Result<usize, Stop>;

/// Why reading stopped: a fault that ends the record, or no more than that the value has another type
/// than its column, which the column alone knows how to take.
#[derive(Debug)]
pub(super) struct Stop(Option<Box<Fault>>);

#[derive(Debug)]
pub(super) struct Fault {
    offset: usize,
    message: String,
    /// Names of the columns around the value, innermost first.
    path: Vec<String>,
}

impl Stop {
    /// The value at hand is none of the column's type; nothing was appended.
    pub(super) const MISMATCH: Self = Self(None);

    /// The record cannot be read because of what stands at `offset`.
    #[cold]
    pub(super) fn at(offset: usize, message: impl Into<String>) -> Self {
        Self(Some(Box::new(Fault { offset, message: message.into(), path: Vec::new() })))
    }

    /// Whether this is [`Stop::MISMATCH`].
    pub(super) fn is_mismatch(&self) -> bool {
        self.0.is_none()
    }

    /// Names the column that the value belongs to.
    #[cold]
    pub(super) fn within(mut self, column: &str) -> Self {
        if let Some(fault) = &mut self.0 {
            fault.path.push(column.to_owned());
        }
        self
    }
}

impl From<Stop> for DecodeError {
    fn from(stop: Stop) -> Self {
        let fault = stop.0.expect("a column turns every mismatch into a null or a fault");
        let message = if fault.path.is_empty() {
            fault.message
        } else {
            let names: Vec<&str> = fault.path.iter().rev().map(String::as_str).collect();
            format!("column `{}`: {}", names.join("."), fault.message)
        };
        Self { offset: fault.offset, message }
    }
}

/// The first 80 characters of a piece of input, fit for a message.
pub(super) fn quoted(text: &[u8]) -> String {
    const CHARS_MAX: usize = 80;
    let head = String::from_utf8_lossy(&text[..text.len().min(4 * CHARS_MAX)]);
    let mut out: String =
        head.chars().take(CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if head.chars().count() > CHARS_MAX || text.len() > 4 * CHARS_MAX {
        out.push('…');
    }
    out
}
