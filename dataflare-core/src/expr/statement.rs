//! One SQL statement over named inputs.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::MemTable;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{SendableRecordBatchStream, execute_stream};
use datafusion::prelude::{SQLOptions, SessionContext};
use futures::executor::block_on;
use futures::{StreamExt, TryStreamExt, stream};

use super::error::ExprError;
use super::session::config;
use super::spool::spool;
use crate::component::{BatchStream, Input, ProcessorContext};
use crate::{Error, Result};

/// One planned SQL statement.
#[derive(Clone)]
pub struct Statement {
    sql: Arc<str>,
    inputs: Arc<[Input]>,
    plan: LogicalPlan,
    schema: SchemaRef,
    blocking: Option<&'static str>,
}

/// What a statement gives when it runs over whole streams.
pub type StatementStream = BatchStream;

impl Statement {
    /// Plans one `SELECT` over `inputs`, whose names are its tables.
    pub fn plan(sql: &str, inputs: &[Input]) -> Result<Self, ExprError> {
        let session = SessionContext::new_with_config(config());
        for input in inputs {
            register(&session, input, Vec::new()).map_err(|error| ExprError::of(&error, sql, &[]))?;
        }
        let columns: Vec<&str> = inputs
            .iter()
            .flat_map(|input| input.schema.fields())
            .map(|field| field.name().as_str())
            .collect();
        let fail = |error: DataFusionError| tables(ExprError::of(&error, sql, &columns), inputs);
        let state = session.state();
        let plan = block_on(state.create_logical_plan(sql)).map_err(fail)?;
        let only_reads =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        only_reads.verify_plan(&plan).map_err(fail)?;
        let plan = state.optimize(&plan).map_err(fail)?;
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let blocking = blocking(&plan);
        Ok(Self { sql: sql.into(), inputs: inputs.into(), plan, schema, blocking })
    }

    /// The columns it gives.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The part of it that must see all input before it can give any output (`GROUP BY`), if one does.
    pub fn blocking(&self) -> Option<&'static str> {
        self.blocking
    }

    /// The columns it reads of each input, in the inputs' order.
    pub fn needs(&self) -> Vec<Vec<String>> {
        let mut needs = vec![BTreeSet::new(); self.inputs.len()];
        // Visiting cannot fail: the closure does not.
        _ = self.plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let table = scan.table_name.table();
                if let Some(number) = self.inputs.iter().position(|input| input.name == table) {
                    let fields = scan.projected_schema.fields().iter();
                    needs[number].extend(fields.map(|field| field.name().clone()));
                }
            }
            Ok(TreeNodeRecursion::Continue)
        });
        needs.into_iter().map(|columns| columns.into_iter().collect()).collect()
    }

    /// Runs it on one batch of one input; only where nothing is [`Statement::blocking`].
    pub fn apply(&self, input: usize, records: RecordBatch) -> Result<Vec<RecordBatch>> {
        let session = SessionContext::new_with_config(config());
        for (number, known) in self.inputs.iter().enumerate() {
            let batches = if number == input { vec![records.clone()] } else { Vec::new() };
            register(&session, known, batches).map_err(|error| self.failed(&error))?;
        }
        let work = async {
            let state = session.state();
            let plan = state.create_logical_plan(&self.sql).await?;
            let plan = state.create_physical_plan(&plan).await?;
            execute_stream(plan, session.task_ctx())?.try_collect::<Vec<_>>().await
        };
        block_on(work).map_err(|error| self.failed(&error))
    }

    /// Runs it over whole inputs: `streams[i]` holds input `i`'s streams, one a lane. Beyond the
    /// context's memory it spills. Must be called within a tokio runtime.
    pub fn run(&self, streams: Vec<Vec<BatchStream>>, context: &ProcessorContext) -> Result<StatementStream> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(context.memory_bytes)))
            .with_temp_file_path(&context.spill_dir)
            .build_arc()
            .map_err(|error| self.failed(&error))?;
        let mut config = config().with_target_partitions(context.parallelism.max(1));
        config = config.with_batch_size(context.batch_rows.clamp(1, 8192));
        // A hash join cannot spill; a sort-merge join can.
        config.options_mut().optimizer.prefer_hash_join = false;
        let share = context.memory_bytes / 8;
        config.options_mut().execution.sort_spill_reservation_bytes = share.min(10 << 20);
        let session = SessionContext::new_with_config_rt(config, runtime);
        let spooled = streams.len() > 1;
        for (input, lanes) in self.inputs.iter().zip(streams) {
            let room = share / lanes.len().max(1);
            let partition = |stream: BatchStream| {
                let stream = if spooled {
                    spool(stream, input.schema.clone(), room, &context.spill_dir)
                } else {
                    stream
                };
                let once = Mutex::new(Some(stream));
                Arc::new(Once { schema: input.schema.clone(), stream: once }) as Arc<dyn PartitionStream>
            };
            let partitions = lanes.into_iter().map(partition).collect();
            StreamingTable::try_new(input.schema.clone(), partitions)
                .and_then(|table| session.register_table(table_name(&input.name), Arc::new(table)))
                .map_err(|error| self.failed(&error))?;
        }
        let sql = Arc::clone(&self.sql);
        let failed = self.clone();
        let start = async move {
            let state = session.state();
            let plan = state.create_logical_plan(&sql).await?;
            let plan = state.create_physical_plan(&plan).await?;
            execute_stream(plan, session.task_ctx())
        };
        let output = stream::once(start).try_flatten();
        Ok(Box::pin(output.map(move |batch| batch.map_err(|error| failed.failed(&error)))))
    }

    fn failed(&self, error: &DataFusionError) -> Error {
        let text = error.strip_backtrace();
        let text = text.lines().next().unwrap_or_default();
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => {
                Error::config(format!("the statement needs more memory: {text}"))
                    .help("raise `settings.memory`, or have it work on fewer or smaller rows")
            }
            DataFusionError::External(cause) if cause.is::<Error>() => {
                Error::permanent("an input of the statement failed").caused_by(cause.to_string())
            }
            _ => Error::config(format!("the statement failed: {text}")),
        }
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("sql", &self.sql)
            .field("blocking", &self.blocking)
            .finish_non_exhaustive()
    }
}

/// A stream that is given away once.
struct Once {
    schema: SchemaRef,
    stream: Mutex<Option<BatchStream>>,
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        let twice = || {
            let error =
                DataFusionError::NotImplemented("an input can be read only once in a statement".to_owned());
            stream::once(async { Err(error) }).boxed()
        };
        let stream = stream.map_or_else(twice, |stream| {
            stream.map_err(|error| DataFusionError::External(Box::new(error))).boxed()
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), stream))
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an input of the workflow")
    }
}

fn register(
    session: &SessionContext,
    input: &Input,
    batches: Vec<RecordBatch>,
) -> Result<(), DataFusionError> {
    let table = MemTable::try_new(input.schema.clone(), vec![batches])?;
    session.register_table(table_name(&input.name), Arc::new(table)).map(drop)
}

/// The name as a table of its own, dots and all.
fn table_name(name: &str) -> datafusion::common::TableReference {
    datafusion::common::TableReference::bare(name)
}

/// The first clause of `plan` that must see all its input.
fn blocking(plan: &LogicalPlan) -> Option<&'static str> {
    let mut found = None;
    // Visiting cannot fail: the closure does not.
    _ = plan.apply_with_subqueries(|node| {
        found = match node {
            LogicalPlan::Aggregate(_) => Some("GROUP BY or an aggregate function"),
            LogicalPlan::Sort(_) => Some("ORDER BY"),
            LogicalPlan::Join(_) => Some("JOIN or a subquery"),
            LogicalPlan::Distinct(_) => Some("DISTINCT"),
            LogicalPlan::Window(_) => Some("a window function"),
            LogicalPlan::Limit(_) => Some("LIMIT"),
            LogicalPlan::RecursiveQuery(_) => Some("WITH RECURSIVE"),
            LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => Some("rows of its own"),
            _ => None,
        };
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// Names the tables there are where the statement names another.
fn tables(mut error: ExprError, inputs: &[Input]) -> ExprError {
    if error.message.contains("table '") {
        let names: Vec<_> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
        error.help = Some(format!("the tables are the inputs: {}", names.join(", ")));
    }
    error
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(values: std::ops::Range<i64>) -> RecordBatch {
        let keys = Int64Array::from_iter_values(values.clone().map(|value| value % 10));
        let values = Int64Array::from_iter_values(values);
        RecordBatch::try_from_iter([("k", Arc::new(keys) as ArrayRef), ("v", Arc::new(values) as _)]).unwrap()
    }

    fn input(name: &str) -> Input {
        Input { name: name.into(), schema: batch(0..1).schema(), bounded: true }
    }

    fn context(memory_bytes: usize, spill: &tempfile::TempDir) -> ProcessorContext {
        ProcessorContext {
            memory_bytes,
            spill_dir: spill.path().to_owned(),
            parallelism: 2,
            batch_rows: 8192,
        }
    }

    fn stream(batches: Vec<RecordBatch>) -> BatchStream {
        Box::pin(stream::iter(batches.into_iter().map(Ok)))
    }

    #[test]
    fn what_needs_all_input_is_named() {
        let blocking = |sql: &str| Statement::plan(sql, &[input("t")]).unwrap().blocking();
        assert_eq!(blocking("SELECT v + 1 AS w FROM t WHERE k > 2"), None);
        assert_eq!(blocking("SELECT k FROM t UNION ALL SELECT v FROM t"), None);
        assert!(blocking("SELECT k, sum(v) FROM t GROUP BY k").unwrap().starts_with("GROUP BY"));
        assert_eq!(blocking("SELECT v FROM t ORDER BY v"), Some("ORDER BY"));
        assert!(blocking("SELECT DISTINCT k FROM t").is_some());
    }

    #[test]
    fn only_the_columns_that_are_read_are_needed() {
        let statement =
            Statement::plan("SELECT count(*) AS n FROM t WHERE k > 1", &[input("t"), input("u")]).unwrap();
        assert_eq!(statement.needs(), [vec!["k".to_owned()], vec![]]);
    }

    #[test]
    fn a_streaming_statement_works_batch_by_batch() {
        let statement = Statement::plan("SELECT v * 2 AS w FROM t WHERE k = 3", &[input("t")]).unwrap();
        let made = statement.apply(0, batch(0..30)).unwrap();
        let values: Vec<i64> = made
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
            .collect();
        assert_eq!(values, [6, 26, 46]);
    }

    #[test]
    fn statements_that_write_and_unknown_tables_are_refused() {
        assert!(Statement::plan("CREATE TABLE x AS SELECT 1", &[input("t")]).is_err());
        let error = Statement::plan("SELECT * FROM orders", &[input("t")]).unwrap_err();
        assert_eq!(error.help.as_deref(), Some("the tables are the inputs: `t`"));
        let error = Statement::plan("SELECT vv FROM t", &[input("t")]).unwrap_err();
        assert_eq!(error.message, "there is no column `vv`");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn lanes_are_aggregated_together() {
        let spill = tempfile::tempdir().unwrap();
        let statement =
            Statement::plan("SELECT k, sum(v) AS s FROM t GROUP BY k ORDER BY k", &[input("t")]).unwrap();
        let lanes = vec![stream(vec![batch(0..50)]), stream(vec![batch(50..100)])];
        let output = statement.run(vec![lanes], &context(64 << 20, &spill)).unwrap();
        let batches: Vec<RecordBatch> = output.try_collect().await.unwrap();
        let sums = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
        let expected: Vec<i64> = (0..10).map(|k| (0..100).filter(|v| v % 10 == k).sum()).collect();
        assert_eq!(sums.column(1).as_primitive::<Int64Type>().values(), expected.as_slice());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_sort_of_ten_times_its_memory_spills() {
        let spill = tempfile::tempdir().unwrap();
        let statement = Statement::plan("SELECT v FROM t ORDER BY v DESC", &[input("t")]).unwrap();
        let batches: Vec<_> = (0..320).map(|n| batch(n * 8192..(n + 1) * 8192)).collect();
        let output = statement.run(vec![vec![stream(batches)]], &context(4 << 20, &spill)).unwrap();
        let sorted: Vec<RecordBatch> = output.try_collect().await.unwrap();
        let rows: usize = sorted.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, 320 * 8192);
        assert_eq!(sorted[0].column(0).as_primitive::<Int64Type>().value(0), 320 * 8192 - 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_join_of_one_source_with_itself_does_not_wait_for_ever() {
        let spill = tempfile::tempdir().unwrap();
        let sql = "SELECT count(*) AS n FROM a JOIN b ON a.v = b.v";
        let statement = Statement::plan(sql, &[input("a"), input("b")]).unwrap();
        let (a, a_stream) = handover();
        let (b, b_stream) = handover();
        // One feeder for both, which waits for room in each: as a source does that fans out.
        let feeder = tokio::spawn(async move {
            for n in 0..400 {
                let batch = batch(n * 1000..(n + 1) * 1000);
                a.send(batch.clone()).await.unwrap();
                b.send(batch).await.unwrap();
            }
        });
        let output = statement.run(vec![vec![a_stream], vec![b_stream]], &context(16 << 20, &spill)).unwrap();
        let counted: Vec<RecordBatch> =
            tokio::time::timeout(std::time::Duration::from_secs(60), output.try_collect())
                .await
                .unwrap()
                .unwrap();
        assert_eq!(counted[0].column(0).as_primitive::<Int64Type>().value(0), 400_000);
        feeder.await.unwrap();
    }

    fn handover() -> (tokio::sync::mpsc::Sender<RecordBatch>, BatchStream) {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let stream =
            stream::unfold(receiver, |mut receiver: tokio::sync::mpsc::Receiver<RecordBatch>| async move {
                receiver.recv().await.map(|batch| (Ok(batch), receiver))
            });
        (sender, Box::pin(stream))
    }
}
