//! The `dataflare` command.

#[expect(dead_code, reason = "no command runs a workflow yet")]
mod progress;

fn main() {}
