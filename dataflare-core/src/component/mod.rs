//! What a component is: a row of a table, an options struct, and one of three roles.

mod destination;
mod options;
mod processor;
mod source;
mod table;

pub use destination::{Destination, Lane, Promise, Receipt, Run, StageContext, Staged, Staging, Writer};
pub use options::{Options, Problem, Segment};
pub use processor::{
    BatchStream, Input, Output, Planned, Port, Processor, ProcessorContext, Relation, Stage,
};
pub use source::{Position, Positions, Pushdown, Read, Reader, Records, Scan, Source, Split};
pub use table::{Build, Built, Component, Registry, Role, RoleEntry};
