//! The `dataflare` command.

#[expect(dead_code, unused_imports, reason = "no command runs a workflow yet")]
mod progress;

fn main() {}
