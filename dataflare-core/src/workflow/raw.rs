//! A workflow as it is written. The doc comments are the manual of the format, and its JSON Schema is
//! made from these types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// One workflow: what moves from where to where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "some keys are read from the tree before, and stand here for the schema")]
pub(super) struct RawWorkflow {
    /// The version of this format: 1.
    pub version: Version,
    /// Names the workflow's checkpoints: small letters, digits and dashes. The file's name by default.
    #[serde(default)]
    pub id: Option<String>,
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What the engine is told.
    #[serde(default)]
    pub settings: RawSettings,
    /// Values for `${NAME}`; `--set NAME=value` and the environment go before them.
    #[serde(default)]
    pub variables: BTreeMap<String, serde_json::Value>,
    /// Other files whose components belong to this workflow, relative to this file.
    #[serde(default)]
    pub include: Vec<String>,
    /// Where records come from, by name.
    #[serde(default)]
    pub sources: BTreeMap<String, RawComponent>,
    /// What happens to them, by name.
    #[serde(default)]
    pub processors: BTreeMap<String, RawComponent>,
    /// Where they go, by name.
    #[serde(default)]
    pub destinations: BTreeMap<String, RawComponent>,
    /// Who is told of progress, beside the terminal.
    #[serde(default)]
    pub events: Vec<RawEvent>,
    /// When to run, as a cron expression with seconds: `0 */5 * * * *`.
    #[serde(default)]
    pub schedule: Option<String>,
    /// Rows in, rows expected.
    #[serde(default)]
    pub tests: Vec<RawTest>,
}

/// The version of the format.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "checked where it is read")]
pub(super) enum Version {
    /// `1`.
    Number(u64),
    /// `"1.0.0"`.
    Text(String),
}

/// What the engine is told.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSettings {
    /// Lanes at once; the machine's cores by default.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub parallelism: Option<usize>,
    /// How large a batch may be.
    #[serde(default)]
    pub batch: RawBatch,
    /// When checkpoints are made, and where they are kept.
    #[serde(default)]
    pub checkpoint: RawCheckpoint,
    /// How often the workflow starts again after a failure that may pass.
    #[serde(default)]
    pub restart: RawBackoff,
    /// Memory that queues, sorts, joins and aggregates may use: `512MiB`. What needs more spills to disk.
    #[serde(default)]
    pub memory: Option<String>,
}

/// How large a batch may be.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBatch {
    /// Rows, 65536 by default.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rows: Option<usize>,
    /// Bytes, `4MiB` by default.
    #[serde(default)]
    pub bytes: Option<String>,
}

/// When checkpoints are made, and where they are kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheckpoint {
    /// Time between two, `30s` by default.
    #[serde(default)]
    pub interval: Option<String>,
    /// A folder, `.dataflare` by default, or the URL of an object store: `s3://bucket/prefix`.
    #[serde(default)]
    pub store: Option<String>,
}

/// How often something is tried again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBackoff {
    /// Tries again at most so often, 5 times by default.
    #[serde(default)]
    pub max: Option<u32>,
    /// The first wait and the longest: `1s..60s`. It doubles in between, with jitter.
    #[serde(default)]
    pub backoff: Option<String>,
}

/// A source, processor or destination.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawComponent {
    /// Which component it is; `dataflare connectors list` and `dataflare processors list` name them.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where its records come from: names of sources and processors, or `name.output`.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Its own options.
    #[serde(default)]
    pub config: Option<serde_json::Value>,
    /// `full`, `incremental` or `cdc`, for sources that have them.
    #[serde(default)]
    pub mode: Option<String>,
    /// What becomes of a record that it cannot take: `fail`, `skip` or `{ dead_letter: <destination> }`.
    #[serde(default)]
    pub on_error: Option<RawOnError>,
    /// Lanes of this component, where they differ from the workflow's.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub parallelism: Option<usize>,
    /// How often its calls are tried again in place.
    #[serde(default)]
    pub retry: Option<RawBackoff>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
}

/// What becomes of a record that a component cannot take.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawOnError {
    /// The run fails.
    Fail,
    /// The record is left out, and counted.
    Skip,
    /// The record goes to this destination, and is counted.
    DeadLetter(String),
}

/// Who is told of progress.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RawEvent {
    /// CloudEvents by HTTP POST.
    Webhook(RawWebhook),
}

/// CloudEvents by HTTP POST.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebhook {
    /// Where to.
    pub url: String,
    /// Signs each body.
    #[serde(default)]
    pub secret: Option<String>,
    /// Which events: `workflow.finished`, `workflow.*`. All but progress by default.
    #[serde(default)]
    pub on: Vec<String>,
}

/// A test of the workflow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    /// What it shows.
    pub name: String,
    /// Rows by source.
    pub given: BTreeMap<String, Vec<serde_json::Value>>,
    /// Rows by component.
    pub expect: BTreeMap<String, Vec<serde_json::Value>>,
}
