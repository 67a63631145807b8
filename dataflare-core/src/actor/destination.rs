//! One lane of a destination.

use actix::{Actor, Context, Handler};
use tokio::task::AbortHandle;

use super::message::Stop;
use super::pump_task::{self, Post};
use crate::pump::DestinationPump;

/// Owns the pump of one destination in one lane. What the pump stages goes straight to the workflow, so
/// that nothing overtakes it.
pub(crate) struct DestinationActor {
    post: Post,
    pump: Option<DestinationPump>,
    task: Option<AbortHandle>,
}

impl DestinationActor {
    pub(crate) fn new(post: Post, pump: DestinationPump) -> Self {
        Self { post, pump: Some(pump), task: None }
    }
}

impl Actor for DestinationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if let Some(pump) = self.pump.take() {
            self.task = Some(pump_task::start(&self.post, pump.run(), context));
        }
    }
}

impl Handler<Stop> for DestinationActor {
    type Result = ();

    fn handle(&mut self, _: Stop, _: &mut Self::Context) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
