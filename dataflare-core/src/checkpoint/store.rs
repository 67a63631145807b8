//! Where a workflow's checkpoints are kept: numbered manifests, the newest of which counts.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use super::envelope::{seal, unseal};
use super::local::Local;
use super::remote::Remote;
use super::{Checkpoint, Phase};
use crate::{Error, Result};

/// Manifests that are kept beside the newest, for people: only the newest is ever read.
const KEPT: usize = 1;

/// The checkpoints of one workflow. Open it once: it is locked against other processes.
pub struct Store {
    place: Place,
    workflow: String,
    last: AtomicU64,
}

enum Place {
    Local(Local),
    Remote(Remote),
}

impl Store {
    /// Opens the checkpoints of `workflow` in a local folder, or under an object store's URL.
    pub async fn open(location: &str, workflow: &str) -> Result<Self> {
        let place = if location.contains("://") {
            Place::Remote(Remote::open(location, workflow)?)
        } else {
            Place::Local(Local::open(Path::new(location).join(workflow), workflow)?)
        };
        Ok(Self { place, workflow: workflow.to_owned(), last: AtomicU64::new(0) })
    }

    /// The newest checkpoint; `None` before the first. A damaged one is an error: what it staged may
    /// have been committed, and an older one would write that again.
    pub async fn load(&self) -> Result<Option<Checkpoint>> {
        let Some(number) = self.numbers().await?.pop() else { return Ok(None) };
        self.last.fetch_max(number, SeqCst);
        let name = name(number);
        let bytes = match &self.place {
            Place::Local(local) => local.get(&name)?,
            Place::Remote(remote) => remote.get(&name).await?,
        };
        unseal(&bytes, &format!("{}/{name}", self.place()), &self.workflow).map(Some)
    }

    /// Makes `checkpoint` the newest, durably and at once.
    pub async fn save(&self, checkpoint: &Checkpoint) -> Result<()> {
        let bytes = seal(checkpoint)?;
        // A number whose write failed is not used again: it may have been written after all.
        let number = self.last.fetch_add(1, SeqCst) + 1;
        match &self.place {
            Place::Local(local) => local.put(&name(number), &bytes)?,
            Place::Remote(remote) => remote.put(&name(number), bytes).await?,
        }
        self.prune(number).await
    }

    /// Removes all checkpoints. Fails while a run is unfinished, unless `unfinished` says not to mind.
    pub async fn reset(&self, unfinished: bool) -> Result<()> {
        let damaged_too = if unfinished { None } else { self.load().await? };
        if let Some(known) = damaged_too.filter(|known| known.phase != Phase::Finished) {
            let message = format!("run {} of `{}` is unfinished", known.run.id, self.workflow);
            return Err(
                Error::config(message).help("resume it with `dataflare run`, or say `--force` to give it up")
            );
        }
        for number in self.numbers().await? {
            self.delete(number).await?;
        }
        Ok(())
    }

    /// Lets other processes open the store; nothing may be saved after that.
    pub fn release(&self) {
        if let Place::Local(local) = &self.place {
            local.release();
        }
    }

    /// Where the checkpoints are, for people.
    pub fn place(&self) -> String {
        match &self.place {
            Place::Local(local) => local.place(),
            Place::Remote(remote) => remote.place(),
        }
    }

    async fn prune(&self, newest: u64) -> Result<()> {
        let mut numbers = self.numbers().await?;
        numbers.retain(|number| *number < newest);
        let old = numbers.len().saturating_sub(KEPT);
        for number in numbers.into_iter().take(old) {
            self.delete(number).await?;
        }
        Ok(())
    }

    async fn delete(&self, number: u64) -> Result<()> {
        match &self.place {
            Place::Local(local) => local.delete(&name(number)),
            Place::Remote(remote) => remote.delete(&name(number)).await,
        }
    }

    /// The numbers of all manifests, oldest first.
    async fn numbers(&self) -> Result<Vec<u64>> {
        let names = match &self.place {
            Place::Local(local) => local.list()?,
            Place::Remote(remote) => remote.list().await?,
        };
        let number = |name: &String| name.strip_prefix("checkpoint-")?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn name(number: u64) -> String {
    format!("checkpoint-{number:010}.json")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::component::Run;

    fn checkpoint(epoch: u64) -> Checkpoint {
        let run = Run { workflow: "orders".into(), id: "2026-01-31_23-59-59.123Z".into() };
        Checkpoint { epoch, ..Checkpoint::new(run, "a -> b".into()) }
    }

    async fn store(folder: &Path) -> Store {
        Store::open(folder.to_str().unwrap(), "orders").await.unwrap()
    }

    #[tokio::test]
    async fn the_newest_checkpoint_is_the_one_that_counts() {
        let folder = tempfile::tempdir().unwrap();
        let first = store(folder.path()).await;
        assert_eq!(first.load().await.unwrap(), None);
        for epoch in 1..=5 {
            first.save(&checkpoint(epoch)).await.unwrap();
        }
        drop(first);
        let second = store(folder.path()).await;
        assert_eq!(second.load().await.unwrap(), Some(checkpoint(5)));
        assert_eq!(fs::read_dir(folder.path().join("orders")).unwrap().count(), KEPT + 2, "and the lock");
    }

    #[tokio::test]
    async fn a_second_process_is_refused_while_the_first_holds_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let first = store(folder.path()).await;
        let refused = Store::open(folder.path().to_str().unwrap(), "orders").await.err().unwrap();
        assert_eq!(refused.message, "workflow `orders` is being run by another process");
        drop(first);
        store(folder.path()).await;
    }

    #[tokio::test]
    async fn a_manifest_cut_anywhere_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        store.save(&checkpoint(1)).await.unwrap();
        store.save(&checkpoint(2)).await.unwrap();
        let path = folder.path().join("orders").join(name(2));
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = store.load().await.unwrap_err();
            assert!(
                error.message.contains("checkpoint-0000000002.json is damaged"),
                "{length}: {}",
                error.message
            );
        }
    }

    #[tokio::test]
    async fn a_flipped_bit_is_refused_or_harmless_never_another_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        store.save(&checkpoint(7)).await.unwrap();
        let path = folder.path().join("orders").join(name(1));
        let whole = fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            if let Ok(read) = store.load().await {
                assert_eq!(read, Some(checkpoint(7)), "bit {bit}");
            }
        }
    }

    #[tokio::test]
    async fn foreign_and_newer_checkpoints_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let orders = store(folder.path()).await;
        orders.save(&checkpoint(1)).await.unwrap();
        let from = folder.path().join("orders").join(name(1));
        fs::create_dir(folder.path().join("people")).unwrap();
        fs::copy(&from, folder.path().join("people").join(name(1))).unwrap();
        let people = Store::open(folder.path().to_str().unwrap(), "people").await.unwrap();
        assert!(people.load().await.unwrap_err().message.contains("belongs to workflow `orders`"));
        let text = fs::read_to_string(&from).unwrap();
        fs::write(&from, text.replacen("\"version\":1", "\"version\":2", 1)).unwrap();
        assert!(orders.load().await.unwrap_err().message.contains("has format version 2"));
    }

    #[tokio::test]
    async fn an_object_store_fences_a_second_runner() {
        let folder = tempfile::tempdir().unwrap();
        let url = url::Url::from_directory_path(folder.path()).unwrap().to_string();
        let url = url.trim_end_matches('/');
        let first = Store::open(url, "orders").await.unwrap();
        let second = Store::open(url, "orders").await.unwrap();
        first.save(&checkpoint(1)).await.unwrap();
        let fenced = second.save(&checkpoint(1)).await.unwrap_err();
        assert!(fenced.message.contains("was written by another runner"), "{}", fenced.message);
        assert_eq!(second.load().await.unwrap(), Some(checkpoint(1)));
    }

    #[tokio::test]
    async fn reset_asks_before_it_gives_an_unfinished_run_up() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        store.save(&checkpoint(1)).await.unwrap();
        assert!(store.reset(false).await.unwrap_err().message.contains("is unfinished"));
        store.reset(true).await.unwrap();
        assert_eq!(store.load().await.unwrap(), None);
    }
}
