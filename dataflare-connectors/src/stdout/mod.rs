//! The `stdout` destination: records as a table, or as NDJSON for another program.

use std::io::Write;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::json::LineDelimitedWriter;
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use async_trait::async_trait;
use dataflare_core::component::{
    Build, Component, Destination, Lane, Options, Problem, Promise, Receipt, RoleEntry, Run, StageContext,
    Staged, Writer,
};
use dataflare_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "stdout",
    roles: &[RoleEntry {
        summary: "Writes records to the standard output",
        example: "format: ndjson",
        options: || schemars::schema_for!(StdoutOptions),
        build: Build::Destination(build),
    }],
};

/// Options of `stdout`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StdoutOptions {
    /// How records are written.
    #[serde(default)]
    format: Format,
}

/// How records are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// A table a batch, for people.
    #[default]
    Table,
    /// One JSON object a line.
    Ndjson,
}

struct Stdout(Format);

fn build(options: &Options) -> Result<Arc<dyn Destination>, Vec<Problem>> {
    let options: StdoutOptions = options.parse()?;
    Ok(Arc::new(Stdout(options.format)))
}

#[async_trait]
impl Destination for Stdout {
    fn accept(&self, _: &SchemaRef) -> Result<()> {
        Ok(())
    }

    fn promise(&self) -> Promise {
        Promise::AtLeastOnce
    }

    async fn prepare(&self, _: &Run, _: &SchemaRef) -> Result<()> {
        Ok(())
    }

    async fn writer(&self, _: &Run, _: &Lane) -> Result<Box<dyn Writer>> {
        Ok(Box::new(StdoutWriter { format: self.0, rows: 0 }))
    }

    async fn commit(&self, _: &Run, _: &[Staged]) -> Result<Receipt> {
        Ok(Receipt::default())
    }

    async fn abort(&self, _: &Run) -> Result<()> {
        Ok(())
    }

    async fn finish(&self, _: &Run) -> Result<Option<String>> {
        Ok(None)
    }
}

struct StdoutWriter {
    format: Format,
    rows: usize,
}

#[async_trait]
impl Writer for StdoutWriter {
    async fn write(&mut self, records: RecordBatch) -> Result<()> {
        let fail = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::permanent("cannot write to the standard output").caused_by(cause)
        };
        let text = match self.format {
            Format::Table => format!(
                "{}\n",
                pretty_format_batches(std::slice::from_ref(&records)).map_err(|cause| fail(cause.into()))?
            )
            .into_bytes(),
            Format::Ndjson => {
                let mut writer = LineDelimitedWriter::new(Vec::new());
                let written = writer.write(&records).and_then(|()| writer.finish());
                written.map_err(|cause| fail(cause.into()))?;
                writer.into_inner()
            }
        };
        self.rows += records.num_rows();
        // The standard output is this destination's system: its data goes there, not a message.
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&text).and_then(|()| stdout.flush()).map_err(|cause| fail(cause.into()))?;
        Ok(())
    }

    async fn stage(&mut self, _: &StageContext) -> Result<Option<serde_json::Value>> {
        let rows = std::mem::take(&mut self.rows);
        Ok((rows > 0).then_some(serde_json::Value::Null))
    }
}
