//! The sources and destinations of DataFlare: one folder a system, one row each in [`COMPONENTS`].

mod discard;
mod file;
mod generate;
mod parquet;
mod staging;
mod stdout;

use dataflare_core::component::Component;

/// The sources and destinations, by name.
pub const COMPONENTS: &[&Component] =
    &[&discard::COMPONENT, &file::COMPONENT, &generate::COMPONENT, &parquet::COMPONENT, &stdout::COMPONENT];
