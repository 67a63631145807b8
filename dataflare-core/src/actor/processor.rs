//! One lane of a chain of processors, or a processor that gathers all lanes.

use actix::{Actor, Context, Handler};
use futures::future::Either;
use tokio::task::AbortHandle;

use super::message::Stop;
use super::pump_task::{self, Post};
use super::wiring::StagePump;

/// Owns the pump of one stage in one lane.
pub(crate) struct ProcessorActor {
    post: Post,
    pump: Option<StagePump>,
    task: Option<AbortHandle>,
}

impl ProcessorActor {
    pub(crate) fn new(post: Post, pump: StagePump) -> Self {
        Self { post, pump: Some(pump), task: None }
    }
}

impl Actor for ProcessorActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if let Some(pump) = self.pump.take() {
            let run = match pump {
                StagePump::Chain(pump) => Either::Left(pump.run()),
                StagePump::Relation(pump) => Either::Right(pump.run()),
            };
            self.task = Some(pump_task::start(&self.post, run, context));
        }
    }
}

impl Handler<Stop> for ProcessorActor {
    type Result = ();

    fn handle(&mut self, _: Stop, _: &mut Self::Context) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
