//! Files in two phases, for every destination that writes files to a local folder.
//!
//! While a run lasts its files are under `<path>/tmp_<run>/`, each under a temporary name until it is
//! committed. A run that writes one file a split publishes them together: the folder is renamed once, to
//! `<path>/<run>/`. A run that rolls moves each committed file to `<path>/` at once.

mod folder;
mod roll;
mod writer;

use std::path::PathBuf;

use dataflare_core::Result;
use dataflare_core::component::Run;
use serde::{Deserialize, Serialize};

pub(crate) use folder::Folder;
pub(crate) use roll::{Roll, RollLimits};
pub(crate) use writer::{Encode, Encoder, Partition, StagedWriter};

/// One staged file; a staged value is a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagedFile {
    /// Its path below the run's folder, without `.tmp`.
    pub name: String,
    /// Rows in it.
    pub rows: u64,
}

/// The ending of files that are not committed.
pub(crate) const TEMPORARY: &str = ".tmp";

/// Counts the rows of a finished file by reading it back.
pub(crate) type CountRows = fn(&std::path::Path) -> Result<u64>;

/// The folder in which a run's files are until they are published.
pub(crate) fn run_folder(path: &std::path::Path, run: &Run) -> PathBuf {
    path.join(format!("tmp_{}", run.id))
}
