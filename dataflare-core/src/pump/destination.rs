//! Writes what arrives, and stages it at barriers.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::inlets::Item;
use super::{Inlets, PumpError, Reporter};
use crate::batch::{Barrier, Flow};
use crate::component::{StageContext, Staged, Writer};
use crate::event::Meter;
use crate::{Error, fault};

/// What one writer did in one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// The epoch that ended.
    pub epoch: u64,
    /// What was staged; `None` where nothing was written.
    pub staged: Option<Staged>,
}

/// Writes one destination in one lane.
pub struct DestinationPump {
    /// The component's name.
    pub component: String,
    /// The lane's index.
    pub lane: usize,
    /// Where records come from.
    pub inlets: Inlets,
    /// What writes them.
    pub writer: Box<dyn Writer>,
    /// The schema that the writer was promised: batches of several inputs may differ from it in what
    /// they allow to be null.
    pub schema: SchemaRef,
    /// Who hears of what is staged.
    pub report: Reporter<StageReport>,
    /// Its counters.
    pub meter: Arc<Meter>,
}

impl DestinationPump {
    /// Runs until the input has ended and is staged, or fails.
    pub async fn run(mut self) -> Result<(), PumpError> {
        let mut rows = 0;
        loop {
            match self.inlets.next().await? {
                Item::Batch(_, in_flight) => {
                    if let Flow::Batch(records) = &in_flight.flow {
                        let count = records.num_rows() as u64;
                        fault::point("destination.before_write").map_err(|error| self.place(error))?;
                        self.meter.rows_in(count);
                        let records = self.conform(records)?;
                        let written = self.writer.write(records).await;
                        written.map_err(|error| self.place(error))?;
                        rows += count;
                    }
                }
                Item::Barrier(barrier) => self.stage(&barrier, &mut rows).await?,
                Item::End(barrier) => return self.stage(&barrier, &mut rows).await,
            }
        }
    }

    async fn stage(&mut self, barrier: &Barrier, rows: &mut u64) -> Result<(), PumpError> {
        fault::point("destination.before_stage").map_err(|error| self.place(error))?;
        let context = StageContext { epoch: barrier.epoch, split: barrier.split.clone() };
        let staged = self.writer.stage(&context).await.map_err(|error| self.place(error))?;
        let rows = std::mem::take(rows);
        if staged.is_none() && rows > 0 {
            let error = Error::permanent(format!("{rows} rows were written, but nothing was staged"));
            return Err(self.place(error).into());
        }
        let staged = staged.map(|value| Staged { lane: self.lane, epoch: barrier.epoch, rows, value });
        (self.report)(StageReport { epoch: barrier.epoch, staged });
        Ok(())
    }

    fn conform(&self, records: &RecordBatch) -> Result<RecordBatch, PumpError> {
        if records.schema_ref() == &self.schema {
            return Ok(records.clone());
        }
        RecordBatch::try_new(self.schema.clone(), records.columns().to_vec()).map_err(|cause| {
            let error = Error::permanent("records do not have the schema that was planned").caused_by(cause);
            PumpError::Failed(self.place(error))
        })
    }

    fn place(&self, error: Error) -> Error {
        error.in_component(&self.component)
    }
}
