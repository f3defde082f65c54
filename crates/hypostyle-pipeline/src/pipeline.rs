//! A pipeline as its user holds it: read from a file or a text, adjusted, then planned and run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::config::{Config, Format, Names, SinkTable};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{self, Plan};
use crate::policy::OnBad;
use crate::remote::address::shown;
use crate::run::{Status, Summary};
use crate::source::bytes::is_standard;

/// A source, stages and a sink, as a pipeline file describes them.
///
/// Relative paths in the file are relative to the working directory, as in most commands, not to the file.
#[derive(Clone)]
pub struct Pipeline {
    pub(crate) config: Config,
    pub(crate) text: String,
    pub(crate) file: Option<PathBuf>,
    pub(crate) threads: Option<usize>,
    pub(crate) limit: Option<u64>,
    /// As the limit, but for rows that are read.
    pub(crate) trial: Option<u64>,
    pub(crate) memory: Option<u64>,
    pub(crate) restart: bool,
}

impl Pipeline {
    /// Reads a pipeline file.
    ///
    /// # Errors
    /// Where the file can't be read, is no TOML, or has a key that pipelines don't know.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::Pipeline, format!("can't read the pipeline file: {error}")).in_file(path)
        })?;
        let mut pipeline = Self::from_str(&text).map_err(|error| error.in_file(path))?;
        pipeline.file = Some(path.to_path_buf());
        Ok(pipeline)
    }

    /// Reads this file instead of the one in `[source]`.
    pub fn with_input(mut self, path: impl Into<PathBuf>) -> Self {
        let path: PathBuf = path.into();
        self.config.source.path = Some(Names::One(path.to_string_lossy().into_owned()));
        self
    }

    /// Writes this file instead of the one in `[sink]`.
    pub fn with_output(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.sink.path = Some(path.into());
        self
    }

    /// Lets each stage use so many threads.  Results don't depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Stops after so many rows of the input that the filter takes.
    pub fn with_limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Keeps the process below so many bytes of memory: less is read ahead, smaller groups are written; and where that isn't
    /// enough, because the stages keep too much, the run fails.
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Forgets the checkpoint of a run that was killed, and begins anew.
    pub fn with_restart(mut self) -> Self {
        self.restart = true;
        self
    }

    /// Judges the pipeline as a whole: opens the input, infers what isn't declared, builds the stages and checks them
    /// against the columns.  Nothing is written.
    ///
    /// # Errors
    /// Everything that can be known to be wrong before the first row: an unknown kernel, parameter or type, a missing
    /// file or column, a column of the wrong type, an output that can't be written.
    pub fn plan(&self) -> Result<Plan> {
        plan::build(self).map_err(|error| match (&self.file, error.kind()) {
            (Some(file), ErrorKind::Pipeline | ErrorKind::Stage(_)) => error.in_file(file),
            _ => error,
        })
    }

    /// Runs the first rows (at most so many) through the stages, to see how large their state gets; nothing is written.  `None`
    /// where the input can be read only once.
    ///
    /// # Errors
    /// As [`Pipeline::run`].
    pub fn try_rows(&self, rows: u64) -> Result<Option<Summary>> {
        if self.reads_standard_input() {
            return Ok(None);
        }
        let mut trial = self.clone();
        let Config { state, checkpoint, source, sink, .. } = &mut trial.config;
        (*state, *checkpoint) = (None, None);
        *sink = SinkTable { format: Some(Format::None), ..SinkTable::default() };
        if source.on_bad_row == Some(OnBad::Reject) {
            (source.on_bad_row, source.rejects) = (Some(OnBad::Skip), None);
        }
        trial.limit = Some(self.limit.map_or(rows, |limit| limit.min(rows)));
        trial.trial = Some(rows);
        trial.run(&mut |_| ()).map(Some)
    }

    /// Plans and runs the pipeline; `progress` is called after every batch that was written.
    ///
    /// # Errors
    /// As [`Pipeline::plan`]; a malformed row; a kernel that refuses the data; an input or output that fails.  No output
    /// file remains then, and one that was there before is untouched.
    pub fn run(&self, progress: &mut dyn FnMut(Status)) -> Result<Summary> {
        self.plan()?.run(progress)
    }

    pub(crate) fn reads_standard_input(&self) -> bool {
        let paths = self.config.source.path.as_ref().map(Names::to_vec).unwrap_or_default();
        paths.iter().any(|path| is_standard(Path::new(path)))
    }

    /// The line in the pipeline file of a place in its text.
    pub(crate) fn line(&self, offset: usize) -> u64 {
        line_of(&self.text, offset)
    }

    /// The text without what may be secret in it: the storage options, and the queries of addresses.
    pub(crate) fn text_to_keep(&self) -> String {
        if !may_hold_secrets(&self.text) {
            return self.text.clone();
        }
        let mut table: toml::Table = self.text.parse().unwrap_or_default();
        for name in ["source", "sink"] {
            let Some(toml::Value::Table(table)) = table.get_mut(name) else { continue };
            table.remove("storage_options");
            match table.get_mut("path") {
                Some(toml::Value::String(path)) => *path = shown(path).to_string(),
                Some(toml::Value::Array(paths)) => {
                    for path in paths {
                        *path = path.as_str().map(shown).unwrap_or_default().into();
                    }
                }
                _ => {}
            }
        }
        table.to_string()
    }
}

fn may_hold_secrets(text: &str) -> bool {
    text.contains("storage_options") || text.contains("://")
}

fn line_of(text: &str, offset: usize) -> u64 {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count() as u64
}

/// As far as it is no secret.
impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, limit, memory, restart, .. } = self;
        f.debug_struct("Pipeline")
            .field("file", &self.file)
            .field("text", &self.text_to_keep())
            .field("options", &(threads, limit, memory, restart))
            .finish_non_exhaustive()
    }
}

impl FromStr for Pipeline {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let config = toml::from_str(text).map_err(|error: toml::de::Error| {
            // What the parser shows of the text may hold a secret.
            if !may_hold_secrets(text) {
                return Error::pipeline(error.to_string().trim_end().to_string());
            }
            let line = error.span().map(|span| line_of(text, span.start));
            let error = Error::pipeline(error.message());
            match line {
                Some(line) => error.at_line(line),
                None => error,
            }
        })?;
        Ok(Self {
            config,
            text: text.to_string(),
            file: None,
            threads: None,
            limit: None,
            trial: None,
            memory: None,
            restart: false,
        })
    }
}
