//! Column and condition pushdown: what each source is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use super::build::{Builder, Scans};
use crate::batch::BatchLimits;
use crate::component::{Role, Scan};
use crate::workflow::OnError;

/// What is wanted of one output: some columns, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Some(BTreeSet<String>),
    All,
}

/// What each source is asked for, so that the destinations get what they got before.
pub(super) fn prune(builder: &Builder<'_>, order: &[String], limits: BatchLimits) -> Scans {
    let mut wanted = Demands::default();
    for spec in builder.specs.values().filter(|spec| spec.role == Role::Destination) {
        spec.inputs.iter().for_each(|input| wanted.add(builder, input, None));
    }
    for name in order.iter().rev() {
        let Some(built) = builder.processors.get(name) else { continue };
        let outputs: Vec<_> =
            (0..built.planned.outputs().len()).map(|port| wanted.columns(name, port)).collect();
        let needs = built.planned.needs(&outputs);
        for (input, need) in builder.specs[name.as_str()].inputs.iter().zip(needs) {
            wanted.add(builder, input, need);
        }
    }
    let scan = |(name, schema): (&String, &SchemaRef)| {
        let pushdown = builder.sources[name].pushdown();
        let columns = wanted.columns(name, 0).filter(|_| pushdown.columns);
        let schema = columns.map_or_else(|| schema.clone(), |columns| project(schema, &columns));
        let filter = if pushdown.filter { condition(builder, name) } else { None };
        let keep_bad = builder.specs[name.as_str()].on_error != OnError::Fail;
        (name.clone(), Scan { schema, filter, limits, reject: keep_bad })
    };
    builder.source_schemas.iter().map(scan).collect()
}

/// The condition of the only processor that reads `source`, if it is the only reader.
fn condition(builder: &Builder<'_>, source: &str) -> Option<Arc<crate::expr::Expression>> {
    let mut readers = builder.specs.values().filter(|spec| spec.inputs.iter().any(|input| input == source));
    let (reader, others) = (readers.next()?, readers.next());
    if others.is_some() || reader.inputs.len() != 1 {
        return None;
    }
    builder.processors.get(&reader.name)?.planned.condition()
}

/// The columns of `schema` that are wanted, in its order; one where none is, so that rows can be counted.
fn project(schema: &SchemaRef, columns: &[String]) -> SchemaRef {
    let wanted: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
    let mut kept: Vec<_> =
        schema.fields().iter().filter(|field| wanted.contains(field.name().as_str())).cloned().collect();
    if kept.is_empty() {
        kept.extend(
            schema
                .fields()
                .iter()
                .find(|field| field.data_type().is_primitive())
                .or(schema.fields().first())
                .cloned(),
        );
    }
    if kept.len() == schema.fields().len() { schema.clone() } else { Arc::new(Schema::new(kept)) }
}

/// Columns wanted, by component and output.
#[derive(Default)]
struct Demands(BTreeMap<(String, usize), Wanted>);

impl Demands {
    fn add(&mut self, builder: &Builder<'_>, input: &str, columns: Option<Vec<String>>) {
        let component = builder.input_component(input).to_owned();
        let Ok(Some((port, _))) = builder.port(input) else { return };
        let entry = self.0.entry((component, port)).or_insert_with(|| Wanted::Some(BTreeSet::new()));
        match (entry, columns) {
            (Wanted::Some(known), Some(more)) => known.extend(more),
            (entry, None) => *entry = Wanted::All,
            (Wanted::All, _) => {}
        }
    }

    fn columns(&self, component: &str, port: usize) -> Option<Vec<String>> {
        match self.0.get(&(component.to_owned(), port)) {
            Some(Wanted::Some(columns)) => Some(columns.iter().cloned().collect()),
            Some(Wanted::All) => None,
            None => Some(Vec::new()),
        }
    }
}
