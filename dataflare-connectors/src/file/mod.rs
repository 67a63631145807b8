//! Files: CSV, NDJSON, Parquet, Arrow IPC and Avro, in and out.

mod columnar;
mod destination;
mod encode;
mod format;
mod input;
mod json;
mod list;
mod options;
mod sample;
mod source;
mod text;
mod types;

use dataflare_core::component::{Build, Component, RoleEntry};

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "file",
    roles: &[
        RoleEntry {
            summary: "Reads CSV, NDJSON, JSON, Parquet, Arrow and Avro files, compressed or not",
            example: "path: data/*.ndjson",
            options: || schemars::schema_for!(options::FileOptions),
            build: Build::Source(source::build),
        },
        RoleEntry {
            summary: "Writes NDJSON, CSV, Arrow and Avro files to a local folder",
            example: "path: out/rejects\nformat: ndjson",
            options: || schemars::schema_for!(destination::FileDestinationOptions),
            build: Build::Destination(destination::build),
        },
    ],
};
