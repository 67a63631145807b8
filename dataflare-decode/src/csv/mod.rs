//! CSV: borders found 64 bytes at a time, then column by column into Arrow.
//!
//! Order of calls on a file: [`header`] or [`infer`] on its start -> [`data_start`] -> [`Decoder::decode`]
//! on what follows, in buffers that end where [`complete`] says. A file is read in parts from the
//! borders that [`Borders`] or [`border_after`] find.
//!
//! A record is at most 2 GiB long. There is no guessing: a quote opens a field only as its first byte,
//! text behind a closing quote is an error, and so is a record with too many or too few fields.

mod border;
mod cell;
mod column;
mod decoder;
mod dialect;
mod fault;
mod header;
mod index;
mod infer;
mod lanes;
mod parse;
mod scan;

pub use border::{Borders, border_after, complete};
pub use decoder::Decoder;
pub use dialect::Dialect;
pub use header::{data_start, header};
pub use infer::infer;
