//! The task in which a pump runs, owned by its actor.

use std::future::Future;

use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::message::PumpEnded;
use super::workflow::WorkflowActor;
use crate::Error;
use crate::pump::{PumpError, panic_text};

/// What every stage's actor knows of the run it is part of.
#[derive(Clone)]
pub(crate) struct Post {
    /// The component's name; of a chain, of all its members.
    pub component: String,
    /// The attempt it belongs to.
    pub attempt: u32,
    /// Where pumps run.
    pub runtime: Handle,
    /// Who hears how the pump ended.
    pub workflow: Addr<WorkflowActor>,
}

/// Starts a pump; when it has ended, however it did, the workflow hears of it and the actor stops.
pub(crate) fn start<A>(
    post: &Post,
    pump: impl Future<Output = Result<(), PumpError>> + Send + 'static,
    context: &mut Context<A>,
) -> AbortHandle
where
    A: Actor<Context = Context<A>>,
{
    let task = post.runtime.spawn(pump);
    let abort = task.abort_handle();
    let Post { component, attempt, workflow, .. } = post.clone();
    let ended = wrap_future::<_, A>(task).map(move |joined, _, context: &mut Context<A>| {
        let result = joined.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(payload) => {
                let text = format!("{component} panicked: {}", panic_text(&*payload));
                Err(PumpError::Failed(Error::panic(text).in_component(component)))
            }
            Err(_) => Err(PumpError::Cut),
        });
        workflow.do_send(PumpEnded { attempt, result });
        context.stop();
    });
    context.spawn(ended);
    abort
}
