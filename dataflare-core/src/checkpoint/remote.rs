//! Checkpoints in an object store, which several machines share.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::{Error, Result, fault};

/// A prefix of an object store.
pub(super) struct Remote {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    url: String,
}

impl Remote {
    /// The prefix `workflow` under `url`.
    pub(super) fn open(url: &str, workflow: &str) -> Result<Self> {
        let wrong = |cause: String| Error::config(format!("`{url}` is not a checkpoint store: {cause}"));
        let parsed = url::Url::parse(url).map_err(|cause| wrong(cause.to_string()))?;
        let options = std::iter::empty::<(&str, &str)>();
        let (store, path) =
            object_store::parse_url_opts(&parsed, options).map_err(|cause| wrong(cause.to_string()))?;
        Ok(Self { store: store.into(), prefix: path.join(workflow), url: format!("{url}/{workflow}") })
    }

    pub(super) async fn list(&self) -> Result<Vec<String>> {
        let objects = self.store.list(Some(&self.prefix)).try_collect::<Vec<_>>().await;
        let objects = objects.map_err(|cause| self.failed("list", "", cause))?;
        Ok(objects.iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect())
    }

    pub(super) async fn get(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.prefix.clone().join(name);
        let got = async { self.store.get(&path).await?.bytes().await };
        got.await.map(Into::into).map_err(|cause| self.failed("read", name, cause))
    }

    /// Puts an object that must not be there yet: if it is, another runner of the workflow wrote it.
    pub(super) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        fault::point("checkpoint.before_write")?;
        let path = self.prefix.clone().join(name);
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&path, PutPayload::from(bytes), options).await {
            Ok(_) => fault::point("checkpoint.after_rename"),
            Err(StoreError::AlreadyExists { .. }) => {
                let message = format!("{}/{name} was written by another runner of this workflow", self.url);
                Err(Error::config(message).help("run a workflow on one machine at a time"))
            }
            Err(cause) => Err(self.failed("write", name, cause)),
        }
    }

    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.prefix.clone().join(name)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(cause) => Err(self.failed("remove", name, cause)),
        }
    }

    /// The prefix, for people.
    pub(super) fn place(&self) -> String {
        self.url.clone()
    }

    fn failed(&self, what: &str, name: &str, cause: StoreError) -> Error {
        Error::transient(format!("cannot {what} {}/{name}", self.url)).caused_by(cause)
    }
}
