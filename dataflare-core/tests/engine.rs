//! The engine as a whole, over components in memory: nothing lost, nothing twice, whatever fails.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails panics, and prints its seed")]

use std::sync::Arc;
use std::time::Duration;

use dataflare_core::actor::{Engine, RunOptions};
use dataflare_core::batch::BatchLimits;
use dataflare_core::component::{Planned, Scan, Staging};
use dataflare_core::event::{EventBus, Outcome, Summary};
use dataflare_core::plan::{DestinationNode, Endpoint, InputEdge, Member, Plan, SourceNode, StageNode};
use dataflare_core::testing::memory::{Fault, Faults, Memory, Numbers, Pass, numbers_schema};
use dataflare_core::workflow::{Backoff, ComponentSpec, OnError, Settings, Workflow};
use dataflare_core::{ErrorKind, Result};
use rand::{Rng, SeedableRng};

const SPLITS: i64 = 6;
const ROWS: i64 = 1_000;

struct Bench {
    engine: Engine,
    store: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { engine: Engine::start(EventBus::new()).unwrap(), store: tempfile::tempdir().unwrap() }
    }

    /// numbers -> pass -> memory.
    fn plan(&self, id: &str, faults: &Arc<Faults>, memory: &Memory, restarts: u32) -> Plan {
        let spec = |name: &str, role, inputs: &[&str]| ComponentSpec {
            name: name.into(),
            role,
            kind: name.into(),
            inputs: inputs.iter().map(|input| (*input).into()).collect(),
            mode: None,
            config: serde_json::Value::Null,
            on_error: OnError::Fail,
            parallelism: None,
            retry: None,
            description: None,
        };
        use dataflare_core::component::Role;
        let settings = Settings {
            parallelism: Some(2),
            checkpoint_interval: Duration::from_millis(3),
            checkpoint_store: self.store.path().to_string_lossy().into_owned(),
            restart: Backoff {
                max: restarts,
                first: Duration::from_millis(1),
                longest: Duration::from_millis(2),
            },
            ..Settings::default()
        };
        let components = vec![
            spec("numbers", Role::Source, &[]),
            spec("pass", Role::Processor, &["numbers"]),
            spec("memory", Role::Destination, &["pass"]),
        ];
        let workflow = Arc::new(Workflow { id: id.into(), settings, components, ..Workflow::default() });
        let scan =
            Scan { schema: numbers_schema(), filter: None, limits: BatchLimits::default(), reject: false };
        Plan {
            workflow,
            sources: vec![SourceNode {
                name: "numbers".into(),
                kind: "numbers".into(),
                source: Arc::new(Numbers {
                    splits: SPLITS,
                    rows: ROWS,
                    batch: 64,
                    faults: Arc::clone(faults),
                }),
                schema: numbers_schema(),
                scan,
                on_error: OnError::Fail,
                parallelism: None,
            }],
            stages: vec![StageNode {
                members: vec![Member {
                    name: "pass".into(),
                    kind: "pass".into(),
                    planned: Arc::new(Pass::new(Arc::clone(faults))) as Arc<dyn Planned>,
                    on_error: OnError::Fail,
                }],
                inputs: vec![InputEdge { from: Endpoint::Source(0), input: 0 }],
                blocking: false,
                parallelism: None,
            }],
            destinations: vec![DestinationNode {
                name: "memory".into(),
                kind: "memory".into(),
                destination: Arc::new(memory.with_faults(Arc::clone(faults))),
                schema: numbers_schema(),
                inputs: vec![InputEdge { from: Endpoint::Stage { stage: 0, port: 0 }, input: 0 }],
                parallelism: None,
            }],
        }
    }

    fn run(&self, plan: Plan) -> Result<Summary> {
        let handle = self.engine.run(plan, RunOptions::default());
        self.engine.runtime().block_on(async {
            tokio::time::timeout(Duration::from_secs(60), handle.finished()).await.unwrap()
        })
    }
}

fn all() -> Vec<i64> {
    (0..SPLITS * ROWS).collect()
}

#[test]
fn everything_arrives_once_at_any_pace() {
    let bench = Bench::new();
    for staging in [Staging::Interval, Staging::Split] {
        let (faults, id) = (Faults::none(), format!("plain-{staging:?}").to_lowercase());
        let memory = Memory::new(staging, Arc::clone(&faults));
        let summary = bench.run(bench.plan(&id, &faults, &memory, 0)).unwrap();
        assert_eq!(memory.visible(), all(), "{staging:?}");
        assert!(memory.published());
        assert_eq!(summary.outcome, Outcome::Completed);
        let destination = summary.components.iter().find(|component| component.name == "memory").unwrap();
        assert_eq!((destination.rows_in, destination.rows_proved), (6_000, Some(6_000)));
        assert_eq!(destination.location.as_deref(), Some("memory"));
    }
}

/// 300 runs, each with one fault of a random kind at a random call of a random stage.
#[test]
fn a_fault_anywhere_publishes_nothing_names_its_cause_and_resumes_exactly() {
    let bench = Bench::new();
    let seed: u64 = std::env::var("DATAFLARE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("seed {seed}");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let points = [
        "source.read",
        "processor.process",
        "destination.write",
        "destination.stage",
        "destination.commit",
        "destination.finish",
    ];
    let owners = ["numbers", "pass", "memory", "memory", "memory", "memory"];
    let mut hit = [0; 6];
    for round in 0..300 {
        let which = random.random_range(0..points.len());
        let reach = [100, 94, 94, 6, 6, 1][which];
        let nth = random.random_range(1..=reach);
        let kind = [Fault::Panic, Fault::Permanent][random.random_range(0..2)];
        let staging = [Staging::Interval, Staging::Split][random.random_range(0..2)];
        // A panic in `commit` or `finish` would be one in the engine's own task.
        let kind = if which >= 4 { Fault::Permanent } else { kind };
        let faults = Faults::at(points[which], nth, kind);
        let memory = Memory::new(staging, Arc::clone(&faults));
        let id = format!("fault-{round}");
        let result = bench.run(bench.plan(&id, &faults, &memory, 0));
        let context = format!("round {round}: {kind:?} at call {nth} of {} with {staging:?}", points[which]);
        if !faults.happened() {
            result.unwrap_or_else(|error| panic!("{context}: {}", error.report()));
        } else {
            hit[which] += 1;
            let error = result.expect_err(&context);
            assert_eq!(
                error.place.component.as_deref(),
                Some(owners[which]),
                "{context}: {}",
                error.report()
            );
            assert!(error.report().contains("injected"), "{context}: {}", error.report());
            assert_eq!(error.kind == ErrorKind::Panic, kind == Fault::Panic, "{context}");
            assert!(!memory.published(), "{context}");
            bench
                .run(bench.plan(&id, &Faults::none(), &memory, 0))
                .unwrap_or_else(|error| panic!("{context}: {}", error.report()));
        }
        assert_eq!(memory.visible(), all(), "{context}");
        assert_eq!(memory.left_over(), 0, "{context}");
        assert!(memory.published(), "{context}");
    }
    assert!(hit.iter().all(|count| *count > 5), "every point was hit: {hit:?}");
}

#[test]
fn what_fails_for_the_moment_is_restarted_within_the_run() {
    let bench = Bench::new();
    for (round, point) in ["source.read", "processor.process", "destination.write"].into_iter().enumerate() {
        let faults = Faults::at(point, 40, Fault::Transient);
        let memory = Memory::new(Staging::Interval, Arc::clone(&faults));
        let summary = bench.run(bench.plan(&format!("restart-{round}"), &faults, &memory, 3)).unwrap();
        assert_eq!((summary.restarts, memory.visible()), (1, all()), "{point}");
    }
}

#[test]
fn a_drained_run_ends_well_and_the_next_one_goes_on() {
    let bench = Bench::new();
    for (round, staging) in [Staging::Interval, Staging::Split].into_iter().enumerate() {
        let faults = Faults::none();
        let memory = Memory::new(staging, Arc::clone(&faults));
        let id = format!("drain-{round}");
        let handle = bench.engine.run(bench.plan(&id, &faults, &memory, 0), RunOptions::default());
        let orders = handle.orders();
        orders.drain();
        let first = bench.engine.runtime().block_on(handle.finished()).unwrap();
        if first.outcome == Outcome::Drained {
            assert!(!memory.published());
            let seen = memory.visible();
            assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "nothing twice");
            bench.run(bench.plan(&id, &faults, &memory, 0)).unwrap();
        }
        assert_eq!(memory.visible(), all());
    }
}

#[test]
fn workflows_in_one_process_do_not_share_their_failures() {
    let bench = Bench::new();
    let bad = Faults::at("processor.process", 10, Fault::Panic);
    let bad_memory = Memory::new(Staging::Interval, Arc::clone(&bad));
    let good = Faults::none();
    let good_memory = Memory::new(Staging::Interval, Arc::clone(&good));
    let failing = bench.engine.run(bench.plan("bad", &bad, &bad_memory, 0), RunOptions::default());
    let running = bench.engine.run(bench.plan("good", &good, &good_memory, 0), RunOptions::default());
    let (failed, done) =
        bench.engine.runtime().block_on(async { tokio::join!(failing.finished(), running.finished()) });
    let error = failed.unwrap_err();
    assert_eq!(error.place.component.as_deref(), Some("pass"));
    assert_eq!(error.kind, ErrorKind::Panic);
    done.unwrap();
    assert_eq!(good_memory.visible(), all());
}
