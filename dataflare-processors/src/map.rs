//! Selects, renames, casts, computes and drops columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use dataflare_core::component::{
    Build, Component, Input, Options, Output, Planned, Port, Problem, Processor, ProcessorContext, RoleEntry,
    Segment, Stage,
};
use dataflare_core::expr::{Expression, evaluate_rows, parse_type};
use dataflare_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::filter::same_schema;
use crate::reject::{key, problem, rejects};

/// The row of the table.
pub(crate) const COMPONENT: Component = Component {
    name: "map",
    roles: &[RoleEntry {
        summary: "Selects, renames, casts, computes and drops columns",
        example: "select: [id, { total: \"CAST(amount AS DECIMAL(18,2)) * 1.19\" }]",
        options: || schemars::schema_for!(MapOptions),
        build: Build::Processor(build),
    }],
};

/// Options of `map`: either `select`, which lists the columns that go on, or any of the others, which
/// change some columns and let the rest go on as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MapOptions {
    /// The columns that go on, in this order: a name, or a new name with an SQL expression over the
    /// input's columns.
    #[serde(default)]
    select: Option<Vec<Selected>>,
    /// New columns, or new values for old ones, as SQL expressions over the input's columns.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// New types, as SQL names them (`BIGINT`, `DECIMAL(18,2)`). A value that does not fit is rejected.
    #[serde(default)]
    cast: BTreeMap<String, String>,
    /// New names by old name.
    #[serde(default)]
    rename: BTreeMap<String, String>,
    /// Columns that are left out.
    #[serde(default)]
    drop: Vec<String>,
}

/// One column that goes on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Selected {
    /// A column of the input, as it is.
    Name(String),
    /// New names with SQL expressions.
    Computed(BTreeMap<String, String>),
}

/// One output column: its name and where it comes from.
struct Column {
    name: String,
    from: From,
}

enum From {
    Input(String),
    Expression(Arc<Expression>),
}

struct Map {
    port: [Port; 1],
    columns: Arc<[Column]>,
    inputs: usize,
}

fn build(options: &Options, inputs: &[Input]) -> Result<Arc<dyn Planned>, Vec<Problem>> {
    let parsed: MapOptions = options.parse()?;
    let input = same_schema(inputs)?;
    let mut problems = Vec::new();
    let columns = match &parsed.select {
        Some(selected) => {
            let others = [
                !parsed.set.is_empty(),
                !parsed.cast.is_empty(),
                !parsed.rename.is_empty(),
                !parsed.drop.is_empty(),
            ];
            if others.contains(&true) {
                let problem = Problem::new(
                    &["select"],
                    "`select` lists all columns, so nothing can be set, cast, renamed or dropped beside it",
                );
                problems.push(problem.help("write the change into `select`, or leave `select` out"));
            }
            select(selected, &input, &mut problems)
        }
        None => change(&parsed, &input, &mut problems),
    };
    let schema = output_schema(&columns, &input, &mut problems);
    if columns.is_empty() && problems.is_empty() {
        problems.push(Problem::new(&[], "no column is left"));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Arc::new(Map {
        port: [Port { name: String::new(), schema }],
        columns: columns.into(),
        inputs: inputs.len(),
    }))
}

fn select(selected: &[Selected], input: &SchemaRef, problems: &mut Vec<Problem>) -> Vec<Column> {
    let mut columns = Vec::new();
    for (number, selected) in selected.iter().enumerate() {
        let path = vec![key("select"), Segment::Index(number)];
        match selected {
            Selected::Name(name) => {
                if known(name, input, path, problems) {
                    columns.push(Column { name: name.clone(), from: From::Input(name.clone()) });
                }
            }
            Selected::Computed(computed) => {
                for (name, sql) in computed {
                    let path = [path.clone(), vec![key(name)]].concat();
                    columns.extend(compute(name, sql, input, path, problems));
                }
            }
        }
    }
    columns
}

fn change(options: &MapOptions, input: &SchemaRef, problems: &mut Vec<Problem>) -> Vec<Column> {
    for name in options.cast.keys() {
        known(name, input, vec![key("cast"), key(name)], problems);
    }
    for name in options.rename.keys() {
        known(name, input, vec![key("rename"), key(name)], problems);
    }
    for (number, name) in options.drop.iter().enumerate() {
        known(name, input, vec![key("drop"), Segment::Index(number)], problems);
    }
    let mut columns = Vec::new();
    for field in input.fields().iter().filter(|field| !options.drop.contains(field.name())) {
        let old = field.name();
        let name = options.rename.get(old).unwrap_or(old);
        if let Some(sql) = options.set.get(old) {
            columns.extend(compute(name, sql, input, vec![key("set"), key(old)], problems));
        } else if let Some(target) = options.cast.get(old) {
            let path = vec![key("cast"), key(old)];
            match parse_type(target) {
                Ok(_) => {
                    let sql = format!("CAST(\"{}\" AS {target})", old.replace('"', "\"\""));
                    columns.extend(compute(name, &sql, input, path, problems));
                }
                Err(error) => problems.push(problem(path, error)),
            }
        } else {
            columns.push(Column { name: name.clone(), from: From::Input(old.clone()) });
        }
    }
    for (name, sql) in options.set.iter().filter(|(name, _)| input.field_with_name(name).is_err()) {
        columns.extend(compute(name, sql, input, vec![key("set"), key(name)], problems));
    }
    columns
}

fn known(name: &str, input: &SchemaRef, path: Vec<Segment>, problems: &mut Vec<Problem>) -> bool {
    let found = input.field_with_name(name).is_ok();
    if !found {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        if let Err(error) = Expression::compile(&quoted, input) {
            problems.push(problem(path, dataflare_core::expr::ExprError { range: None, ..error }));
        }
    }
    found
}

fn compute(
    name: &str,
    sql: &str,
    input: &SchemaRef,
    path: Vec<Segment>,
    problems: &mut Vec<Problem>,
) -> Option<Column> {
    match Expression::compile(sql, input) {
        Ok(expression) => {
            Some(Column { name: name.to_owned(), from: From::Expression(Arc::new(expression)) })
        }
        Err(error) => {
            problems.push(problem(path, error));
            None
        }
    }
}

fn output_schema(columns: &[Column], input: &SchemaRef, problems: &mut Vec<Problem>) -> SchemaRef {
    let mut fields: Vec<Field> = Vec::new();
    for column in columns {
        if fields.iter().any(|field| *field.name() == column.name) {
            problems.push(Problem::new(&[], format!("two columns are called `{}`", column.name)));
        }
        match &column.from {
            From::Input(name) => {
                if let Ok(field) = input.field_with_name(name) {
                    fields.push(field.clone().with_name(&column.name));
                }
            }
            From::Expression(expression) => {
                fields.push(Field::new(&column.name, expression.data_type().clone(), expression.nullable()));
            }
        }
    }
    Arc::new(Schema::new(fields))
}

impl Planned for Map {
    fn outputs(&self) -> &[Port] {
        &self.port
    }

    fn needs(&self, _: &[Option<Vec<String>>]) -> Vec<Option<Vec<String>>> {
        let mut names: Vec<String> = Vec::new();
        for column in self.columns.iter() {
            match &column.from {
                From::Input(name) => names.push(name.clone()),
                From::Expression(expression) => names.extend_from_slice(expression.columns()),
            }
        }
        names.sort();
        names.dedup();
        vec![Some(names); self.inputs]
    }

    fn start(&self, _: &ProcessorContext) -> Result<Stage> {
        let schema = self.port[0].schema.clone();
        Ok(Stage::Batches(Box::new(Shape { columns: Arc::clone(&self.columns), schema })))
    }
}

struct Shape {
    columns: Arc<[Column]>,
    schema: SchemaRef,
}

impl Processor for Shape {
    fn process(&mut self, _: usize, records: RecordBatch, out: &mut Output) -> Result<()> {
        let expressions = self.columns.iter().filter_map(|column| match &column.from {
            From::Expression(expression) => Some(&**expression),
            From::Input(_) => None,
        });
        let expressions: Vec<&Expression> = expressions.collect();
        let (good, values, failures) = evaluate_rows(&expressions, &records)?;
        out.rejects.extend(rejects(&records, failures));
        let mut values = values.into_iter();
        let columns = self.columns.iter().map(|column| -> Result<ArrayRef> {
            let missing = || Error::permanent(format!("column `{}` is not in the batch", column.name));
            match &column.from {
                From::Input(name) => good.column_by_name(name).cloned().ok_or_else(missing),
                From::Expression(_) => values.next().ok_or_else(missing),
            }
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(good.num_rows()));
        let shaped = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|cause| Error::permanent("the computed columns do not fit the plan").caused_by(cause))?;
        out.push(shaped);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array, StringArray};
    use serde_json::json;

    use super::*;

    fn records() -> RecordBatch {
        RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
            ("amount", Arc::new(Float64Array::from(vec![10.0, 20.5])) as _),
            ("note", Arc::new(StringArray::from(vec!["7", "x"])) as _),
        ])
        .unwrap()
    }

    fn plan(config: serde_json::Value) -> Result<Arc<dyn Planned>, Vec<Problem>> {
        let options = Options { component: "m".into(), value: config };
        build(&options, &[Input { name: "in".into(), schema: records().schema(), bounded: true }])
    }

    fn run(config: serde_json::Value) -> (Vec<String>, Output) {
        let planned = plan(config).unwrap();
        let context = ProcessorContext {
            memory_bytes: 1,
            spill_dir: std::env::temp_dir(),
            parallelism: 1,
            batch_rows: 1,
        };
        let Stage::Batches(mut shape) = planned.start(&context).unwrap() else { panic!("batch by batch") };
        let mut out = Output::default();
        shape.process(0, records(), &mut out).unwrap();
        let fields = planned.outputs()[0].schema.fields().iter();
        (fields.map(|field| format!("{}: {}", field.name(), field.data_type())).collect(), out)
    }

    #[test]
    fn select_lists_what_goes_on() {
        let (fields, out) =
            run(json!({ "select": ["id", { "total": "CAST(amount AS DECIMAL(10,2)) * 2" }] }));
        assert_eq!(fields[0], "id: Int64");
        assert!(fields[1].starts_with("total: Decimal128("), "{}", fields[1]);
        assert_eq!(out.batches[0].1.num_rows(), 2);
    }

    #[test]
    fn changes_keep_the_other_columns_in_their_order() {
        let config =
            json!({ "rename": { "id": "key" }, "drop": ["amount"], "set": { "double": "amount * 2" } });
        assert_eq!(run(config).0, ["key: Int64", "note: Utf8", "double: Float64"]);
    }

    #[test]
    fn a_value_that_cannot_be_cast_is_rejected_alone() {
        let (fields, out) = run(json!({ "cast": { "note": "BIGINT" } }));
        assert_eq!(fields[2], "note: Int64");
        assert_eq!(out.batches[0].1.num_rows(), 1);
        assert_eq!(out.rejects[0].raw, br#"{"id":2,"amount":20.5,"note":"x"}"#);
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let problems = plan(json!({ "select": ["idd", { "t": "amout + 1" }] })).err().unwrap();
        let places: Vec<_> = problems.iter().map(|problem| problem.path.clone()).collect();
        assert_eq!(
            places,
            [vec![key("select"), Segment::Index(0)], vec![key("select"), Segment::Index(1), key("t")]]
        );
        assert_eq!(problems[1].range, Some(0..5));
        assert!(plan(json!({ "select": ["id"], "drop": ["note"] })).is_err());
        assert!(plan(json!({ "rename": { "id": "note" } })).is_err());
        assert!(plan(json!({ "cast": { "id": "BIGINTT" } })).is_err());
    }
}
