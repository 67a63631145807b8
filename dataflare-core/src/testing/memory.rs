//! A source and a destination in memory, with faults where a test wants them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use serde_json::json;

use crate::batch::Epoch;
use crate::component::{
    Destination, Lane, Output, Planned, Port, Position, Processor, ProcessorContext, Promise, Read, Reader,
    Receipt, Records, Run, Scan, Source, Split, Stage, StageContext, Staged, Staging, Writer,
};
use crate::{Error, Result};

/// What happens at a call of a component under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It panics.
    Panic,
    /// It fails, for the moment.
    Transient,
    /// It fails for good.
    Permanent,
}

/// Makes one call of one component fail: the `nth` (from one) of those that name `point`.
#[derive(Debug, Default)]
pub struct Faults {
    planned: Mutex<Option<(String, u64, Fault)>>,
    calls: AtomicU64,
}

impl Faults {
    /// Nothing fails.
    pub fn none() -> Arc<Self> {
        Arc::default()
    }

    /// The `nth` call at `point` fails; later ones do not.
    pub fn at(point: &str, nth: u64, fault: Fault) -> Arc<Self> {
        Arc::new(Self { planned: Mutex::new(Some((point.to_owned(), nth, fault))), calls: AtomicU64::new(0) })
    }

    /// Whether the planned fault has happened.
    pub fn happened(&self) -> bool {
        lock(&self.planned).is_none()
    }

    /// Called by components at each of their points.
    pub fn point(&self, point: &str) -> Result<()> {
        let fault = {
            let mut planned = lock(&self.planned);
            let Some((wanted, nth, fault)) = planned.clone() else { return Ok(()) };
            if wanted != point || self.calls.fetch_add(1, SeqCst) + 1 != nth {
                return Ok(());
            }
            *planned = None;
            fault
        };
        match fault {
            Fault::Panic => panic!("injected at {point}"),
            Fault::Transient => Err(Error::transient(format!("injected at {point}"))),
            Fault::Permanent => Err(Error::permanent(format!("injected at {point}"))),
        }
    }
}

/// The schema of [`Numbers`]: `id int64`.
pub fn numbers_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]))
}

/// Gives the numbers from zero, in splits of `rows` each.
pub struct Numbers {
    /// Splits.
    pub splits: i64,
    /// Rows in each.
    pub rows: i64,
    /// Rows in a batch.
    pub batch: i64,
    /// What fails: `source.read`.
    pub faults: Arc<Faults>,
}

#[async_trait]
impl Source for Numbers {
    fn declared_schema(&self) -> Option<SchemaRef> {
        Some(numbers_schema())
    }

    async fn schema(&self) -> Result<SchemaRef> {
        Ok(numbers_schema())
    }

    async fn splits(&self) -> Result<Vec<Split>> {
        let split = |number: i64| Split {
            id: format!("{number:04}"),
            version: None,
            bytes: None,
            rows: u64::try_from(self.rows).ok(),
            detail: json!(number * self.rows),
        };
        Ok((0..self.splits).map(split).collect())
    }

    async fn open(&self, split: &Split, from: Option<&Position>, _: &Scan) -> Result<Box<dyn Reader>> {
        let start = split.detail.as_i64().unwrap_or_default();
        let next = from.and_then(|position| position.0.as_i64()).unwrap_or(start);
        let (end, batch, faults) = (start + self.rows, self.batch, Arc::clone(&self.faults));
        Ok(Box::new(NumbersReader { next, end, batch, faults }))
    }
}

struct NumbersReader {
    next: i64,
    end: i64,
    batch: i64,
    faults: Arc<Faults>,
}

#[async_trait]
impl Reader for NumbersReader {
    async fn read(&mut self) -> Result<Read> {
        self.faults.point("source.read")?;
        if self.next >= self.end {
            return Ok(Read::End);
        }
        let end = (self.next + self.batch).min(self.end);
        let ids = Int64Array::from_iter_values(self.next..end);
        self.next = end;
        let batch =
            RecordBatch::try_new(numbers_schema(), vec![Arc::new(ids)]).expect("one column of that type");
        Ok(Read::Records(Records { batch, rejects: Vec::new(), position: Position(json!(end)), bytes: 0 }))
    }
}

/// Passes everything on.
pub struct Pass {
    /// What fails: `processor.process`.
    pub faults: Arc<Faults>,
    /// Its only output.
    pub port: [Port; 1],
}

impl Pass {
    /// Passes [`numbers_schema`] on.
    pub fn new(faults: Arc<Faults>) -> Self {
        Self { faults, port: [Port { name: String::new(), schema: numbers_schema() }] }
    }
}

impl Planned for Pass {
    fn outputs(&self) -> &[Port] {
        &self.port
    }

    fn needs(&self, wanted: &[Option<Vec<String>>]) -> Vec<Option<Vec<String>>> {
        wanted.to_vec()
    }

    fn start(&self, _: &ProcessorContext) -> Result<Stage> {
        Ok(Stage::Batches(Box::new(PassOn(Arc::clone(&self.faults)))))
    }
}

struct PassOn(Arc<Faults>);

impl Processor for PassOn {
    fn process(&mut self, _: usize, records: RecordBatch, out: &mut Output) -> Result<()> {
        self.0.point("processor.process")?;
        out.push(records);
        Ok(())
    }
}

/// Keeps what is written, in two phases.
#[derive(Default)]
pub struct Kept {
    staged: BTreeMap<(Epoch, usize), Vec<i64>>,
    committed: BTreeMap<(Epoch, usize), Vec<i64>>,
    published: bool,
}

/// A destination in memory; clones share what is kept.
#[derive(Clone)]
pub struct Memory {
    /// What is kept.
    pub kept: Arc<Mutex<Kept>>,
    /// When it stages.
    pub staging: Staging,
    /// What fails: `destination.write`, `.stage`, `.commit`, `.finish`.
    pub faults: Arc<Faults>,
}

impl Memory {
    /// An empty one.
    pub fn new(staging: Staging, faults: Arc<Faults>) -> Self {
        Self { kept: Arc::default(), staging, faults }
    }

    /// The same content, behind other faults.
    pub fn with_faults(&self, faults: Arc<Faults>) -> Self {
        Self { faults, ..self.clone() }
    }

    /// All numbers that are visible, sorted.
    pub fn visible(&self) -> Vec<i64> {
        let kept = lock(&self.kept);
        let mut all: Vec<i64> = kept.committed.values().flatten().copied().collect();
        all.sort_unstable();
        all
    }

    /// Whether the run was published.
    pub fn published(&self) -> bool {
        lock(&self.kept).published
    }

    /// How many batches of writes are staged and not committed.
    pub fn left_over(&self) -> usize {
        lock(&self.kept).staged.len()
    }
}

#[async_trait]
impl Destination for Memory {
    fn accept(&self, _: &SchemaRef) -> Result<()> {
        Ok(())
    }

    fn promise(&self) -> Promise {
        Promise::ExactlyOnce
    }

    fn staging(&self) -> Staging {
        self.staging
    }

    async fn prepare(&self, _: &Run, _: &SchemaRef) -> Result<()> {
        Ok(())
    }

    async fn writer(&self, _: &Run, lane: &Lane) -> Result<Box<dyn Writer>> {
        Ok(Box::new(MemoryWriter { memory: self.clone(), lane: lane.index, rows: Vec::new() }))
    }

    async fn commit(&self, _: &Run, staged: &[Staged]) -> Result<Receipt> {
        let mut rows = 0;
        for staged in staged {
            self.faults.point("destination.commit")?;
            let mut kept = lock(&self.kept);
            let key = (staged.epoch, staged.lane);
            if let Some(values) = kept.staged.remove(&key) {
                kept.committed.insert(key, values);
            }
            rows += kept.committed.get(&key).map_or(0, Vec::len) as u64;
        }
        Ok(Receipt { rows: Some(rows), bytes: None })
    }

    async fn abort(&self, _: &Run) -> Result<()> {
        lock(&self.kept).staged.clear();
        Ok(())
    }

    async fn finish(&self, _: &Run) -> Result<Option<String>> {
        self.faults.point("destination.finish")?;
        lock(&self.kept).published = true;
        Ok(Some("memory".to_owned()))
    }
}

struct MemoryWriter {
    memory: Memory,
    lane: usize,
    rows: Vec<i64>,
}

#[async_trait]
impl Writer for MemoryWriter {
    async fn write(&mut self, records: RecordBatch) -> Result<()> {
        self.memory.faults.point("destination.write")?;
        let ids = records.column(0).as_primitive::<Int64Type>();
        self.rows.extend(ids.iter().flatten());
        debug_assert_eq!(ids.null_count(), 0);
        Ok(())
    }

    async fn stage(&mut self, context: &StageContext) -> Result<Option<serde_json::Value>> {
        self.memory.faults.point("destination.stage")?;
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = std::mem::take(&mut self.rows);
        lock(&self.memory.kept).staged.insert((context.epoch, self.lane), rows);
        Ok(Some(json!({})))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
