//! Reads splits, one after another, and sends what it reads.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Outlets, PumpError, RejectOutlet, Reporter};
use crate::batch::Barrier;
use crate::component::{Position, Read, Reader, Records, Scan, Source, Split};
use crate::event::Meter;
use crate::{Error, fault};

/// What a source pump is told.
#[derive(Debug)]
pub enum SourceCommand {
    /// Read this split, after `from` where a run resumes.
    Open {
        /// The split.
        split: Split,
        /// Where the last checkpoint left it.
        from: Option<Position>,
    },
    /// Send the barrier.
    Barrier(Barrier),
    /// Send the end, and end.
    End(Barrier),
}

/// What a source pump reports.
#[derive(Debug)]
pub enum SourceReport {
    /// It has nothing to read; `finished` is the split it has just read to its end.
    Ready {
        /// The split that ended, if one did.
        finished: Option<Split>,
    },
    /// It has sent the barrier or the end of this epoch.
    Passed {
        /// Where it stood.
        snapshot: SourceSnapshot,
    },
}

/// What has been read when a barrier passed, since the barrier before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceSnapshot {
    /// The epoch that ended.
    pub epoch: u64,
    /// Splits that were read to their ends.
    pub finished: Vec<Split>,
    /// The split that is being read, and the position reached.
    pub open: Option<(Split, Option<Position>)>,
}

/// Reads one source in one lane.
pub struct SourcePump {
    /// The component's name.
    pub component: String,
    /// The source.
    pub source: Arc<dyn Source>,
    /// What is wanted of it.
    pub scan: Scan,
    /// Where records go.
    pub outlets: Outlets,
    /// Where rejects go.
    pub rejects: RejectOutlet,
    /// What it is told.
    pub commands: mpsc::Receiver<SourceCommand>,
    /// Who hears of it.
    pub report: Reporter<SourceReport>,
    /// Its counters.
    pub meter: Arc<Meter>,
}

/// A split that is being read.
struct Open {
    split: Split,
    reader: Box<dyn Reader>,
    position: Option<Position>,
}

impl SourcePump {
    /// Runs until it is told to end, or fails.
    pub async fn run(mut self) -> Result<(), PumpError> {
        let mut open: Option<Open> = None;
        let mut finished = Vec::new();
        (self.report)(SourceReport::Ready { finished: None });
        loop {
            let command = match &open {
                Some(_) => match self.commands.try_recv() {
                    Ok(command) => Some(command),
                    Err(mpsc::error::TryRecvError::Empty) => None,
                    Err(mpsc::error::TryRecvError::Disconnected) => return Err(PumpError::Cut),
                },
                None => Some(self.commands.recv().await.ok_or(PumpError::Cut)?),
            };
            match command {
                Some(SourceCommand::Open { split, from }) => open = Some(self.open(split, from).await?),
                Some(SourceCommand::Barrier(barrier)) => {
                    self.outlets.barrier(&barrier).await?;
                    self.passed(barrier.epoch, &mut finished, open.as_ref());
                }
                Some(SourceCommand::End(barrier)) => {
                    self.outlets.end(&barrier).await?;
                    self.passed(barrier.epoch, &mut finished, open.as_ref());
                    return Ok(());
                }
                None => open = self.read(open, &mut finished).await?,
            }
        }
    }

    async fn open(&self, split: Split, from: Option<Position>) -> Result<Open, PumpError> {
        fault::point("source.before_open").map_err(|error| self.place(error, &split))?;
        let opened = self.source.open(&split, from.as_ref(), &self.scan).await;
        let reader = opened.map_err(|error| self.place(error, &split))?;
        Ok(Open { split, reader, position: from })
    }

    /// Reads once; gives the split back while it is not at its end.
    async fn read(&self, open: Option<Open>, finished: &mut Vec<Split>) -> Result<Option<Open>, PumpError> {
        let Some(mut open) = open else { return Ok(None) };
        match open.reader.read().await.map_err(|error| self.place(error, &open.split))? {
            Read::Records(records) => {
                open.position = Some(records.position.clone());
                self.send(records, &open.split).await?;
                Ok(Some(open))
            }
            Read::Idle => {
                tokio::task::yield_now().await;
                Ok(Some(open))
            }
            Read::End => {
                self.meter.split_done();
                finished.push(open.split.clone());
                (self.report)(SourceReport::Ready { finished: Some(open.split) });
                Ok(None)
            }
        }
    }

    async fn send(&self, records: Records, split: &Split) -> Result<(), PumpError> {
        fault::point("source.after_read").map_err(|error| self.place(error, split))?;
        let rows = records.batch.num_rows() as u64;
        self.meter.rows_in(rows + records.rejects.len() as u64);
        self.meter.bytes(records.bytes);
        self.rejects.dispose(&records.rejects, Some(&split.id)).await?;
        if rows > 0 {
            self.meter.rows_out(rows);
            self.outlets.send(0, records.batch).await?;
        }
        Ok(())
    }

    fn passed(&self, epoch: u64, finished: &mut Vec<Split>, open: Option<&Open>) {
        let open = open.map(|open| (open.split.clone(), open.position.clone()));
        let snapshot = SourceSnapshot { epoch, finished: std::mem::take(finished), open };
        (self.report)(SourceReport::Passed { snapshot });
    }

    fn place(&self, error: Error, split: &Split) -> Error {
        error.in_component(&self.component).in_split(&split.id)
    }
}
