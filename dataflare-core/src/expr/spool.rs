//! An input of a statement that nobody reads yet: kept in memory up to a bound, beyond it in a file.
//!
//! A join reads one input to its end before it touches the other. Where both come from the same source,
//! that source would wait for room in the other for ever.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::component::BatchStream;
use crate::{Error, Result};

/// Reads `input` at its own pace, and gives what it read at the reader's.
pub(super) fn spool(
    mut input: BatchStream,
    schema: SchemaRef,
    memory_bytes: usize,
    folder: &Path,
) -> BatchStream {
    let (sender, receiver) = mpsc::channel(1);
    let folder = folder.to_owned();
    tokio::spawn(async move {
        let mut spool = Spool {
            schema,
            folder,
            memory_bytes,
            held: VecDeque::new(),
            held_bytes: 0,
            files: VecDeque::new(),
        };
        let mut ended = false;
        loop {
            let waiting = spool.waiting();
            tokio::select! {
                permit = sender.reserve(), if waiting || ended => {
                    let Ok(permit) = permit else { return };
                    match spool.pop() {
                        Ok(Some(batch)) => permit.send(Ok(batch)),
                        Ok(None) if ended => return,
                        Ok(None) => {}
                        Err(error) => return permit.send(Err(error)),
                    }
                }
                next = input.next(), if !ended => match next {
                    Some(Ok(batch)) => if let Err(error) = spool.push(batch) {
                        // The reader is gone if this fails.
                        _ = sender.send(Err(error)).await;
                        return;
                    },
                    Some(Err(error)) => {
                        _ = sender.send(Err(error)).await;
                        return;
                    }
                    None => ended = true,
                },
            }
        }
    });
    Box::pin(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    }))
}

/// Batches in order: those in memory are older than those in files.
struct Spool {
    schema: SchemaRef,
    folder: std::path::PathBuf,
    memory_bytes: usize,
    held: VecDeque<RecordBatch>,
    held_bytes: usize,
    files: VecDeque<Overflow>,
}

/// A file is written to its end before it is read; what comes meanwhile goes to another.
enum Overflow {
    Writing(Box<StreamWriter<BufWriter<File>>>),
    Reading(Box<StreamReader<BufReader<File>>>),
}

impl Spool {
    fn waiting(&self) -> bool {
        !self.held.is_empty() || !self.files.is_empty()
    }

    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = batch.get_array_memory_size();
        if self.files.is_empty() && (self.held.is_empty() || self.held_bytes + bytes <= self.memory_bytes) {
            self.held_bytes += bytes;
            self.held.push_back(batch);
            return Ok(());
        }
        if !matches!(self.files.back(), Some(Overflow::Writing(_))) {
            let file = tempfile::tempfile_in(&self.folder).map_err(failed)?;
            let writer = StreamWriter::try_new(BufWriter::new(file), &self.schema).map_err(failed)?;
            self.files.push_back(Overflow::Writing(Box::new(writer)));
        }
        match self.files.back_mut() {
            Some(Overflow::Writing(writer)) => writer.write(&batch).map_err(failed),
            _ => Ok(()),
        }
    }

    fn pop(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.held.pop_front() {
            self.held_bytes -= batch.get_array_memory_size();
            return Ok(Some(batch));
        }
        while let Some(overflow) = self.files.pop_front() {
            let mut reader = match overflow {
                Overflow::Reading(reader) => reader,
                Overflow::Writing(writer) => read_back(*writer)?,
            };
            if let Some(batch) = reader.next() {
                self.files.push_front(Overflow::Reading(reader));
                return batch.map(Some).map_err(failed);
            }
        }
        Ok(None)
    }
}

fn read_back(mut writer: StreamWriter<BufWriter<File>>) -> Result<Box<StreamReader<BufReader<File>>>> {
    writer.finish().map_err(failed)?;
    let buffered = writer.into_inner().map_err(failed)?;
    let mut file = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
    file.rewind().map_err(failed)?;
    Ok(Box::new(StreamReader::try_new(BufReader::new(file), None).map_err(failed)?))
}

fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::permanent("cannot spool an input to a temporary file").caused_by(cause)
}
