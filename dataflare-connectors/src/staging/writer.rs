//! Writes one lane's files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use dataflare_core::component::{StageContext, Writer};
use dataflare_core::{Result, fault};

use super::folder::{failed, sync_folder};
use super::roll::RollLimits;
use super::{StagedFile, TEMPORARY};

/// Turns records into the bytes of one file.
pub(crate) trait Encoder: Send {
    /// Takes records.
    fn write(&mut self, records: &RecordBatch) -> Result<()>;

    /// Bytes written so far, about.
    fn bytes(&self) -> u64;

    /// Completes the file, and gives it back to be synced.
    fn finish(self: Box<Self>) -> Result<File>;
}

/// Begins a file.
pub(crate) trait Encode: Send + Sync {
    /// An encoder for records of `schema`.
    fn begin(&self, file: File, schema: &SchemaRef) -> Result<Box<dyn Encoder>>;

    /// The files' ending, with its dot.
    fn extension(&self) -> &str;
}

/// Splits records over the folders that they belong to: one part, or one a partition.
pub(crate) type Partition = Box<dyn Fn(&RecordBatch) -> Result<Vec<(String, RecordBatch)>> + Send + Sync>;

/// Files that one lane keeps open at once: beyond, the one written to least lately is closed.
const OPEN_MAX: usize = 64;

/// Writes one lane's files; see the module's own words for where.
pub(crate) struct StagedWriter {
    pub encode: std::sync::Arc<dyn Encode>,
    pub folder: PathBuf,
    pub lane: usize,
    pub roll: Option<RollLimits>,
    pub partition: Option<Partition>,
    open: BTreeMap<String, Open>,
    closed: Vec<StagedFile>,
    serial: u64,
    begun: u64,
}

struct Open {
    encoder: Box<dyn Encoder>,
    name: String,
    rows: u64,
    since: Instant,
    used: u64,
}

impl StagedWriter {
    pub(crate) fn new(
        encode: std::sync::Arc<dyn Encode>,
        folder: PathBuf,
        lane: usize,
        roll: Option<RollLimits>,
        partition: Option<Partition>,
    ) -> Self {
        let (open, closed) = (BTreeMap::new(), Vec::new());
        // Names must not meet those of an attempt before this one, which may be committed already.
        let serial = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let serial = serial.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        Self { encode, folder, lane, roll, partition, open, closed, serial, begun: 0 }
    }

    fn write_part(&mut self, partition: &str, records: &RecordBatch) -> Result<()> {
        if !self.open.contains_key(partition) {
            self.close_least_used()?;
            let opened = self.begin(partition, &records.schema())?;
            self.open.insert(partition.to_owned(), opened);
        }
        let open = self.open.get_mut(partition).expect("it was opened above");
        let name = &open.name;
        open.encoder.write(records).map_err(|error| error.at(format!("file {name}")))?;
        open.rows += records.num_rows() as u64;
        self.begun += 1;
        open.used = self.begun;
        let full = self.roll.is_some_and(|roll| roll.reached(open.rows, open.encoder.bytes(), open.since));
        if full { self.close(partition) } else { Ok(()) }
    }

    fn begin(&mut self, partition: &str, schema: &SchemaRef) -> Result<Open> {
        self.serial += 1;
        let file = format!("part-{:03}-{:013}{}", self.lane, self.serial, self.encode.extension());
        let name = if partition.is_empty() { file } else { format!("{partition}/{file}") };
        let path = temporary(&self.folder, &name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|cause| failed("cannot make", parent, cause))?;
        }
        let file = File::create_new(&path).map_err(|cause| failed("cannot make", &path, cause))?;
        let encoder = self.encode.begin(file, schema)?;
        Ok(Open { encoder, name, rows: 0, since: Instant::now(), used: self.begun })
    }

    fn close_least_used(&mut self) -> Result<()> {
        if self.open.len() < OPEN_MAX {
            return Ok(());
        }
        let least =
            self.open.iter().min_by_key(|(_, open)| open.used).map(|(partition, _)| partition.clone());
        least.map_or(Ok(()), |partition| self.close(&partition))
    }

    /// Completes a file: all of it is on the disk, under its temporary name.
    fn close(&mut self, partition: &str) -> Result<()> {
        let Some(open) = self.open.remove(partition) else { return Ok(()) };
        fault::point("staging.before_close")?;
        let path = temporary(&self.folder, &open.name);
        let file = open.encoder.finish()?;
        file.sync_all().map_err(|cause| failed("cannot sync", &path, cause))?;
        fault::point("staging.after_close")?;
        self.closed.push(StagedFile { name: open.name, rows: open.rows });
        Ok(())
    }
}

#[async_trait]
impl Writer for StagedWriter {
    async fn write(&mut self, records: RecordBatch) -> Result<()> {
        match &self.partition {
            None => self.write_part("", &records),
            Some(partition) => {
                for (name, part) in partition(&records)? {
                    self.write_part(&name, &part)?;
                }
                Ok(())
            }
        }
    }

    async fn stage(&mut self, _: &StageContext) -> Result<Option<serde_json::Value>> {
        let partitions: Vec<String> = self.open.keys().cloned().collect();
        for partition in partitions {
            self.close(&partition)?;
        }
        if self.closed.is_empty() {
            return Ok(None);
        }
        sync_folder(&self.folder)?;
        let files = std::mem::take(&mut self.closed);
        Ok(Some(serde_json::json!(files)))
    }
}

/// Where a file is until it is committed.
pub(crate) fn temporary(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{TEMPORARY}"))
}
