//! The `discard` destination: counts records and lets them go.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use dataflare_core::Result;
use dataflare_core::component::{
    Build, Component, Destination, Lane, Options, Problem, Promise, Receipt, RoleEntry, Run, StageContext,
    Staged, Writer,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "discard",
    roles: &[RoleEntry {
        summary: "Counts records and lets them go",
        example: "{}",
        options: || schemars::schema_for!(DiscardOptions),
        build: Build::Destination(build),
    }],
};

/// Options of `discard`: there are none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DiscardOptions {}

struct Discard;

fn build(options: &Options) -> Result<Arc<dyn Destination>, Vec<Problem>> {
    options.parse::<DiscardOptions>()?;
    Ok(Arc::new(Discard))
}

#[async_trait]
impl Destination for Discard {
    fn accept(&self, _: &SchemaRef) -> Result<()> {
        Ok(())
    }

    fn promise(&self) -> Promise {
        Promise::ExactlyOnce
    }

    async fn prepare(&self, _: &Run, _: &SchemaRef) -> Result<()> {
        Ok(())
    }

    async fn writer(&self, _: &Run, _: &Lane) -> Result<Box<dyn Writer>> {
        Ok(Box::new(Counter { rows: 0 }))
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

struct Counter {
    rows: usize,
}

#[async_trait]
impl Writer for Counter {
    async fn write(&mut self, records: RecordBatch) -> Result<()> {
        self.rows += records.num_rows();
        Ok(())
    }

    async fn stage(&mut self, _: &StageContext) -> Result<Option<serde_json::Value>> {
        let rows = std::mem::take(&mut self.rows);
        Ok((rows > 0).then_some(serde_json::Value::Null))
    }
}
