//! A checkpoint as bytes: one line that names the format and guards the rest, then JSON.

use serde::{Deserialize, Serialize};

use super::Checkpoint;
use crate::{Error, Result};

const MAGIC: &str = "dataflare-checkpoint";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    bytes: usize,
    /// Of the JSON that follows: CRC-32C (Castagnoli).
    crc32c: u32,
}

/// The bytes of a manifest.
pub(super) fn seal(checkpoint: &Checkpoint) -> Result<Vec<u8>> {
    let fail = |cause: serde_json::Error| Error::permanent("cannot write a checkpoint").caused_by(cause);
    let body = serde_json::to_vec(checkpoint).map_err(fail)?;
    let crc32c = crc32c::crc32c(&body);
    let header = Header { format: MAGIC.to_owned(), version: VERSION, bytes: body.len(), crc32c };
    let mut sealed = serde_json::to_vec(&header).map_err(fail)?;
    sealed.push(b'\n');
    sealed.extend(body);
    Ok(sealed)
}

/// The checkpoint in `sealed`, which was found at `place`. Fails where it is torn, foreign or newer.
pub(super) fn unseal(sealed: &[u8], place: &str, workflow: &str) -> Result<Checkpoint> {
    let torn = |why: String| {
        let help = "a checkpoint that may have been acted upon is not passed over, because that could write rows twice; \
                    restore the file from a backup, or give the run up with `dataflare state reset`";
        Error::permanent(format!("checkpoint {place} is damaged: {why}")).help(help)
    };
    let end = sealed.iter().position(|byte| *byte == b'\n').ok_or_else(|| torn("it has no header".into()))?;
    let header: Header = serde_json::from_slice(&sealed[..end]).map_err(|cause| torn(cause.to_string()))?;
    if header.format != MAGIC {
        return Err(torn(format!("its format is `{}`", header.format)));
    }
    if header.version > VERSION {
        let message =
            format!("checkpoint {place} has format version {}, this program knows {VERSION}", header.version);
        return Err(Error::config(message).help("run it with the newer dataflare that wrote it"));
    }
    let body = &sealed[end + 1..];
    if body.len() != header.bytes {
        return Err(torn(format!("{} bytes where {} were written", body.len(), header.bytes)));
    }
    if crc32c::crc32c(body) != header.crc32c {
        return Err(torn("its checksum does not match".into()));
    }
    let checkpoint: Checkpoint = serde_json::from_slice(body).map_err(|cause| torn(cause.to_string()))?;
    if checkpoint.workflow != workflow {
        let message =
            format!("checkpoint {place} belongs to workflow `{}`, not `{workflow}`", checkpoint.workflow);
        return Err(Error::config(message)
            .help("give this workflow an `id` or a `settings.checkpoint.store` of its own"));
    }
    Ok(checkpoint)
}
