//! Values from bytes.
//!
//! Each function takes the bytes from the value's first one to the end of the text, `tail`, and the
//! value's length: reading a whole word and masking what is too much is faster than byte by byte.

mod calendar;
mod decimal;
mod digits;
mod float;

pub(super) use calendar::{Dates, Instant, clock, timestamp};
pub(super) use decimal::{decimal128, decimal256};
pub(super) use digits::{integer, word};
pub(super) use float::{float32, float64};
