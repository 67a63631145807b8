//! The `parquet` destination: local Parquet files.

mod encode;
mod options;
mod partition;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use dataflare_core::component::{
    Build, Component, Destination, Lane, Options, Problem, Promise, Receipt, RoleEntry, Run, Staged, Staging,
    Writer,
};
use dataflare_core::{Error, Result};

use crate::staging::{Encode, Folder, RollLimits, StagedWriter, run_folder};
use encode::ParquetEncode;
use options::ParquetOptions;

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "parquet",
    roles: &[RoleEntry {
        summary: "Writes Parquet files to a local folder",
        example: "path: out/orders\ncompression: zstd",
        options: || schemars::schema_for!(ParquetOptions),
        build: Build::Destination(build),
    }],
};

struct Parquet {
    folder: Folder,
    encode: Arc<ParquetEncode>,
    roll: Option<RollLimits>,
    partition_by: Vec<String>,
}

fn build(options: &Options) -> Result<Arc<dyn Destination>, Vec<Problem>> {
    let options: ParquetOptions = options.parse()?;
    let limits = options.roll.as_ref().map(crate::staging::Roll::limits).transpose();
    let roll = limits.map_err(|(key, message)| vec![Problem::new(&["roll", key], message)])?;
    let folder = Folder { path: PathBuf::from(&options.path), rolling: roll.is_some(), count: count_rows };
    let partition_by = options.partition_by.clone();
    let encode = Arc::new(ParquetEncode::new(&options)?);
    Ok(Arc::new(Parquet { folder, encode, roll, partition_by }))
}

#[async_trait]
impl Destination for Parquet {
    fn accept(&self, schema: &SchemaRef) -> Result<()> {
        partition::accept(schema, &self.partition_by)?;
        self.encode.accept(&partition::without(schema, &self.partition_by))
    }

    fn mapping(&self, schema: &SchemaRef) -> Vec<String> {
        let held = |field: &Arc<arrow::datatypes::Field>| {
            if self.partition_by.contains(field.name()) {
                return "folder name".to_owned();
            }
            field.data_type().to_string()
        };
        schema.fields().iter().map(held).collect()
    }

    fn promise(&self) -> Promise {
        Promise::ExactlyOnce
    }

    fn staging(&self) -> Staging {
        if self.roll.is_some() { Staging::Interval } else { Staging::Split }
    }

    async fn check(&self) -> Result<()> {
        self.folder.check()
    }

    async fn prepare(&self, run: &Run, schema: &SchemaRef) -> Result<()> {
        self.encode.remember(&partition::without(schema, &self.partition_by));
        self.folder.prepare(run)
    }

    async fn writer(&self, run: &Run, lane: &Lane) -> Result<Box<dyn Writer>> {
        let folder = run_folder(&self.folder.path, run);
        let encode = Arc::clone(&self.encode) as Arc<dyn Encode>;
        let partition = partition::splitter(&self.partition_by);
        Ok(Box::new(StagedWriter::new(encode, folder, lane.index, self.roll, partition)))
    }

    async fn commit(&self, run: &Run, staged: &[Staged]) -> Result<Receipt> {
        self.folder.commit(run, staged)
    }

    async fn abort(&self, run: &Run) -> Result<()> {
        self.folder.abort(run)
    }

    async fn finish(&self, run: &Run) -> Result<Option<String>> {
        self.folder.leave_schema(run, &*self.encode, self.encode.schema())?;
        Ok(Some(self.folder.finish(run)?.display().to_string()))
    }
}

/// The rows that a file's footer tells.
fn count_rows(path: &Path) -> Result<u64> {
    let fail = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Error::permanent(format!("cannot read {} back", path.display())).caused_by(cause)
    };
    let file = File::open(path).map_err(|cause| fail(cause.into()))?;
    let reader = SerializedFileReader::new(file).map_err(|cause| fail(cause.into()))?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).map_err(|cause| fail(cause.into()))
}
