//! A pump's inputs: taken from fairly, with barriers aligned.

use std::future::poll_fn;
use std::task::{Context, Poll};

use super::PumpError;
use crate::Error;
use crate::batch::{Barrier, Flow, FlowReceiver, InFlight};

/// Several edges read as one.
#[derive(Debug)]
pub struct Inlets {
    inlets: Vec<Inlet>,
    next: usize,
}

#[derive(Debug)]
struct Inlet {
    input: usize,
    receiver: FlowReceiver,
    stopped_at: Option<Stop>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stop {
    Barrier(Barrier),
    End(Barrier),
}

/// What [`Inlets::next`] gives.
#[derive(Debug)]
pub enum Item {
    /// A batch of input number `0`; the edge's room is held until it is dropped.
    Batch(usize, InFlight),
    /// The barrier has come on all edges.
    Barrier(Barrier),
    /// The end has come on all edges.
    End(Barrier),
}

impl Inlets {
    /// Edges with the number of the input each belongs to.
    pub fn new(receivers: Vec<(usize, FlowReceiver)>) -> Self {
        let inlets = receivers.into_iter();
        let inlets = inlets.map(|(input, receiver)| Inlet { input, receiver, stopped_at: None }).collect();
        Self { inlets, next: 0 }
    }

    /// The edges themselves, for who reads each as a stream of its own.
    pub fn into_receivers(self) -> Vec<(usize, FlowReceiver)> {
        self.inlets.into_iter().map(|inlet| (inlet.input, inlet.receiver)).collect()
    }

    /// The next batch of any edge that is not waiting at a barrier, or the barrier when all wait.
    pub async fn next(&mut self) -> Result<Item, PumpError> {
        loop {
            if let Some(item) = self.aligned()? {
                return Ok(item);
            }
            let (index, arrived) = poll_fn(|context| self.poll_any(context)).await;
            let inlet = &mut self.inlets[index];
            let in_flight = arrived.ok_or(PumpError::Cut)?;
            match &in_flight.flow {
                Flow::Batch(_) => return Ok(Item::Batch(inlet.input, in_flight)),
                Flow::Barrier(barrier) => inlet.stopped_at = Some(Stop::Barrier(barrier.clone())),
                Flow::End(barrier) => inlet.stopped_at = Some(Stop::End(barrier.clone())),
            }
        }
    }

    fn poll_any(&mut self, context: &mut Context<'_>) -> Poll<(usize, Option<InFlight>)> {
        let count = self.inlets.len();
        for offset in 0..count {
            let index = (self.next + offset) % count;
            let inlet = &mut self.inlets[index];
            if inlet.stopped_at.is_some() {
                continue;
            }
            if let Poll::Ready(item) = inlet.receiver.poll_receive(context) {
                self.next = index + 1;
                return Poll::Ready((index, item));
            }
        }
        Poll::Pending
    }

    /// The stop that all edges have reached; `None` while one has not.
    fn aligned(&mut self) -> Result<Option<Item>, PumpError> {
        let Some(first) = self.inlets[0].stopped_at.clone() else { return Ok(None) };
        if self.inlets.iter().any(|inlet| inlet.stopped_at.is_none()) {
            return Ok(None);
        }
        if self.inlets.iter().any(|inlet| inlet.stopped_at.as_ref() != Some(&first)) {
            return Err(Error::permanent("the barriers of one epoch do not match on all inputs").into());
        }
        Ok(Some(match first {
            Stop::Barrier(barrier) => {
                self.inlets.iter_mut().for_each(|inlet| inlet.stopped_at = None);
                Item::Barrier(barrier)
            }
            Stop::End(barrier) => Item::End(barrier),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};

    use super::*;
    use crate::batch::{EdgeLimits, edge};

    fn batch(value: i64) -> Flow {
        Flow::Batch(
            RecordBatch::try_from_iter([("v", Arc::new(Int64Array::from(vec![value])) as _)]).unwrap(),
        )
    }

    fn barrier(epoch: u64) -> Barrier {
        Barrier { epoch, split: None }
    }

    const LIMITS: EdgeLimits = EdgeLimits { items: 8, bytes: 1 << 20 };

    #[tokio::test]
    async fn an_edge_at_its_barrier_waits_for_the_others() {
        let (a, a_receiver) = edge(LIMITS);
        let (b, b_receiver) = edge(LIMITS);
        let mut inlets = Inlets::new(vec![(0, a_receiver), (1, b_receiver)]);
        a.send(Flow::Barrier(barrier(1))).await.unwrap();
        a.send(batch(2)).await.unwrap();
        b.send(batch(1)).await.unwrap();
        b.send(Flow::Barrier(barrier(1))).await.unwrap();
        assert!(matches!(inlets.next().await.unwrap(), Item::Batch(1, _)));
        assert!(matches!(inlets.next().await.unwrap(), Item::Barrier(Barrier { epoch: 1, .. })));
        assert!(matches!(inlets.next().await.unwrap(), Item::Batch(0, _)));
    }

    #[tokio::test]
    async fn a_closed_edge_without_an_end_is_a_cut() {
        let (a, a_receiver) = edge(LIMITS);
        let (b, b_receiver) = edge(LIMITS);
        let mut inlets = Inlets::new(vec![(0, a_receiver), (0, b_receiver)]);
        a.send(Flow::End(barrier(1))).await.unwrap();
        drop(b);
        assert!(matches!(inlets.next().await, Err(PumpError::Cut)));
    }

    #[tokio::test]
    async fn the_end_comes_when_it_has_come_on_all_edges() {
        let (a, a_receiver) = edge(LIMITS);
        let (b, b_receiver) = edge(LIMITS);
        let mut inlets = Inlets::new(vec![(0, a_receiver), (0, b_receiver)]);
        a.send(Flow::End(barrier(3))).await.unwrap();
        b.send(batch(1)).await.unwrap();
        b.send(Flow::End(barrier(3))).await.unwrap();
        assert!(matches!(inlets.next().await.unwrap(), Item::Batch(0, _)));
        assert!(matches!(inlets.next().await.unwrap(), Item::End(Barrier { epoch: 3, .. })));
    }
}
