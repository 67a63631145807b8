//! `dataflare explain`.

use std::process::ExitCode;

use anyhow::Result;
use comfy_table::{Table, presets};
use dataflare_core::actor::planned_edge_limits;
use dataflare_core::plan::{Explanation, explain};
use indicatif::BinaryBytes;

use crate::setup::{Setup, WorkflowArgs, print};

/// Shows how a workflow would run: hops, lanes, what is pushed down, memory, and what is promised.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare explain workflow.yaml
  dataflare explain workflow.yaml --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    workflow: WorkflowArgs,

    /// Prints JSON.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How the plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let setup = Setup::load(&args.workflow, |_| {})?;
    let plan = setup.plan()?;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let lanes = plan.workflow.settings.parallelism.unwrap_or(cores);
    let explanation = explain(&plan, lanes, planned_edge_limits(&plan, lanes));
    let text = match args.format {
        Format::Text => text(&explanation),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&explanation)?),
    };
    print(&setup.loaded.secrets.redact(&text))?;
    Ok(ExitCode::SUCCESS)
}

fn text(explanation: &Explanation) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_header([
        "hop",
        "components",
        "lanes",
        "reads",
        "columns",
        "notes",
    ]);
    for hop in &explanation.hops {
        table.add_row([
            hop.role.to_owned(),
            hop.components.join(" + "),
            hop.lanes.to_string(),
            hop.inputs.join(", "),
            hop.columns.join("\n"),
            hop.notes.join("\n"),
        ]);
    }
    let weakest =
        explanation.weakest.as_ref().map(|name| format!(" (because of {name})")).unwrap_or_default();
    let spill = match explanation.relation_bytes {
        0 => String::new(),
        bytes => format!(", joins, sorts and aggregates {} before they spill", BinaryBytes(bytes)),
    };
    format!(
        "{}\n{table}\nlanes        {}\nmemory       queues {}{spill}\ncheckpoints  {}\npromise      {}{weakest}\n",
        explanation.workflow,
        explanation.lanes,
        BinaryBytes(explanation.edge_bytes),
        explanation.checkpoints,
        explanation.promise.describe(),
    )
}
