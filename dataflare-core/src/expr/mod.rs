//! SQL expressions and statements on batches: DataFusion behind one door.

mod expression;

pub use expression::{ExprError, Expression};
