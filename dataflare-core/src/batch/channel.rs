//! The edge between two pumps: a channel bounded in items and in bytes.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Flow;

/// The unit in which bytes are counted, so that a semaphore's permits suffice for any bound.
const PERMIT_BYTES: usize = 1024;

/// The bounds of one edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeLimits {
    /// Items in flight, barriers included.
    pub items: usize,
    /// Bytes of batches in flight. A batch larger than this passes alone.
    pub bytes: usize,
}

/// The sending end.
#[derive(Debug, Clone)]
pub struct FlowSender {
    items: mpsc::Sender<InFlight>,
    room: Arc<Semaphore>,
    permits: u32,
}

/// The receiving end.
#[derive(Debug)]
pub struct FlowReceiver {
    items: mpsc::Receiver<InFlight>,
}

/// An item and the room it takes, given back when the receiver has dropped it.
#[derive(Debug)]
pub struct InFlight {
    /// The item.
    pub flow: Flow,
    _room: Option<OwnedSemaphorePermit>,
}

/// The other end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel's other end is gone")]
pub struct Closed;

/// An edge with these bounds.
pub fn edge(limits: EdgeLimits) -> (FlowSender, FlowReceiver) {
    let (sender, receiver) = mpsc::channel(limits.items.max(1));
    let permits = u32::try_from(limits.bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX).max(1);
    let permits = permits.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
    let room = Arc::new(Semaphore::new(permits as usize));
    (FlowSender { items: sender, room, permits }, FlowReceiver { items: receiver })
}

impl FlowSender {
    /// Sends `flow`, waiting for room.
    pub async fn send(&self, flow: Flow) -> Result<(), Closed> {
        let room = match &flow {
            Flow::Batch(batch) => {
                let wanted = batch.get_array_memory_size().div_ceil(PERMIT_BYTES);
                let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1, self.permits);
                tokio::select! {
                    permit = Arc::clone(&self.room).acquire_many_owned(wanted) => Some(permit.map_err(|_| Closed)?),
                    () = self.items.closed() => return Err(Closed),
                }
            }
            Flow::Barrier(_) | Flow::End(_) => None,
        };
        self.items.send(InFlight { flow, _room: room }).await.map_err(|_| Closed)
    }
}

impl FlowReceiver {
    /// As [`FlowReceiver::receive`], for who polls several edges.
    pub fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Option<InFlight>> {
        self.items.poll_recv(context)
    }

    /// The next item; `None` once the sender is gone.
    pub async fn receive(&mut self) -> Option<InFlight> {
        self.items.recv().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BinaryArray, RecordBatch};
    use futures::FutureExt;

    use super::*;
    use crate::batch::Barrier;

    fn batch(bytes: usize) -> Flow {
        let column: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&vec![0_u8; bytes]]));
        Flow::Batch(RecordBatch::try_from_iter([("b", column)]).unwrap())
    }

    #[tokio::test]
    async fn bytes_bound_the_edge_until_the_receiver_drops_what_it_took() {
        let (sender, mut receiver) = edge(EdgeLimits { items: 8, bytes: 100_000 });
        sender.send(batch(60_000)).await.unwrap();
        let mut second = Box::pin(sender.send(batch(60_000)));
        assert!(second.as_mut().now_or_never().is_none(), "no room for a second batch");
        let taken = receiver.receive().await.unwrap();
        assert!(second.as_mut().now_or_never().is_none(), "the first batch is still held");
        drop(taken);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn a_batch_larger_than_the_bound_passes_alone() {
        let (sender, mut receiver) = edge(EdgeLimits { items: 8, bytes: 1024 });
        sender.send(batch(1 << 20)).await.unwrap();
        assert!(matches!(receiver.receive().await.unwrap().flow, Flow::Batch(_)));
    }

    #[tokio::test]
    async fn a_dropped_receiver_wakes_a_waiting_sender() {
        let (sender, receiver) = edge(EdgeLimits { items: 1, bytes: 1024 });
        sender.send(Flow::Barrier(Barrier { epoch: 1, split: None })).await.unwrap();
        let blocked = sender.send(Flow::End(Barrier { epoch: 2, split: None }));
        drop(receiver);
        assert_eq!(blocked.await, Err(Closed));
    }
}
