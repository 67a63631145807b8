//! `dataflare schema`.

use std::process::ExitCode;

use anyhow::Result;
use dataflare_core::workflow::schema;

use crate::setup::{print, registry};

/// Prints the JSON Schema of workflows, with which editors complete and check them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare schema > dataflare.schema.json

In VS Code with the YAML extension, begin a workflow with:
  # yaml-language-server: $schema=dataflare.schema.json")]
pub(crate) struct Args {}

pub(crate) fn run() -> Result<ExitCode> {
    print(&format!("{}\n", serde_json::to_string_pretty(&schema(&registry()))?))?;
    Ok(ExitCode::SUCCESS)
}
