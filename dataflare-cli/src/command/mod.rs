//! One file a command.

pub(crate) mod completions;
pub(crate) mod components;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod preview;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod state;
pub(crate) mod validate;
