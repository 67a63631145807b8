//! Runs a processor that works on whole streams: all lanes of all its inputs in, one stream out.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::future::try_join_all;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::{Inlets, Outlets, PumpError};
use crate::batch::{Barrier, Flow, FlowReceiver};
use crate::component::{BatchStream, Relation};
use crate::event::Meter;
use crate::{Error, fault};

/// Runs one [`Relation`]. No barrier may pass before the end: what it holds cannot be snapshot.
pub struct RelationPump {
    /// The component's name.
    pub component: String,
    /// Where records come from.
    pub inlets: Inlets,
    /// How many inputs the processor has.
    pub inputs: usize,
    /// The work.
    pub relation: Box<dyn Relation>,
    /// Where its records go.
    pub outlets: Outlets,
    /// Its counters.
    pub meter: Arc<Meter>,
}

impl RelationPump {
    /// Runs until the work is done and the input has ended, or fails.
    pub async fn run(self) -> Result<(), PumpError> {
        let place = |error: Error| PumpError::Failed(error.in_component(&self.component));
        let mut streams: Vec<Vec<BatchStream>> = (0..self.inputs).map(|_| Vec::new()).collect();
        let mut forwards = Vec::new();
        for (input, receiver) in self.inlets.into_receivers() {
            let (sender, stream) = handover();
            streams[input].push(stream);
            forwards.push(forward(receiver, sender, &self.meter));
        }
        let mut output = self.relation.run(streams).map_err(place)?;
        let work = async {
            while let Some(made) = output.next().await {
                fault::point("processor.before_process").map_err(place)?;
                let records = made.map_err(place)?;
                self.meter.rows_out(records.num_rows() as u64);
                self.outlets.send(0, records).await?;
            }
            Ok(())
        };
        let (barriers, ()) = tokio::try_join!(try_join_all(forwards), work)?;
        let barrier = barriers.first().expect("a processor has at least one input");
        self.outlets.end(barrier).await
    }
}

fn handover() -> (mpsc::Sender<RecordBatch>, BatchStream) {
    let (sender, receiver) = mpsc::channel(1);
    let stream = stream::unfold(receiver, |mut receiver: mpsc::Receiver<RecordBatch>| async move {
        receiver.recv().await.map(|records| (Ok(records), receiver))
    });
    (sender, Box::pin(stream))
}

/// Hands an edge's batches over to the work until the end has come. The edge is read to its end even
/// where the work has seen enough (a `LIMIT`), so that nothing upstream takes that for a failure.
async fn forward(
    mut edge: FlowReceiver,
    work: mpsc::Sender<RecordBatch>,
    meter: &Meter,
) -> Result<Barrier, PumpError> {
    loop {
        let in_flight = edge.receive().await.ok_or(PumpError::Cut)?;
        match &in_flight.flow {
            Flow::Batch(records) => {
                meter.rows_in(records.num_rows() as u64);
                _ = work.send(records.clone()).await;
            }
            Flow::End(barrier) => return Ok(barrier.clone()),
            Flow::Barrier(_) => {
                let text = "a barrier came before the end of a blocking processor's input";
                return Err(Error::permanent(text).into());
            }
        }
    }
}
