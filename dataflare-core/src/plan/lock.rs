//! `dataflare.lock`: the schemas of sources as they were, so that types are checked without looking and
//! drift is seen.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::convert::{IpcSchemaEncoder, fb_to_schema};
use arrow::ipc::root_as_schema;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::Schemas;
use crate::{Error, Result};

/// The locked schemas, by workflow and source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    #[serde(default)]
    version: u32,
    #[serde(default)]
    workflows: BTreeMap<String, BTreeMap<String, Locked>>,
}

/// One source's schema: for people, and exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Locked {
    columns: BTreeMap<String, String>,
    /// An Arrow IPC schema message, in base64.
    schema: String,
}

impl Lock {
    /// Reads the file; `None` where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let fail = |cause: Box<dyn std::error::Error + Send + Sync>| {
            let error = Error::config(format!("cannot read {}", path.display())).caused_by(cause);
            error.help("remove it, and make it again with `dataflare lock`")
        };
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|cause| fail(cause.into())),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(fail(cause.into())),
        }
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let fail = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::config(format!("cannot write {}", path.display())).caused_by(cause)
        };
        let text = serde_json::to_string_pretty(self).map_err(|cause| fail(cause.into()))?;
        std::fs::write(path, text + "\n").map_err(|cause| fail(cause.into()))
    }

    /// Locks a workflow's schemas.
    pub fn set(&mut self, workflow: &str, schemas: &Schemas) {
        self.version = 1;
        let locked = |(name, schema): (&String, &SchemaRef)| {
            let columns = schema.fields().iter();
            let columns =
                columns.map(|field| (field.name().clone(), field.data_type().to_string())).collect();
            let bytes = IpcSchemaEncoder::new().schema_to_fb(schema);
            (name.clone(), Locked { columns, schema: BASE64_STANDARD.encode(bytes.finished_data()) })
        };
        self.workflows.insert(workflow.to_owned(), schemas.iter().map(locked).collect());
    }

    /// A workflow's schemas; what cannot be read is left out, as if it were not locked.
    pub fn schemas(&self, workflow: &str) -> Schemas {
        let sources = self.workflows.get(workflow).into_iter().flatten();
        sources.filter_map(|(name, locked)| Some((name.clone(), Arc::new(decode(&locked.schema)?)))).collect()
    }

    /// Fails where a source's schema is not the locked one, naming the column.
    pub fn compare(&self, workflow: &str, now: &Schemas) -> Result<()> {
        for (name, locked) in self.schemas(workflow) {
            let Some(now) = now.get(&name) else { continue };
            if let Some(drift) = drift(&locked, now) {
                let error =
                    Error::config(format!("the columns have changed since they were locked: {drift}"));
                return Err(error.in_component(name).help("if that is meant, run `dataflare lock` again"));
            }
        }
        Ok(())
    }
}

fn decode(text: &str) -> Option<Schema> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    root_as_schema(&bytes).ok().map(fb_to_schema)
}

fn drift(then: &Schema, now: &Schema) -> Option<String> {
    for field in then.fields() {
        match now.field_with_name(field.name()) {
            Err(_) => return Some(format!("`{}` is gone", field.name())),
            Ok(other) if other.data_type() != field.data_type() => {
                return Some(format!(
                    "`{}` was {}, now it is {}",
                    field.name(),
                    field.data_type(),
                    other.data_type()
                ));
            }
            Ok(_) => {}
        }
    }
    let new = now.fields().iter().find(|field| then.field_with_name(field.name()).is_err());
    new.map(|field| format!("`{}` is new", field.name()))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn schemas(fields: Vec<Field>) -> Schemas {
        Schemas::from([("orders".to_owned(), Arc::new(Schema::new(fields)) as SchemaRef)])
    }

    #[test]
    fn drift_names_the_column() {
        let id = || Field::new("id", DataType::Int64, false);
        let mut lock = Lock::default();
        lock.set("w", &schemas(vec![id(), Field::new("n", DataType::Utf8, true)]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataflare.lock");
        lock.write(&path).unwrap();
        let lock = Lock::read(&path).unwrap().unwrap();
        let says = |fields| lock.compare("w", &schemas(fields)).err().map(|error| error.message);
        let known = vec![id(), Field::new("n", DataType::Utf8, true)];
        assert_eq!(says(known.clone()), None);
        assert!(says(vec![id()]).unwrap().ends_with("`n` is gone"));
        assert!(
            says(vec![id(), Field::new("n", DataType::Int64, true)])
                .unwrap()
                .ends_with("`n` was Utf8, now it is Int64")
        );
        assert!(
            says([known, vec![Field::new("x", DataType::Utf8, true)]].concat())
                .unwrap()
                .ends_with("`x` is new")
        );
    }
}
