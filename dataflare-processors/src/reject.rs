//! Rows that an expression failed on, as rejects; and problems of expressions.

use arrow::record_batch::RecordBatch;
use dataflare_core::batch::Reject;
use dataflare_core::component::{Problem, Segment};
use dataflare_core::expr::{ExprError, RowFailure, row_json};

/// The failed rows of `records` as rejects.
pub(crate) fn rejects(records: &RecordBatch, failures: Vec<RowFailure>) -> Vec<Reject> {
    let reject = |failure: RowFailure| Reject {
        raw: row_json(records, failure.row),
        error: failure.error,
        position: String::new(),
    };
    failures.into_iter().map(reject).collect()
}

/// An expression's mistake as a problem of the option at `path`.
pub(crate) fn problem(path: Vec<Segment>, error: ExprError) -> Problem {
    Problem { path, message: error.message, help: error.help, range: error.range }
}

/// A key on the way to an option.
pub(crate) fn key(name: &str) -> Segment {
    Segment::Key(name.to_owned())
}
