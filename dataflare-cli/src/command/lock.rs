//! `dataflare lock`.

use std::process::ExitCode;

use anyhow::Result;

use crate::setup::{Setup, WorkflowArgs, lock_path, print, told};

/// Writes the schemas of a workflow's sources to `dataflare.lock` beside it.
///
/// From then on `validate` checks types without looking at any system, and `run` refuses a source whose
/// columns are not those that were locked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare lock workflow.yaml")]
pub(crate) struct Args {
    #[command(flatten)]
    workflow: WorkflowArgs,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut setup = Setup::load(&args.workflow, |_| {})?;
    let mut lock = setup.lock.take().unwrap_or_default();
    let schemas = setup.look()?;
    lock.set(&setup.workflow.id, &schemas);
    let path = lock_path(&args.workflow.workflow);
    lock.write(&path).map_err(|error| told(&setup.loaded, &error))?;
    print(&format!(
        "locked the columns of {} in {}\n",
        schemas.keys().cloned().collect::<Vec<_>>().join(", "),
        path.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
