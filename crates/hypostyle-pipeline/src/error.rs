//! The error type of the crate: what is wrong, where (file, line, record, column), and how to fix it.
//!
//! Messages read `FILE:LINE: WHERE: WHAT IS WRONG`, then `help: HOW TO FIX IT` on a line of its own.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of an error, for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The pipeline file is invalid.
    Pipeline,
    /// The input cannot be read.
    Source,
    /// The input has a bad row.
    Malformed {
        /// The line in the file, counted from 1.
        line: u64,
        /// The record below the header, counted from 1; it differs from the line where quoted fields hold line ends.
        record: u64,
        /// The column, if a single one is bad.
        column: Option<String>,
    },
    /// A kernel rejected the data; the kind is the library's.
    Stage(hypostyle::ErrorKind),
    /// The output cannot be written.
    Sink,
    /// The state or the checkpoint of an earlier run does not fit.
    State,
    /// An earlier run has processed all inputs, as the state says, and the output is there: there is nothing to do.
    Processed,
    /// The run needs more memory than the limit.
    Memory,
    /// The run was interrupted.
    Interrupted,
    /// A bug in this crate.
    Internal,
}

/// An error of a pipeline.
///
/// Its text is one message: the file with the line if there is one, the problem, and on a line of its own the help.
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
    not_found: bool,
}

impl Error {
    /// The error about a file of a format that cannot be read.
    pub(crate) fn not_a_file_of(format: &str, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        // Polars notes its own 128-bit integers as if they were Arrow's.
        let error = match cause.to_string().contains("bit width of 128") {
            true => {
                Self::new(ErrorKind::Source, "the input has a column of 128-bit integers, which Arrow does not have")
                    .help("cast it before the file is written, to Int64 or a decimal")
            }
            false => Self::new(ErrorKind::Source, format!("the input is not a valid {format} file")),
        };
        error.because(cause)
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let line = match kind {
            // Formats without lines have none.
            ErrorKind::Malformed { line, .. } => Some(line).filter(|line| *line > 0),
            _ => None,
        };
        Self(Box::new(Details {
            kind,
            file: None,
            line,
            message: message.into(),
            help: None,
            source: None,
            not_found: false,
        }))
    }

    pub(crate) fn pipeline(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Pipeline, message)
    }

    /// An error of the library, which lies within `place`.
    pub(crate) fn stage(place: impl fmt::Display, error: &hypostyle::Error) -> Self {
        let inner = error.place();
        let within = if *inner == hypostyle::Place::default() { String::new() } else { format!(", {inner}") };
        let mut own = Self::new(ErrorKind::Stage(error.kind()), format!("{place}{within}: {}", error.problem()));
        own.0.help = match (error.kind(), &inner.column) {
            // A pipeline cannot cast.
            (hypostyle::ErrorKind::ColumnType, Some(column)) => Some(format!(
                "change the type of '{column}': in [source.schema] for CSV, else where the file is written"
            )),
            _ => error.help().map(str::to_string),
        };
        own
    }

    /// An error of the operating system, or of an encoder, about the output.
    pub(crate) fn unwritable(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::new(ErrorKind::Sink, "cannot write the output").because(source)
    }

    /// A bug in this crate: something that cannot happen did.  It ends the run rather than hiding in a null or a lost row.
    pub(crate) fn internal(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("internal error: {message}"))
            .help("this is a bug in Hypostyle, not in the pipeline or its input")
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "interrupted: no output was written")
    }

    pub(crate) fn panicked(what: &str) -> Self {
        Self::internal(format_args!("a thread panicked while {what}"))
    }

    /// The input is no longer what it was when it was found.
    pub(crate) fn changed(file: &Path) -> Self {
        Self::new(ErrorKind::Source, "the input changed while it was read")
            .in_file(file)
            .help("run the pipeline again when no other process writes to the file")
    }

    /// Prefixes the message.
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
        if let Some(error) = (&source as &dyn StdError).downcast_ref::<std::io::Error>() {
            self.0.not_found |= error.kind() == std::io::ErrorKind::NotFound;
        }
        self.0.source = Some(Box::new(source));
        self
    }

    /// Notes that the file does not exist, if that is what the system says.
    pub(crate) fn not_found_if(mut self, error: &std::io::Error) -> Self {
        self.0.not_found |= error.kind() == std::io::ErrorKind::NotFound;
        self
    }

    /// Notes that the file does not exist.
    pub(crate) fn not_found(mut self) -> Self {
        self.0.not_found = true;
        self
    }

    /// Whether the error is that a file or a directory does not exist.
    ///
    /// ```
    /// let error = hypostyle_pipeline::Pipeline::from_file("nowhere.toml").err().unwrap();
    /// assert!(error.is_not_found() && error.file() == Some("nowhere.toml".as_ref()));
    /// ```
    pub fn is_not_found(&self) -> bool {
        self.0.not_found
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the file that the error is about, if any: the pipeline file, the input or the output.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// Returns the line in that file, counted from 1, if known.
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
