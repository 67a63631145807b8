//! A workflow as types: what is left when files are merged and variables are replaced.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::component::Role;

/// One workflow.
#[derive(Debug, Clone, Default)]
pub struct Workflow {
    /// `[a-z0-9-]`; names its checkpoints.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// What the engine is told.
    pub settings: Settings,
    /// Sources, processors and destinations, in the order in which they are written.
    pub components: Vec<ComponentSpec>,
    /// Who is told of progress, beside the terminal.
    pub events: Vec<EventSpec>,
    /// A cron expression with seconds.
    pub schedule: Option<String>,
    /// Rows in, rows expected.
    pub tests: Vec<TestSpec>,
}

/// One component of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentSpec {
    /// The name others refer to; unique in the workflow.
    pub name: String,
    /// The section it stands in.
    pub role: Role,
    /// The component of the table.
    pub kind: String,
    /// Where its records come from: names, or `name.output`. Empty for sources.
    pub inputs: Vec<String>,
    /// `full`, `incremental`, `cdc`: sources that have them.
    pub mode: Option<String>,
    /// The component's own options.
    pub config: serde_json::Value,
    /// What becomes of records it cannot take.
    pub on_error: OnError,
    /// Lanes of this component, where they differ from the workflow's.
    pub parallelism: Option<usize>,
    /// Retries in place of what failed for the moment.
    pub retry: Option<Backoff>,
    /// For people.
    pub description: Option<String>,
}

/// What becomes of a record that a component cannot take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The record is left out, and counted.
    Skip,
    /// The record goes to this destination, and is counted.
    DeadLetter(String),
}

/// What the engine is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Lanes at once; the machine's cores by default.
    pub parallelism: Option<usize>,
    /// Rows in a batch, at most.
    pub batch_rows: usize,
    /// Bytes of a batch, at most.
    pub batch_bytes: u64,
    /// Time between checkpoints.
    pub checkpoint_interval: Duration,
    /// A folder or an object store's URL.
    pub checkpoint_store: String,
    /// Restarts after failures.
    pub restart: Backoff,
    /// Bytes that the run may use.
    pub memory: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parallelism: None,
            batch_rows: 65_536,
            batch_bytes: 4 << 20,
            checkpoint_interval: Duration::from_secs(30),
            checkpoint_store: ".dataflare".into(),
            restart: Backoff::default(),
            memory: 512 << 20,
        }
    }
}

/// How often something is tried again, and how long to wait in between; doubles, with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Tries again at most so often.
    pub max: u32,
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { max: 5, first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

/// One subscriber to events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSpec {
    /// CloudEvents JSON by POST.
    Webhook {
        /// Where to.
        url: String,
        /// Signs the body with HMAC-SHA256.
        secret: Option<String>,
        /// Types of events, `workflow.finished` or `workflow.*`; all but progress when empty.
        on: Vec<String>,
    },
}

/// One test of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct TestSpec {
    /// What it shows.
    pub name: String,
    /// Rows by source.
    pub given: BTreeMap<String, Vec<serde_json::Value>>,
    /// Rows expected by component.
    pub expect: BTreeMap<String, Vec<serde_json::Value>>,
}
