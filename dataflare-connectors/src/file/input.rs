//! Bytes of a file: decompressed, cut at record borders, in a buffer that is used again.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use dataflare_core::{Error, Result};

use super::format::Compression;

/// How much is asked of the file at once.
const READ_BYTES: usize = 1 << 20;

/// Opens `path` for reading from `offset` of what it holds when decompressed.
pub(super) fn open(path: &Path, compression: Compression, offset: u64) -> Result<Box<dyn Read + Send>> {
    let fail = |cause| unreadable(path, cause);
    let mut file = File::open(path).map_err(fail)?;
    if compression == Compression::None {
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
        return Ok(Box::new(file));
    }
    let file = BufReader::with_capacity(256 << 10, file);
    let mut bytes: Box<dyn Read + Send> = match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(file).map_err(fail)?),
        Compression::Bz2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(file)),
        Compression::None => Box::new(file),
    };
    // There is no other way to a place within a compressed file.
    let skipped =
        io::copy(&mut (&mut bytes).take(offset), &mut io::sink()).map_err(|cause| damaged(path, 0, cause))?;
    if skipped < offset {
        return Err(Error::permanent(format!("{} is shorter than when it was read before", path.display())));
    }
    Ok(bytes)
}

/// What a file that cannot be opened or read means.
pub(super) fn unreadable(path: &Path, cause: io::Error) -> Error {
    let error = Error::config(format!("cannot read {}", path.display()));
    let error = match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            error.help("give the user that runs dataflare the right to read it")
        }
        _ => error,
    };
    error.caused_by(cause)
}

fn damaged(path: &Path, offset: u64, cause: io::Error) -> Error {
    let what = match cause.kind() {
        io::ErrorKind::UnexpectedEof => "ends in the middle of its compressed data",
        _ => "holds damaged data",
    };
    let error = Error::permanent(format!("{} {what}", path.display())).caused_by(cause);
    error.at(format!("byte {offset} of what is in it")).help("get a whole copy of the file")
}

/// A buffer that moves over a file; what is in it begins at a record border.
pub(super) struct Window {
    input: Box<dyn Read + Send>,
    path: std::path::PathBuf,
    buffer: Vec<u8>,
    start: usize,
    /// Where the first byte of the window stands in the decompressed file.
    pub offset: u64,
    /// Whether the file has been read to its end.
    pub at_end: bool,
    record_max: usize,
}

impl Window {
    pub(super) fn new(path: &Path, compression: Compression, offset: u64, record_max: usize) -> Result<Self> {
        let input = open(path, compression, offset)?;
        let (path, buffer) = (path.to_owned(), Vec::new());
        Ok(Self { input, path, buffer, start: 0, offset, at_end: false, record_max })
    }

    /// What is in it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Moves on by `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads more behind what is in it. Fails where a record is longer than it may be.
    pub(super) fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.len() >= self.record_max {
            let message =
                format!("a record of {} is longer than {} bytes", self.path.display(), self.record_max);
            let error = Error::config(message).at(format!("byte {}", self.offset));
            return Err(
                error.help("raise `record_max` if such records are meant; each is held in memory whole")
            );
        }
        // A record that is longer than what was read so far: read twice as much, to look at it less often.
        let wanted = READ_BYTES.max(self.buffer.len());
        let read = (&mut self.input).take(wanted as u64).read_to_end(&mut self.buffer);
        let read =
            read.map_err(|cause| damaged(&self.path, self.offset + self.buffer.len() as u64, cause))?;
        self.at_end = read < wanted;
        Ok(())
    }
}
