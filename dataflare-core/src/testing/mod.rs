//! What tests of the engine and of components share. Public: connectors' tests use it too.

pub mod memory;
