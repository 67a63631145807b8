//! Workflows as text and as types.

mod spec;

pub use spec::*;
