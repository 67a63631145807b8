//! Checkpoints in a local folder: temporary name, fsync, rename, fsync of the folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result, fault};

/// A folder that this process alone writes.
pub(super) struct Local {
    folder: PathBuf,
    /// Held for as long as the store is; the system lets it go when the process ends, however it ends.
    lock: File,
}

impl Local {
    /// Makes the folder, and locks it.
    pub(super) fn open(folder: PathBuf, workflow: &str) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|cause| failed("cannot make", &folder, cause))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|cause| failed("cannot open", &path, cause))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder, lock }),
            Err(TryLockError::WouldBlock) => {
                let message = format!("workflow `{workflow}` is being run by another process");
                let help = format!("wait for it, or end it; both would write {}", folder.display());
                Err(Error::config(message).help(help))
            }
            Err(TryLockError::Error(cause)) => Err(failed("cannot lock", &path, cause)),
        }
    }

    /// Lets other processes in.
    pub(super) fn release(&self) {
        // The lock goes with the process at the latest.
        _ = self.lock.unlock();
    }

    /// The names in the folder.
    pub(super) fn list(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|cause| failed("cannot list", &self.folder, cause))?;
        Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    pub(super) fn get(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        fs::read(&path).map_err(|cause| failed("cannot read", &path, cause))
    }

    /// Writes a file that is either whole or not there. What could not be synced is given up, never
    /// tried again as if it were clean: after a failed fsync nobody knows what is on the disk.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (temporary, path) = (self.folder.join(format!("{name}.tmp")), self.folder.join(name));
        fault::point("checkpoint.before_write")?;
        let written = write(&temporary, bytes).map_err(|cause| failed("cannot write", &temporary, cause));
        let renamed = written.and_then(|()| {
            fault::point("checkpoint.before_rename")?;
            fs::rename(&temporary, &path).map_err(|cause| failed("cannot rename to", &path, cause))?;
            fault::point("checkpoint.after_rename")?;
            sync_folder(&self.folder).map_err(|cause| failed("cannot sync", &self.folder, cause))
        });
        if renamed.is_err() {
            // It is under a name that nobody reads; that it is still there does no harm.
            _ = fs::remove_file(&temporary);
        }
        renamed
    }

    pub(super) fn delete(&self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(failed("cannot remove", &path, cause))
            }
            _ => Ok(()),
        }
    }

    /// The folder, for people.
    pub(super) fn place(&self) -> String {
        self.folder.display().to_string()
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A full disk or a lost mount may be mended while the run waits for its next try.
fn failed(what: &str, path: &Path, cause: io::Error) -> Error {
    let message = format!("{what} {}", path.display());
    let error = match cause.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::ReadOnlyFilesystem => {
            Error::config(message).help("set `settings.checkpoint.store` to a folder that can be written")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::transient(message).help("free some space; the run goes on from its last checkpoint")
        }
        _ => Error::transient(message),
    };
    error.caused_by(cause)
}
