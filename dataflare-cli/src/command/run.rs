//! `dataflare run`.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use dataflare_core::actor::{Engine, RunOptions};
use dataflare_core::event::{Deliveries, EventBus, Outcome, Subscription, Webhook, ndjson_writer};
use dataflare_core::workflow::Workflow;

use crate::progress::Screen;
use crate::setup::{Setup, WorkflowArgs, tell, told};

/// How long webhooks may take to be told of the end.
const FLUSH_MAX: Duration = Duration::from_secs(10);

/// Runs a workflow to its end, or goes on with an unfinished run of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare run workflow.yaml
  dataflare run workflow.yaml --set region=us --memory 256MiB
  dataflare run workflow.yaml --fresh --events events.ndjson")]
pub(crate) struct Args {
    #[command(flatten)]
    workflow: WorkflowArgs,

    /// Gives up an unfinished run, and starts anew.
    #[arg(long)]
    fresh: bool,

    /// Memory that the run may use, as `settings.memory`: 256MiB.
    #[arg(long, value_name = "SIZE")]
    memory: Option<bytesize::ByteSize>,

    /// Lanes at once, as `settings.parallelism`.
    #[arg(long, value_name = "LANES")]
    parallelism: Option<usize>,

    /// Writes every event as a line of JSON to a file, or to the standard output (`-`).
    #[arg(long, value_name = "FILE|-")]
    events: Option<PathBuf>,

    /// Makes a step of the run fail, to test how it is survived: `kill@checkpoint.after_rename:2`.
    #[arg(long, env = "DATAFLARE_FAULT", hide = true)]
    fault: Option<String>,
}

pub(crate) fn run(args: &Args, screen: &Screen) -> Result<ExitCode> {
    if let Some(plan) = args.fault.as_deref().filter(|plan| !plan.is_empty()) {
        dataflare_core::fault::install(plan)?;
    }
    let setup = Setup::load(&args.workflow, |workflow| change(args, workflow))?;
    let plan = setup.plan()?;
    let bus = EventBus::new();
    let shown = screen.follow(&bus, &setup.workflow.id)?;
    let _written = args.events.as_ref().map(|path| write_events(&bus, path)).transpose()?;
    let engine = Engine::start(bus.clone()).map_err(|error| told(&setup.loaded, &error))?;
    let hooks = engine.runtime().block_on(async { webhooks(&setup.workflow, &bus) });
    let hooks = hooks.map_err(|error| told(&setup.loaded, &error))?;
    let handle = engine.run(plan, RunOptions { fresh: args.fresh, ..RunOptions::default() });
    let orders = handle.orders();
    engine.runtime().spawn(async move {
        if interrupted().await {
            tell("stopping: what has been read is committed (again to stop at once)");
            orders.drain();
        }
        if interrupted().await {
            std::process::exit(130);
        }
    });
    let ended = engine.runtime().block_on(handle.finished());
    engine.runtime().block_on(async {
        bus.flush(FLUSH_MAX).await;
        for hook in hooks {
            hook.finish(FLUSH_MAX).await;
        }
    });
    drop(shown);
    match ended {
        Ok(summary) => {
            if summary.outcome == Outcome::Drained {
                tell(&format!("stopped; go on with: dataflare run {}", args.workflow.workflow.display()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(told(&setup.loaded, &error).into()),
    }
}

fn change(args: &Args, workflow: &mut Workflow) {
    if let Some(memory) = args.memory {
        workflow.settings.memory = memory.as_u64();
    }
    workflow.settings.parallelism = args.parallelism.or(workflow.settings.parallelism);
}

fn write_events(bus: &EventBus, path: &std::path::Path) -> Result<Subscription> {
    let subscribed = if path.as_os_str() == "-" {
        bus.subscribe(ndjson_writer(std::io::stdout()))
    } else {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        bus.subscribe(ndjson_writer(file))
    };
    Ok(subscribed?)
}

fn webhooks(workflow: &Workflow, bus: &EventBus) -> dataflare_core::Result<Vec<Deliveries>> {
    let start = |spec| Webhook::from_spec(spec)?.workflow(&workflow.id).start(bus);
    workflow.events.iter().map(start).collect()
}

/// Waits for SIGINT or SIGTERM; false where the system gives no signals.
async fn interrupted() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            true
        }
        _ => false,
    }
}
