//! The engine as a library: start it once, run plans on it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix::{Actor, Addr};
use actix_rt::{ArbiterHandle, System};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::commit::Committer;
use super::ledger::Ledger;
use super::message::{Abort, Drain};
use super::restart::Restarts;
use super::retry::Retry;
use super::workflow::WorkflowActor;
use crate::checkpoint::{Checkpoint, Phase, Store};
use crate::component::Run;
use crate::event::{EventBus, Meters, Summary, Ticker};
use crate::plan::Plan;
use crate::{Error, Result};

/// Runs workflows: actors on a thread of their own, pumps on one thread a core. One a process is enough.
pub struct Engine {
    runtime: Option<Runtime>,
    arbiter: ArbiterHandle,
    system: System,
    control: Option<thread::JoinHandle<()>>,
    bus: EventBus,
    cores: usize,
}

/// How a run differs from what its workflow says.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Gives up what an earlier run has left unfinished, and starts anew.
    pub fresh: bool,
    /// Time between two progress events.
    pub tick: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { fresh: false, tick: Duration::from_millis(200) }
    }
}

/// A run under way.
pub struct RunHandle {
    answer: oneshot::Receiver<Result<Summary>>,
    orders: Orders,
}

/// Tells a run to end; can be kept apart from the handle that waits for it.
#[derive(Debug, Clone)]
pub struct Orders(mpsc::Sender<Order>);

#[derive(Debug)]
enum Order {
    Drain,
    Abort,
}

impl Engine {
    /// Starts the engine's threads; `bus` hears of all its runs.
    pub fn start(bus: EventBus) -> Result<Self> {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let runtime =
            Builder::new_multi_thread().worker_threads(cores).thread_name("pump").enable_all().build();
        let runtime = runtime.map_err(|cause| Error::permanent("cannot start threads").caused_by(cause))?;
        let (sender, receiver) = std::sync::mpsc::channel();
        let control = thread::Builder::new().name("actors".into()).spawn(move || {
            let system = System::new();
            // The engine is gone if this fails; then there is nothing to run.
            _ = sender.send((System::current(), System::current().arbiter().clone()));
            if let Err(cause) = system.run() {
                tracing::error!(%cause, "the actors' thread ended");
            }
        });
        let control = control.map_err(|cause| Error::permanent("cannot start a thread").caused_by(cause))?;
        let (system, arbiter) = receiver
            .recv()
            .map_err(|cause| Error::permanent("cannot start the actors' thread").caused_by(cause))?;
        Ok(Self { runtime: Some(runtime), arbiter, system, control: Some(control), bus, cores })
    }

    /// Where the engine's own tasks run; for what must be awaited beside a run.
    pub fn runtime(&self) -> &tokio::runtime::Handle {
        self.runtime.as_ref().expect("the runtime is there until the engine is dropped").handle()
    }

    /// Starts a run, which goes on from where an unfinished one of the same workflow was left.
    pub fn run(&self, plan: Plan, options: RunOptions) -> RunHandle {
        let (answer, receiver) = oneshot::channel();
        let (orders, given) = mpsc::channel(4);
        let (bus, arbiter, runtime) = (self.bus.clone(), self.arbiter.clone(), self.runtime().clone());
        let cores = self.cores;
        self.runtime().spawn(async move {
            match begin(plan, &options, cores, &bus, runtime).await {
                Ok(mut actor) => {
                    actor.answer = Some(answer);
                    let address = WorkflowActor::start_in_arbiter(&arbiter, move |_| actor);
                    obey(given, address).await;
                }
                // Nobody waits for the answer where the run was started and left alone.
                Err(error) => _ = answer.send(Err(error)),
            }
        });
        RunHandle { answer: receiver, orders: Orders(orders) }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.system.stop();
        if let Some(control) = self.control.take() {
            // It panicked if this fails; whoever waited for a run has been told.
            _ = control.join();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl RunHandle {
    /// Tells the run to end.
    pub fn orders(&self) -> Orders {
        self.orders.clone()
    }

    /// Waits for the end of the run.
    pub async fn finished(self) -> Result<Summary> {
        let gone = |_| Err(Error::panic("the engine stopped before the run ended"));
        self.answer.await.unwrap_or_else(gone)
    }
}

impl Orders {
    /// Stop reading, commit what was read, and end well.
    pub fn drain(&self) {
        // The run is over if this fails.
        _ = self.0.try_send(Order::Drain);
    }

    /// End at once; what was committed stays, and another run goes on from there.
    pub fn abort(&self) {
        _ = self.0.try_send(Order::Abort);
    }
}

async fn obey(mut orders: mpsc::Receiver<Order>, workflow: Addr<WorkflowActor>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Drain => workflow.do_send(Drain),
            Order::Abort => workflow.do_send(Abort(Error::transient("the run was stopped"))),
        }
    }
}

/// Opens the checkpoint store and finds out whether this run is a new one.
async fn begin(
    plan: Plan,
    options: &RunOptions,
    cores: usize,
    bus: &EventBus,
    runtime: tokio::runtime::Handle,
) -> Result<WorkflowActor> {
    let plan = Arc::new(plan);
    let workflow = Arc::clone(&plan.workflow);
    let store = Store::open(&workflow.settings.checkpoint_store, &workflow.id).await?;
    let known = store.load().await?.filter(|known| known.phase != Phase::Finished);
    let resumed = known.is_some() && !options.fresh;
    let checkpoint = match known {
        Some(known) if !options.fresh => resume(&plan, known)?,
        known => {
            for node in plan.destinations.iter().filter(|_| known.is_some()) {
                let run = known.as_ref().map(|known| &known.run).expect("there is one where this is reached");
                node.destination.abort(run).await.map_err(|error| error.in_component(&node.name))?;
            }
            anew(&plan)
        }
    };
    store.save(&checkpoint).await?;
    let publisher = bus.publisher(&workflow.id, &checkpoint.run.id);
    let meters = Meters::new(workflow.components.iter().map(|spec| (spec.name.clone(), spec.role)));
    let ticker = Ticker::start(meters.clone(), publisher.clone(), options.tick);
    let backoff = workflow.settings.restart;
    let retry = Retry { backoff, publisher: publisher.clone() };
    Ok(WorkflowActor {
        committer: Committer { plan, store: Arc::new(store), retry },
        ledger: Ledger { checkpoint },
        lanes: workflow.settings.parallelism.unwrap_or(cores),
        resumed,
        runtime,
        publisher,
        meters,
        ticker: Some(ticker),
        restarts: Restarts::new(backoff),
        answer: None,
        state: Default::default(),
    })
}

fn resume(plan: &Plan, known: Checkpoint) -> Result<Checkpoint> {
    let (now, then) = (plan.fingerprint(), &known.fingerprint);
    if now != *then {
        let message = format!("the unfinished run of `{}` had other sources or destinations", known.workflow);
        let cause = Error::config(format!("then {then}, now {now}"));
        return Err(Error::config(message)
            .caused_by(cause)
            .help("restore the workflow, or start anew with `--fresh`"));
    }
    Ok(known)
}

fn anew(plan: &Plan) -> Checkpoint {
    let workflow = &plan.workflow.id;
    let started = chrono::Utc::now().format("%Y-%m-%d_%H-%M-%S%.3fZ").to_string();
    Checkpoint::new(Run { workflow: workflow.clone(), id: started }, plan.fingerprint())
}
