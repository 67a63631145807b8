//! What a run tells about itself, and who hears it.
//!
//! Events are small copies of what happened: they never carry records, and nobody who listens stands in
//! the way of one. A [`Publisher`] hands each event to the [`EventBus`], which puts it into the bounded
//! mailbox of every watcher that asked for it: a function callback, an async stream, a [`Webhook`].
//! Publishing never waits and never fails; a watcher that falls behind loses progress ticks first, then
//! details, and never how the run itself fares (see [`Weight`]).
//!
//! This module neither prints nor decides: what a person sees is the CLI's work, what becomes of a
//! failure is the workflow actor's.

mod bus;
mod callback;
mod catalogue;
mod envelope;
mod failure;
mod interest;
mod mailbox;
mod memory;
mod meter;
mod ndjson;
mod progress;
mod stream;
mod summary;
mod ticker;
mod webhook;

pub use bus::{EventBus, Publisher};
pub use callback::Subscription;
pub use catalogue::{ComponentInfo, Event, Weight};
pub use envelope::Envelope;
pub use failure::Failure;
pub use interest::Interest;
pub use mailbox::Lost;
pub use memory::Memory;
pub use meter::{Meter, Meters};
pub use ndjson::ndjson_writer;
pub use progress::{ComponentProgress, Progress};
pub use stream::EventStream;
pub use summary::{ComponentSummary, Outcome, Summary};
pub use ticker::{TICK_MIN, Ticker};
pub use webhook::{Delivered, Deliveries, Webhook};
