//! The DataFlare engine: moves Arrow record batches from sources through processors to destinations,
//! exactly once.
//!
//! Actors decide, pumps carry, barriers commit; everything a user can write in YAML is a row in a
//! table of [`component::Component`]s. This crate names no connector and no processor.

pub mod batch;
pub mod component;
pub mod error;
pub mod event;
pub mod expr;
pub mod fault;
pub mod plan;
pub mod pump;
pub mod workflow;

pub use error::{Error, ErrorKind, Result};
