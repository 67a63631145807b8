//! Records to the bytes of NDJSON, CSV, Arrow IPC and Avro files.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use arrow::csv::WriterBuilder as CsvWriterBuilder;
use arrow::datatypes::SchemaRef;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use arrow::json::LineDelimitedWriter;
use arrow::record_batch::RecordBatch;
use arrow_avro::writer::AvroWriter;
use dataflare_core::{Error, Result};
use flate2::write::GzEncoder;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::staging::{Encode, Encoder};

/// How files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum OutFormat {
    /// One JSON object a line; nulls are left out.
    Ndjson,
    /// Comma-separated values with a header.
    Csv,
    /// Arrow IPC file, its blocks compressed with LZ4.
    Arrow,
    /// Avro object container file.
    Avro,
}

impl OutFormat {
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Ndjson | Self::Csv)
    }
}

/// How files are compressed as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum OutCompression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard, level 3.
    Zstd,
}

/// How all files of one destination are written.
pub(super) struct FileEncode {
    pub format: OutFormat,
    pub compression: OutCompression,
}

impl Encode for FileEncode {
    fn begin(&self, file: File, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
        let counted = Counted { inner: BufWriter::new(file), bytes: 0 };
        Ok(match self.format {
            OutFormat::Ndjson => Box::new(Text { sink: self.sink(counted)?, kind: TextKind::Ndjson }),
            OutFormat::Csv => {
                let mut text = Text { sink: self.sink(counted)?, kind: TextKind::Csv };
                // The header is there even where no record is.
                text.csv(&RecordBatch::new_empty(schema.clone()), true)?;
                Box::new(text)
            }
            OutFormat::Arrow => {
                let options =
                    IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
                let options = options.map_err(failed)?;
                Box::new(Arrow(FileWriter::try_new_with_options(counted, schema, options).map_err(failed)?))
            }
            OutFormat::Avro => {
                Box::new(Avro(AvroWriter::new(counted, schema.as_ref().clone()).map_err(failed)?))
            }
        })
    }

    fn extension(&self) -> &str {
        match (self.format, self.compression) {
            (OutFormat::Ndjson, OutCompression::None) => ".ndjson",
            (OutFormat::Ndjson, OutCompression::Gzip) => ".ndjson.gz",
            (OutFormat::Ndjson, OutCompression::Zstd) => ".ndjson.zst",
            (OutFormat::Csv, OutCompression::None) => ".csv",
            (OutFormat::Csv, OutCompression::Gzip) => ".csv.gz",
            (OutFormat::Csv, OutCompression::Zstd) => ".csv.zst",
            (OutFormat::Arrow, _) => ".arrow",
            (OutFormat::Avro, _) => ".avro",
        }
    }
}

impl FileEncode {
    fn sink(&self, file: Counted) -> Result<Sink> {
        Ok(match self.compression {
            OutCompression::None => Sink::Plain(file),
            OutCompression::Gzip => Sink::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            OutCompression::Zstd => Sink::Zstd(zstd::Encoder::new(file, 3).map_err(failed)?),
        })
    }
}

/// A file that counts what goes into it.
struct Counted {
    inner: BufWriter<File>,
    bytes: u64,
}

impl Counted {
    fn into_file(self) -> Result<File> {
        self.inner.into_inner().map_err(|error| failed(error.into_error()))
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

enum Sink {
    Plain(Counted),
    Gzip(GzEncoder<Counted>),
    Zstd(zstd::Encoder<'static, Counted>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(file) => file.write(bytes),
            Self::Zstd(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(file) => file.flush(),
            Self::Zstd(file) => file.flush(),
        }
    }
}

impl Sink {
    fn bytes(&self) -> u64 {
        match self {
            Self::Plain(file) => file.bytes,
            Self::Gzip(file) => file.get_ref().bytes,
            Self::Zstd(file) => file.get_ref().bytes,
        }
    }

    fn finish(self) -> Result<File> {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(file) => file.finish().map_err(failed)?,
            Self::Zstd(file) => file.finish().map_err(failed)?,
        }
        .into_file()
    }
}

enum TextKind {
    Ndjson,
    Csv,
}

struct Text {
    sink: Sink,
    kind: TextKind,
}

impl Text {
    fn csv(&mut self, records: &RecordBatch, header: bool) -> Result<()> {
        let mut writer = CsvWriterBuilder::new().with_header(header).build(&mut self.sink);
        writer.write(records).map_err(failed)
    }
}

impl Encoder for Text {
    fn write(&mut self, records: &RecordBatch) -> Result<()> {
        match self.kind {
            TextKind::Csv => self.csv(records, false),
            TextKind::Ndjson => {
                let mut writer = LineDelimitedWriter::new(&mut self.sink);
                writer.write(records).and_then(|()| writer.finish()).map_err(failed)
            }
        }
    }

    fn bytes(&self) -> u64 {
        self.sink.bytes()
    }

    fn finish(self: Box<Self>) -> Result<File> {
        self.sink.finish()
    }
}

struct Arrow(FileWriter<Counted>);

impl Encoder for Arrow {
    fn write(&mut self, records: &RecordBatch) -> Result<()> {
        self.0.write(records).map_err(failed)
    }

    fn bytes(&self) -> u64 {
        self.0.get_ref().bytes
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        self.0.finish().map_err(failed)?;
        self.0.into_inner().map_err(failed)?.into_file()
    }
}

struct Avro(AvroWriter<Counted>);

impl Encoder for Avro {
    fn write(&mut self, records: &RecordBatch) -> Result<()> {
        self.0.write(records).map_err(failed)
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        self.0.finish().map_err(failed)?;
        self.0.into_inner().into_file()
    }
}

fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::permanent("cannot write the file").caused_by(cause)
}
