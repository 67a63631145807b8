//! `dataflare state`.

use std::process::ExitCode;

use anyhow::Result;
use dataflare_core::checkpoint::{Checkpoint, Phase, Store};

use crate::setup::{Setup, WorkflowArgs, print, told};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Shows the last checkpoint of a workflow.
    #[command(
        after_help = "Examples:\n  dataflare state show workflow.yaml\n  dataflare state show workflow.yaml --json"
    )]
    Show {
        #[command(flatten)]
        workflow: WorkflowArgs,
        /// Prints the checkpoint as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Forgets the checkpoints of a workflow, so that its next run starts anew.
    #[command(
        after_help = "Examples:\n  dataflare state reset workflow.yaml\n  dataflare state reset workflow.yaml --force"
    )]
    Reset {
        #[command(flatten)]
        workflow: WorkflowArgs,
        /// Even those of an unfinished run, which can then not be resumed.
        #[arg(long)]
        force: bool,
    },
}

pub(crate) fn run(command: &Command) -> Result<ExitCode> {
    let (Command::Show { workflow, .. } | Command::Reset { workflow, .. }) = command;
    let setup = Setup::load(workflow, |_| {})?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = async {
        let store = Store::open(&setup.workflow.settings.checkpoint_store, &setup.workflow.id).await?;
        match command {
            Command::Show { json, .. } => Ok(show(&store, store.load().await?.as_ref(), *json)),
            Command::Reset { force, .. } => {
                store.reset(*force).await?;
                Ok(format!("forgot the checkpoints of {} in {}\n", setup.workflow.id, store.place()))
            }
        }
    };
    let text = runtime.block_on(work).map_err(|error| told(&setup.loaded, &error))?;
    print(&setup.loaded.secrets.redact(&text))?;
    Ok(ExitCode::SUCCESS)
}

fn show(store: &Store, checkpoint: Option<&Checkpoint>, json: bool) -> String {
    let Some(checkpoint) = checkpoint else { return format!("no checkpoint in {}\n", store.place()) };
    if json {
        return serde_json::to_string_pretty(checkpoint)
            .map_or_else(|error| error.to_string(), |text| text + "\n");
    }
    let phase = match checkpoint.phase {
        Phase::Running => "unfinished: the next run goes on from here",
        Phase::Publishing => "all records are committed; the next run publishes them",
        Phase::Finished => "finished: the next run starts anew",
    };
    let mut text = format!(
        "workflow  {}\nrun       {}\nepoch     {}\nstate     {phase}\nstore     {}\n",
        checkpoint.workflow,
        checkpoint.run.id,
        checkpoint.epoch,
        store.place()
    );
    for (name, source) in &checkpoint.sources {
        let done = source.splits.values().filter(|split| split.done).count();
        text.push_str(&format!("source {name}: {done} splits read, {} begun\n", source.splits.len() - done));
    }
    for (name, destination) in &checkpoint.destinations {
        text.push_str(&format!(
            "destination {name}: {} rows committed, {} staged values waiting\n",
            destination.rows,
            destination.staged.len()
        ));
    }
    text
}
