//! A pump's outputs: each record to every edge of its port, barriers and the end to all edges.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::PumpError;
use crate::Error;
use crate::batch::{Barrier, Flow, FlowSender, Reject, rejects_to_batch};
use crate::event::Meter;
use crate::workflow::OnError;

/// The edges of each output port, and those for rejects.
#[derive(Debug, Default)]
pub struct Outlets {
    ports: Vec<Vec<FlowSender>>,
    rejects: Vec<FlowSender>,
}

impl Outlets {
    /// `ports[p]` holds the edges of output number `p`.
    pub fn new(ports: Vec<Vec<FlowSender>>) -> Self {
        Self { ports, rejects: Vec::new() }
    }

    /// Sends `records` to every edge of output number `port`; where there is none they end here.
    pub async fn send(&self, port: usize, records: RecordBatch) -> Result<(), PumpError> {
        let Some((last, others)) = self.ports.get(port).and_then(|edges| edges.split_last()) else {
            return Ok(());
        };
        for edge in others {
            edge.send(Flow::Batch(records.clone())).await?;
        }
        Ok(last.send(Flow::Batch(records)).await?)
    }

    /// Sends the barrier on all edges, dead letters' too.
    pub async fn barrier(&self, barrier: &Barrier) -> Result<(), PumpError> {
        self.broadcast(|| Flow::Barrier(barrier.clone())).await
    }

    /// Sends the end on all edges, dead letters' too.
    pub async fn end(&self, barrier: &Barrier) -> Result<(), PumpError> {
        self.broadcast(|| Flow::End(barrier.clone())).await
    }

    /// Has barriers and the end also sent to the dead-letter edge of `outlet`.
    pub fn follow(&mut self, outlet: &RejectOutlet) {
        self.rejects.extend(outlet.edge.clone());
    }

    async fn broadcast(&self, flow: impl Fn() -> Flow) -> Result<(), PumpError> {
        for edge in self.ports.iter().flatten().chain(&self.rejects) {
            edge.send(flow()).await?;
        }
        Ok(())
    }
}

/// What becomes of the records that one component rejects.
#[derive(Debug)]
pub struct RejectOutlet {
    component: String,
    lane: usize,
    on_error: OnError,
    edge: Option<FlowSender>,
    meter: Arc<Meter>,
}

impl RejectOutlet {
    /// Rejects of `component` in lane number `lane`; `edge` leads to the dead-letter destination.
    pub fn new(
        component: impl Into<String>,
        lane: usize,
        on_error: OnError,
        edge: Option<FlowSender>,
        meter: Arc<Meter>,
    ) -> Self {
        Self { component: component.into(), lane, on_error, edge, meter }
    }

    /// Whether one bad record fails the run.
    pub fn fails(&self) -> bool {
        self.on_error == OnError::Fail
    }

    /// Disposes of `rejects` as the workflow says; an error where it says that one fails the run.
    /// `split` is the split they came from, where that is known.
    pub async fn dispose(&self, rejects: &[Reject], split: Option<&str>) -> Result<(), PumpError> {
        let Some(first) = rejects.first() else { return Ok(()) };
        match (&self.on_error, &self.edge) {
            (OnError::Fail, _) => Err(PumpError::Failed(self.failure(first, split))),
            (OnError::DeadLetter(_), Some(edge)) => {
                self.meter.rejected(rejects.len() as u64, &first.error);
                let lane = split.map_or_else(|| format!("lane {}", self.lane), str::to_owned);
                Ok(edge.send(Flow::Batch(rejects_to_batch(&self.component, &lane, rejects))).await?)
            }
            (OnError::Skip | OnError::DeadLetter(_), _) => {
                self.meter.skipped(rejects.len() as u64, &first.error);
                Ok(())
            }
        }
    }

    fn failure(&self, reject: &Reject, split: Option<&str>) -> Error {
        let mut error = Error::config(reject.error.clone()).in_component(&self.component).help(
            "set `on_error: { dead_letter: <destination> }` or `on_error: skip` on this component to go on without such records",
        );
        if let Some(split) = split {
            error = error.in_split(split);
        }
        if reject.position.is_empty() { error } else { error.at(reject.position.clone()) }
    }
}
