//! One run of a workflow: launches attempts, checkpoints them, restarts or ends them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::attempt::Attempt;
use super::commit::{Committed, Committer};
use super::epochs::Complete;
use super::launch::{Launched, launch};
use super::ledger::Ledger;
use super::message::{
    Abort, BetweenSplits, CommitDone, Drain, LaunchDone, Passed, PublishDone, PumpEnded, StagedEpoch,
};
use super::pump_task::Post;
use super::restart::Restarts;
use crate::event::{ComponentInfo, Event, Failure, Meters, Outcome, Publisher, Summary, Ticker};
use crate::{Error, Result};

/// How long a drain may take before it is given up.
const DRAIN_MAX: Duration = Duration::from_secs(30);

/// Runs one workflow to its end.
pub(crate) struct WorkflowActor {
    pub committer: Committer,
    pub ledger: Ledger,
    pub lanes: usize,
    pub resumed: bool,
    pub runtime: Handle,
    pub publisher: Publisher,
    pub meters: Meters,
    pub ticker: Option<Ticker>,
    pub restarts: Restarts,
    pub answer: Option<oneshot::Sender<Result<Summary>>>,
    pub state: State,
}

/// What changes from attempt to attempt.
#[derive(Default)]
pub(crate) struct State {
    number: u32,
    attempt: Option<Attempt>,
    ready: VecDeque<Complete>,
    committing: bool,
    draining: bool,
    failed: Option<Error>,
    checkpoints: u64,
}

impl Actor for WorkflowActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let components = &self.committer.plan.workflow.components;
        let info = |spec: &crate::workflow::ComponentSpec| ComponentInfo {
            name: spec.name.clone(),
            role: spec.role,
            kind: spec.kind.clone(),
        };
        self.publisher.publish(Event::WorkflowStarted {
            resumed_from: self.resumed.then_some(self.ledger.checkpoint.epoch),
            lanes: self.lanes,
            components: components.iter().map(info).collect(),
        });
        let interval = self.committer.plan.workflow.settings.checkpoint_interval;
        context.run_interval(interval, |actor, _| {
            if let Some(attempt) = actor.state.attempt.as_mut().filter(|_| !actor.state.draining) {
                attempt.tick();
            }
        });
        if self.ledger.checkpoint.phase == crate::checkpoint::Phase::Publishing {
            self.publish_destinations(context);
        } else {
            self.launch(context);
        }
    }
}

impl WorkflowActor {
    fn launch(&mut self, context: &mut Context<Self>) {
        self.state.number += 1;
        let (committer, address) = (self.committer.clone(), context.address());
        let (lanes, meters) = (self.lanes, self.meters.clone());
        self.runtime.spawn(async move {
            address.do_send(LaunchDone(launch(&committer, lanes, meters).await));
        });
    }

    fn launched(&mut self, launched: Launched, context: &mut Context<Self>) -> Result<()> {
        self.ledger = launched.ledger.clone();
        let post = Post {
            component: String::new(),
            attempt: self.state.number,
            runtime: self.runtime.clone(),
            workflow: context.address(),
        };
        let mut attempt = Attempt::start(&self.committer.plan, launched, &post)?;
        if self.state.draining {
            attempt.drain();
        }
        self.state.attempt = Some(attempt);
        Ok(())
    }

    /// The attempt that a message belongs to; `None` if that is over.
    fn attempt(&mut self, number: u32) -> Option<&mut Attempt> {
        if number == self.state.number { self.state.attempt.as_mut() } else { None }
    }

    fn complete(&mut self, complete: Option<Complete>, context: &mut Context<Self>) {
        self.state.ready.extend(complete);
        self.commit(context);
    }

    /// Starts to commit all epochs that are complete, unless a commit is under way.
    fn commit(&mut self, context: &mut Context<Self>) {
        let failed = self.state.attempt.as_ref().is_none_or(Attempt::failed);
        if self.state.committing || self.state.ready.is_empty() || failed {
            return;
        }
        for complete in self.state.ready.drain(..) {
            self.ledger.book(&self.committer.plan, &complete, self.meters.snapshot());
        }
        self.state.committing = true;
        let (committer, ledger) = (self.committer.clone(), self.ledger.clone());
        let (attempt, address) = (self.state.number, context.address());
        self.runtime.spawn(async move {
            let result = committer.commit(ledger).await;
            address.do_send(CommitDone { attempt, result });
        });
    }

    fn committed(&mut self, committed: &Committed) -> Result<()> {
        let rows = self.ledger.committed(committed.epoch, &committed.receipts)?;
        for (name, state) in &self.ledger.checkpoint.destinations {
            if let Some(meter) = self.meters.meter(name) {
                meter.committed(state.rows, state.bytes);
            }
        }
        self.state.checkpoints += 1;
        self.restarts.progressed();
        self.publisher.publish(Event::CheckpointCommitted { epoch: committed.epoch, rows });
        Ok(())
    }

    /// Goes on if all pumps have ended and nothing is being committed.
    fn settle(&mut self, context: &mut Context<Self>) {
        if self.state.committing {
            return;
        }
        let Some(outcome) = self.state.attempt.as_mut().and_then(Attempt::outcome) else { return };
        self.state.attempt = None;
        self.state.ready.clear();
        match outcome {
            Ok(true) => self.publish_destinations(context),
            Ok(false) => self.end(Ok((Outcome::Drained, BTreeMap::new())), context),
            Err(error) => self.restart_or_end(error, context),
        }
    }

    fn restart_or_end(&mut self, error: Error, context: &mut Context<Self>) {
        let wait = if self.state.draining { None } else { self.restarts.next(&error) };
        let Some(wait) = wait else { return self.end(Err(error), context) };
        self.publisher.publish(Event::Restarting {
            attempt: self.restarts.count(),
            max: self.restarts.max(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            error: error.report(),
        });
        context.run_later(wait, |actor, context| {
            if actor.state.draining {
                actor.end(Ok((Outcome::Drained, BTreeMap::new())), context);
            } else if let Some(error) = actor.state.failed.take() {
                actor.end(Err(error), context);
            } else {
                actor.launch(context);
            }
        });
    }

    fn publish_destinations(&mut self, context: &mut Context<Self>) {
        let (committer, checkpoint) = (self.committer.clone(), self.ledger.checkpoint.clone());
        let address = context.address();
        self.runtime.spawn(async move {
            address.do_send(PublishDone(committer.finish(checkpoint).await));
        });
    }

    /// The last thing a run does: tells how it ended.
    fn end(&mut self, ended: Result<(Outcome, BTreeMap<String, String>)>, context: &mut Context<Self>) {
        let outcome = ended.as_ref().map_or(Outcome::Failed, |(outcome, _)| *outcome);
        let mut summary = self.meters.summary(outcome, self.restarts.count(), self.state.checkpoints);
        let locations = ended.as_ref().map(|(_, locations)| locations.clone()).unwrap_or_default();
        for (name, state) in &self.ledger.checkpoint.destinations {
            if let Some(component) = summary.component_mut(name) {
                component.rows_out = state.rows;
                component.bytes = state.bytes;
                component.rows_proved = state.proved.then_some(state.rows);
            }
        }
        for (name, location) in locations {
            if let Some(component) = summary.component_mut(&name) {
                component.location = Some(location);
            }
        }
        if let Some(ticker) = self.ticker.take() {
            ticker.finish();
        }
        let result = match ended {
            Ok(_) => {
                self.publisher.publish(Event::WorkflowFinished { summary: Box::new(summary.clone()) });
                Ok(summary)
            }
            Err(error) => {
                let failure = Box::new(Failure::from(&error));
                let summary = Some(Box::new(summary));
                let resumable = self.ledger.checkpoint.epoch > 0;
                self.publisher.publish(Event::WorkflowFailed { error: failure, resumable, summary });
                Err(error)
            }
        };
        self.committer.store.release();
        if let Some(answer) = self.answer.take() {
            // Nobody waits for the answer where the run was started and left alone.
            _ = answer.send(result);
        }
        context.stop();
    }
}

impl Handler<LaunchDone> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, LaunchDone(launched): LaunchDone, context: &mut Self::Context) {
        if let Some(error) = self.state.failed.take() {
            return self.end(Err(error), context);
        }
        let started = launched.and_then(|launched| self.launched(*launched, context));
        if let Err(error) = started {
            self.restart_or_end(error, context);
        }
    }
}

impl Handler<BetweenSplits> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, message: BetweenSplits, _: &mut Self::Context) {
        if let Some((split, rows)) = &message.finished {
            self.publisher.publish(Event::SplitFinished {
                component: self.committer.plan.sources[message.source.0].name.clone(),
                split: split.id.clone(),
                lane: message.source.1,
                rows: *rows,
            });
        }
        if let Some(attempt) = self.attempt(message.attempt) {
            let finished = message.finished.as_ref().map(|(split, _)| split);
            attempt.between_splits(message.source, finished, message.exhausted);
        }
    }
}

impl Handler<Passed> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, message: Passed, context: &mut Self::Context) {
        if let Some(attempt) = self.attempt(message.attempt) {
            let complete = attempt.epochs().passed(message.source, message.snapshot);
            self.complete(complete, context);
        }
    }
}

impl Handler<StagedEpoch> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, message: StagedEpoch, context: &mut Self::Context) {
        if let Some(attempt) = self.attempt(message.attempt) {
            let complete = attempt.epochs().staged(message.destination, message.report);
            self.complete(complete, context);
        }
    }
}

impl Handler<PumpEnded> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, message: PumpEnded, context: &mut Self::Context) {
        if let Some(attempt) = self.attempt(message.attempt) {
            attempt.pump_ended(message.result);
            self.settle(context);
        }
    }
}

impl Handler<CommitDone> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, message: CommitDone, context: &mut Self::Context) {
        self.state.committing = false;
        let done = message.result.and_then(|committed| self.committed(&committed));
        match (done, self.attempt(message.attempt)) {
            (Err(error), Some(attempt)) => attempt.fail(error),
            (Err(error), None) => {
                tracing::error!(error = error.report(), "commit of an attempt that is over failed")
            }
            (Ok(()), _) => self.commit(context),
        }
        self.settle(context);
    }
}

impl Handler<PublishDone> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, PublishDone(published): PublishDone, context: &mut Self::Context) {
        self.end(published.map(|locations| (Outcome::Completed, locations)), context);
    }
}

impl Handler<Drain> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, _: Drain, context: &mut Self::Context) {
        if std::mem::replace(&mut self.state.draining, true) {
            return;
        }
        self.publisher.publish(Event::Draining);
        if let Some(attempt) = &mut self.state.attempt {
            attempt.drain();
        }
        context.run_later(DRAIN_MAX, |actor, context| {
            let error = Error::transient(format!("did not stop within {} s", DRAIN_MAX.as_secs()));
            actor.abort(error.help("run it again: it goes on from its last checkpoint"), context);
        });
        self.settle(context);
    }
}

impl Handler<Abort> for WorkflowActor {
    type Result = ();

    fn handle(&mut self, Abort(error): Abort, context: &mut Self::Context) {
        self.abort(error, context);
    }
}

impl WorkflowActor {
    fn abort(&mut self, error: Error, context: &mut Context<Self>) {
        self.state.draining = true;
        match &mut self.state.attempt {
            Some(attempt) => attempt.fail(error),
            None => self.state.failed = Some(error),
        }
        self.settle(context);
    }
}
