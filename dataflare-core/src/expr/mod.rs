//! SQL expressions and statements on batches: DataFusion behind one door.
//!
//! Nothing outside this module names DataFusion. Expressions are planned once and evaluated batch by
//! batch; statements that need whole streams run as a DataFusion plan with bounded memory.

mod error;
mod expression;
mod rows;
mod session;
mod spool;
mod statement;

pub use error::ExprError;
pub use expression::{Expression, parse_type};
pub use rows::{RowFailure, evaluate_rows, row_json};
pub use statement::{Statement, StatementStream};
