//! Runs fused processors: a batch goes through all of them before the next is taken.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::inlets::Item;
use super::{Inlets, Outlets, PumpError, RejectOutlet, panic_text};
use crate::batch::{Flow, Reject};
use crate::component::{Output, Processor};
use crate::event::Meter;
use crate::expr::row_json;
use crate::{Error, Result, fault};

/// Makes a processor anew after one has panicked.
pub type Respawn = Box<dyn Fn() -> Result<Box<dyn Processor>> + Send>;

/// One processor of a chain.
pub struct ChainMember {
    /// The component's name.
    pub component: String,
    /// The processor.
    pub processor: Box<dyn Processor>,
    /// Makes it anew.
    pub respawn: Respawn,
    /// Where rejects go.
    pub rejects: RejectOutlet,
    /// Its counters.
    pub meter: Arc<Meter>,
}

/// Runs a chain of processors in one lane. Only the last member may have several outputs.
pub struct ChainPump {
    /// Where records come from.
    pub inlets: Inlets,
    /// The processors, first to last; never empty.
    pub members: Vec<ChainMember>,
    /// Where the last member's records go.
    pub outlets: Outlets,
}

impl ChainPump {
    /// Runs until the input has ended, or fails.
    pub async fn run(mut self) -> Result<(), PumpError> {
        loop {
            match self.inlets.next().await? {
                Item::Batch(input, in_flight) => {
                    if let Flow::Batch(records) = &in_flight.flow {
                        self.process(0, input, records.clone()).await?;
                    }
                }
                Item::Barrier(barrier) => self.outlets.barrier(&barrier).await?,
                Item::End(barrier) => {
                    self.finish().await?;
                    return self.outlets.end(&barrier).await;
                }
            }
        }
    }

    /// Takes one batch from member `first` to the end of the chain.
    async fn process(&mut self, first: usize, input: usize, records: RecordBatch) -> Result<(), PumpError> {
        let mut waiting = VecDeque::from([(first, input, records)]);
        while let Some((index, input, records)) = waiting.pop_front() {
            let output = self.members[index].process(input, records)?;
            self.route(index, output, &mut waiting).await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), PumpError> {
        for index in 0..self.members.len() {
            let output = self.members[index].finish()?;
            let mut waiting = VecDeque::new();
            self.route(index, output, &mut waiting).await?;
            for (next, input, records) in waiting {
                self.process(next, input, records).await?;
            }
        }
        Ok(())
    }

    /// Sends what member `index` put out to the next member, or out of the chain.
    async fn route(
        &mut self,
        index: usize,
        output: Output,
        waiting: &mut VecDeque<(usize, usize, RecordBatch)>,
    ) -> Result<(), PumpError> {
        let rejects = &self.members[index].rejects;
        rejects.dispose(&output.rejects, None).await?;
        let last = index + 1 == self.members.len();
        for (port, records) in output.batches {
            self.members[index].meter.rows_out(records.num_rows() as u64);
            if last {
                self.outlets.send(port, records).await?;
            } else {
                waiting.push_back((index + 1, 0, records));
            }
        }
        Ok(())
    }
}

impl ChainMember {
    fn process(&mut self, input: usize, records: RecordBatch) -> Result<Output> {
        self.meter.rows_in(records.num_rows() as u64);
        let mut output = Output::default();
        match self.attempt(input, records.clone(), &mut output) {
            Err(error) if error.kind == crate::ErrorKind::Panic && !self.rejects.fails() => {
                self.isolate(input, &records)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(output),
        }
    }

    fn attempt(&mut self, input: usize, records: RecordBatch, output: &mut Output) -> Result<()> {
        let component = &self.component;
        let processor = &mut self.processor;
        let work = AssertUnwindSafe(|| {
            fault::point("processor.before_process")?;
            processor.process(input, records, output)
        });
        match catch_unwind(work) {
            Ok(done) => done.map_err(|error| error.in_component(component)),
            Err(payload) => Err(Error::panic(format!("{component} panicked: {}", panic_text(&*payload)))
                .in_component(component)),
        }
    }

    /// Finds the records that make the processor panic by halving the batch, and rejects them alone.
    fn isolate(&mut self, input: usize, records: &RecordBatch) -> Result<Output> {
        let mut output = Output::default();
        let mut parts = VecDeque::from([records.clone()]);
        while let Some(part) = parts.pop_front() {
            self.processor = (self.respawn)().map_err(|error| error.in_component(&self.component))?;
            let mut made = Output::default();
            let rows = part.num_rows();
            match self.attempt(input, part.clone(), &mut made) {
                Ok(()) => {
                    output.batches.append(&mut made.batches);
                    output.rejects.append(&mut made.rejects);
                }
                Err(error) if error.kind != crate::ErrorKind::Panic => return Err(error),
                Err(error) if rows == 1 => output.rejects.push(Reject {
                    raw: row_json(&part, 0),
                    error: error.message,
                    position: String::new(),
                }),
                Err(_) => {
                    parts.push_front(part.slice(rows / 2, rows - rows / 2));
                    parts.push_front(part.slice(0, rows / 2));
                }
            }
        }
        self.processor = (self.respawn)().map_err(|error| error.in_component(&self.component))?;
        Ok(output)
    }

    fn finish(&mut self) -> Result<Output> {
        let mut output = Output::default();
        let processor = &mut self.processor;
        match catch_unwind(AssertUnwindSafe(|| processor.finish(&mut output))) {
            Ok(done) => done.map_err(|error| error.in_component(&self.component))?,
            Err(payload) => {
                let text = format!("{} panicked: {}", self.component, panic_text(&*payload));
                return Err(Error::panic(text).in_component(&self.component));
            }
        }
        Ok(output)
    }
}
