//! A destination's folder: prepared, committed to, cleaned up, published.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use dataflare_core::component::{Receipt, Run, Staged};
use dataflare_core::{Error, Result, fault};
use walkdir::WalkDir;

use super::writer::temporary;
use super::{CountRows, Encode, StagedFile, TEMPORARY, run_folder};

/// The folder that a destination writes to.
pub(crate) struct Folder {
    /// Its path.
    pub path: PathBuf,
    /// Whether committed files become visible one by one.
    pub rolling: bool,
    /// Reads a finished file back.
    pub count: CountRows,
}

impl Folder {
    /// Looks whether the folder can be made and written.
    pub(crate) fn check(&self) -> Result<()> {
        fs::create_dir_all(&self.path).map_err(|cause| failed("cannot make", &self.path, cause))?;
        let probe = self.path.join(format!(".dataflare-check-{}", std::process::id()));
        File::create(&probe).map_err(|cause| failed("cannot write", &probe, cause))?;
        fs::remove_file(&probe).map_err(|cause| failed("cannot remove", &probe, cause))
    }

    /// Leaves one file without rows where the run wrote none, so that its columns can be seen.
    pub(crate) fn leave_schema(
        &self,
        run: &Run,
        encode: &dyn Encode,
        schema: Option<SchemaRef>,
    ) -> Result<()> {
        let folder = run_folder(&self.path, run);
        let Some(schema) = schema.filter(|_| !self.rolling && folder.is_dir()) else { return Ok(()) };
        let files = WalkDir::new(&folder).into_iter().filter_map(std::result::Result::ok);
        if files.into_iter().any(|entry| entry.file_type().is_file()) {
            return Ok(());
        }
        let name = format!("part-empty{}", encode.extension());
        let path = temporary(&folder, &name);
        let file = File::create(&path).map_err(|cause| failed("cannot make", &path, cause))?;
        let file = encode.begin(file, &schema)?.finish()?;
        file.sync_all().map_err(|cause| failed("cannot sync", &path, cause))?;
        let target = folder.join(name);
        fs::rename(&path, &target).map_err(|cause| failed("cannot rename to", &target, cause))
    }

    /// Makes the run's folder.
    pub(crate) fn prepare(&self, run: &Run) -> Result<()> {
        if self.published(run).is_dir() {
            return Ok(());
        }
        let folder = run_folder(&self.path, run);
        fs::create_dir_all(&folder).map_err(|cause| failed("cannot make", &folder, cause))
    }

    /// Gives staged files their names, and counts the rows in them. Files that a crashed run has named
    /// already are counted all the same.
    pub(crate) fn commit(&self, run: &Run, staged: &[Staged]) -> Result<Receipt> {
        let (mut rows, mut bytes) = (0, 0);
        let from = run_folder(&self.path, run);
        let to = self.visible(run);
        for staged in staged {
            let files: Vec<StagedFile> = serde_json::from_value(staged.value.clone())
                .map_err(|cause| Error::permanent("a checkpoint names no files").caused_by(cause))?;
            for file in files {
                let path = self.publish_file(&from, &to, &file.name)?;
                rows += (self.count)(&path)?;
                bytes += fs::metadata(&path).map_err(|cause| failed("cannot read", &path, cause))?.len();
            }
        }
        Ok(Receipt { rows: Some(rows), bytes: Some(bytes) })
    }

    fn publish_file(&self, from: &Path, to: &Path, name: &str) -> Result<PathBuf> {
        let (source, target) = (temporary(from, name), to.join(name));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(|cause| failed("cannot make", parent, cause))?;
        }
        fault::point("staging.before_rename")?;
        match fs::rename(&source, &target) {
            Ok(()) => {}
            // A crashed run has done it already.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && target.is_file() => {}
            Err(cause) => return Err(failed("cannot rename to", &target, cause)),
        }
        fault::point("staging.after_rename")?;
        if let Some(parent) = target.parent() {
            sync_folder(parent)?;
        }
        Ok(target)
    }

    /// Removes what this run has written and not committed.
    pub(crate) fn abort(&self, run: &Run) -> Result<()> {
        let folder = run_folder(&self.path, run);
        for entry in WalkDir::new(&folder).into_iter().filter_map(std::result::Result::ok) {
            if entry.file_type().is_file() && entry.file_name().to_string_lossy().ends_with(TEMPORARY) {
                fs::remove_file(entry.path())
                    .map_err(|cause| failed("cannot remove", entry.path(), cause))?;
            }
        }
        Ok(())
    }

    /// Shows the run's files under their final names, all at once unless they roll.
    pub(crate) fn finish(&self, run: &Run) -> Result<PathBuf> {
        let (folder, target) = (run_folder(&self.path, run), self.visible_after(run));
        fault::point("staging.before_publish")?;
        if self.rolling {
            remove_empty(&folder)?;
        } else if folder.is_dir() && !target.exists() {
            fs::rename(&folder, &target).map_err(|cause| failed("cannot rename to", &target, cause))?;
        }
        sync_folder(&self.path)?;
        fault::point("staging.after_publish")?;
        Ok(target)
    }

    /// Where committed files are while the run lasts.
    fn visible(&self, run: &Run) -> PathBuf {
        if self.rolling {
            self.path.clone()
        } else if self.published(run).is_dir() {
            self.published(run)
        } else {
            run_folder(&self.path, run)
        }
    }

    fn visible_after(&self, run: &Run) -> PathBuf {
        if self.rolling { self.path.clone() } else { self.published(run) }
    }

    fn published(&self, run: &Run) -> PathBuf {
        self.path.join(&run.id)
    }
}

fn remove_empty(folder: &Path) -> Result<()> {
    for entry in WalkDir::new(folder).contents_first(true).into_iter().filter_map(std::result::Result::ok) {
        if entry.file_type().is_dir() {
            fs::remove_dir(entry.path()).map_err(|cause| failed("cannot remove", entry.path(), cause))?;
        }
    }
    Ok(())
}

/// Makes renames in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|cause| failed("cannot sync", folder, cause))
}

/// What a file operation's failure means for the run.
pub(crate) fn failed(what: &str, path: &Path, cause: io::Error) -> Error {
    let message = format!("{what} {}", path.display());
    let error = match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::NotADirectory => {
            Error::config(message).help("set `path` to a folder that can be written")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::permanent(message)
            .help("free some space and run it again: it goes on from its last checkpoint, and nothing half-written is visible"),
        _ => Error::permanent(message),
    };
    error.caused_by(cause)
}
