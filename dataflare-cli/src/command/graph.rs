//! `dataflare graph`.

use std::process::ExitCode;

use anyhow::Result;
use dataflare_core::plan::{GraphFormat, graph};

use crate::setup::{Setup, WorkflowArgs, print};

/// Draws a workflow, for a README (Mermaid) or for Graphviz (DOT).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare graph workflow.yaml
  dataflare graph workflow.yaml --format dot | dot -Tsvg > workflow.svg")]
pub(crate) struct Args {
    #[command(flatten)]
    workflow: WorkflowArgs,

    /// The language of the picture.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
}

/// The language of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// As GitHub draws it.
    Mermaid,
    /// As Graphviz draws it.
    Dot,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let setup = Setup::load(&args.workflow, |_| {})?;
    let format = match args.format {
        Format::Mermaid => GraphFormat::Mermaid,
        Format::Dot => GraphFormat::Dot,
    };
    print(&graph(&setup.workflow, format))?;
    Ok(ExitCode::SUCCESS)
}
