//! One lane of a source: decides which split comes next.

use std::sync::{Arc, Mutex, PoisonError};

use actix::{Actor, Addr, Context, Handler};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::message::{BetweenSplits, Checkpoint, Finish, Passed, Proceed, Stop};
use super::pump_task::{self, Post};
use super::regions::Instance;
use super::splits::SplitQueue;
use crate::component::{Position, Split};
use crate::pump::{Reporter, SourceCommand, SourcePump, SourceReport};

/// Commands that can wait for a pump: a split, a barrier and the end, with room to spare.
pub(crate) const COMMANDS: usize = 8;

/// Owns the pump of one source in one lane.
pub(crate) struct SourceActor {
    post: Post,
    instance: Instance,
    splits: Arc<Mutex<SplitQueue>>,
    next: Option<(Split, Option<Position>)>,
    commands: mpsc::Sender<SourceCommand>,
    pump: Option<SourcePump>,
    task: Option<AbortHandle>,
}

/// From the pump: it has nothing to read; this split has just ended, with so many rows.
#[derive(actix::Message)]
#[rtype(result = "()")]
pub(crate) struct Ready(pub Option<(Split, u64)>);

/// Passes on what the pump reports: barriers straight to the workflow, the rest to the lane's actor.
pub(crate) fn reporter(lane: Addr<SourceActor>, post: &Post, source: Instance) -> Reporter<SourceReport> {
    let (workflow, attempt) = (post.workflow.clone(), post.attempt);
    Box::new(move |report| match report {
        SourceReport::Ready { finished } => lane.do_send(Ready(finished)),
        SourceReport::Passed { snapshot } => workflow.do_send(Passed { attempt, source, snapshot }),
    })
}

impl SourceActor {
    pub(crate) fn new(
        post: Post,
        instance: Instance,
        splits: Arc<Mutex<SplitQueue>>,
        commands: mpsc::Sender<SourceCommand>,
        pump: SourcePump,
    ) -> Self {
        Self { post, instance, splits, next: None, commands, pump: Some(pump), task: None }
    }

    fn command(&self, command: SourceCommand) {
        // A pump that is gone has reported its end already; one that is full breaks the protocol.
        if let Err(mpsc::error::TrySendError::Full(command)) = self.commands.try_send(command) {
            tracing::error!(component = self.post.component, ?command, "source pump takes no commands");
            self.stop();
        }
    }

    fn stop(&self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Actor for SourceActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if let Some(pump) = self.pump.take() {
            self.task = Some(pump_task::start(&self.post, pump.run(), context));
        }
    }
}

impl Handler<Ready> for SourceActor {
    type Result = ();

    fn handle(&mut self, Ready(finished): Ready, _: &mut Self::Context) {
        self.next = self.splits.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (attempt, source, exhausted) = (self.post.attempt, self.instance, self.next.is_none());
        self.post.workflow.do_send(BetweenSplits { attempt, source, finished, exhausted });
    }
}

impl Handler<Proceed> for SourceActor {
    type Result = ();

    fn handle(&mut self, Proceed { barrier }: Proceed, _: &mut Self::Context) {
        if let Some(barrier) = barrier {
            self.command(SourceCommand::Barrier(barrier));
        }
        if let Some((split, from)) = self.next.take() {
            self.command(SourceCommand::Open { split, from });
        }
    }
}

impl Handler<Checkpoint> for SourceActor {
    type Result = ();

    fn handle(&mut self, Checkpoint(barrier): Checkpoint, _: &mut Self::Context) {
        self.command(SourceCommand::Barrier(barrier));
    }
}

impl Handler<Finish> for SourceActor {
    type Result = ();

    fn handle(&mut self, Finish(barrier): Finish, _: &mut Self::Context) {
        self.command(SourceCommand::End(barrier));
    }
}

impl Handler<Stop> for SourceActor {
    type Result = ();

    fn handle(&mut self, _: Stop, _: &mut Self::Context) {
        self.stop();
    }
}
