//! `dataflare init`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::setup::print;

/// Makes a project folder with a workflow that runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  dataflare init my-project
  cd my-project && dataflare run workflow.yaml")]
pub(crate) struct Args {
    /// The folder; it must not be there, or be empty.
    folder: PathBuf,
}

const FILES: [(&str, &str); 4] = [
    ("workflow.yaml", include_str!("init/workflow.yaml")),
    ("data/orders.ndjson", include_str!("init/orders.ndjson")),
    ("README.md", include_str!("init/README.md")),
    (".gitignore", "/out\n/.dataflare\n"),
];

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let folder = &args.folder;
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        bail!("{} is there already, and not empty", folder.display());
    }
    for (name, text) in FILES {
        write(&folder.join(name), text)?;
    }
    print(&format!("made {0}; try it:\n  cd {0}\n  dataflare run workflow.yaml\n", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
