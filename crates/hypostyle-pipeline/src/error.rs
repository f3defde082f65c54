//! The one error of the crate: what is wrong, where (file, line, record, column), and the way out.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, for callers that decide by it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The pipeline file is wrong, or asks for what can't be done.
    Pipeline,
    /// The input can't be read.
    Source,
    /// The input holds a row that can't be understood.
    Malformed {
        /// The line in the file, counted from 1.
        line: u64,
        /// The record below the header, counted from 1; it differs from the line where quoted fields hold line ends.
        record: u64,
        /// The column, where one is at fault.
        column: Option<String>,
    },
    /// A kernel refused the data; the kind is the library's.
    Stage(hypostyle::ErrorKind),
    /// The output can't be written.
    Sink,
    /// The state or the checkpoint of an earlier run doesn't fit.
    State,
    /// More memory is needed than the run may have.
    Memory,
    /// The run was told to stop, and stopped.
    Interrupted,
    /// A bug in this crate.
    Internal,
}

/// An error of a pipeline.
///
/// Its text is one readable message: the file with the line where there is one, the problem, and on a line of its own
/// the way out.
#[derive(Debug)]
pub struct Error(Box<Details>);

#[derive(Debug)]
struct Details {
    kind: ErrorKind,
    file: Option<PathBuf>,
    line: Option<u64>,
    message: String,
    help: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let line = match kind {
            ErrorKind::Malformed { line, .. } => Some(line),
            _ => None,
        };
        Self(Box::new(Details { kind, file: None, line, message: message.into(), help: None, source: None }))
    }

    pub(crate) fn pipeline(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Pipeline, message)
    }

    /// A refusal of the library, whose message stands as it is.
    pub(crate) fn stage(place: impl fmt::Display, error: &hypostyle::Error) -> Self {
        Self::new(ErrorKind::Stage(error.kind()), format!("{place}: {error}"))
    }

    /// What the system, or a library that encodes, said of the output.
    pub(crate) fn unwritable(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::new(ErrorKind::Sink, "can't write the output").because(source)
    }

    /// A bug in this crate: something that cannot happen did.  It ends the run rather than hiding in a null or a lost row.
    pub(crate) fn internal(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("internal error: {message}"))
            .help("this is a bug in Hypostyle, not in the pipeline or its input")
    }

    pub(crate) fn panicked(what: &str) -> Self {
        Self::internal(format_args!("a thread panicked while {what}"))
    }

    /// The input isn't what it was when it was found.
    pub(crate) fn changed(file: &Path) -> Self {
        Self::new(ErrorKind::Source, "the input was changed while it was read")
            .in_file(file)
            .help("run the pipeline again when nothing writes to the file")
    }

    /// Puts words before the message.
    pub(crate) fn prefix(mut self, words: &str) -> Self {
        self.0.message.insert_str(0, words);
        self
    }

    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        self.0.file.get_or_insert_with(|| file.to_path_buf());
        self
    }

    pub(crate) fn at_line(mut self, line: u64) -> Self {
        self.0.line.get_or_insert(line);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    pub(crate) fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The file at fault, where one is: the pipeline file, the input or the output.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The line in that file, counted from 1, where it is known.
    pub fn line(&self) -> Option<u64> {
        self.0.line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.file, self.0.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.0.message)?;
        match &self.0.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
