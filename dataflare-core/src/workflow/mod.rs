//! Workflows as text and as types: load, merge, put variables in, and say what is wrong like a compiler.
//!
//! Raw YAML values are touched here and nowhere else, and only here is the environment read.

mod check;
mod diagnostic;
mod interpolate;
mod load;
mod node;
mod origin;
mod raw;
mod schema;
mod secrets;
mod settings;
mod shape;
mod spec;

pub use diagnostic::{Diagnostic, Location, Severity, Sources, render, to_json};
pub use load::{Environment, LoadOptions, Loaded, load, load_str};
pub use origin::Origin;
pub use schema::schema;
pub use secrets::Secrets;
pub use spec::*;
