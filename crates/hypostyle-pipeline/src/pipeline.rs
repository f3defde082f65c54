//! A pipeline as its user holds it: parsed from TOML, adjusted, then planned and run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use hypostyle::Catalog;

use crate::config::{Config, Format, Names, PipelineFile, SinkTable};
use crate::error::{Error, ErrorKind, Result};
use crate::model::bad_row::OnBadRow;
use crate::plan::options::RunOptions;
use crate::plan::{self, Plan};
use crate::run::{Progress, Summary};

/// A source, stages and a sink, as a pipeline file describes them.
///
/// Relative paths in the file are relative to the working directory, as in most commands, not to the file.
#[derive(Clone)]
pub struct Pipeline {
    file: PipelineFile,
    options: RunOptions,
    catalog: Catalog,
}

impl Pipeline {
    /// Reads a pipeline file.
    ///
    /// # Errors
    /// If the file cannot be read, is not valid TOML, or has an unknown setting.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::Pipeline, format!("cannot read the pipeline file: {error}"))
                .in_file(path)
                .not_found_if(&error)
        })?;
        let mut pipeline = Self::from_str(&text).map_err(|error| error.in_file(path))?;
        pipeline.file.path = Some(path.to_path_buf());
        Ok(pipeline)
    }

    /// Sets the input, instead of the one in `[source]`.
    pub fn with_input(mut self, path: impl Into<PathBuf>) -> Self {
        let path: PathBuf = path.into();
        self.file.config.source.path = Some(Names::One(path.to_string_lossy().into_owned()));
        self
    }

    /// Sets the output, instead of the one in `[sink]`.
    pub fn with_output(mut self, path: impl Into<PathBuf>) -> Self {
        self.file.config.sink.path = Some(path.into());
        self
    }

    /// Writes bad rows to this CSV file, instead of the one in `[source]`.  Where the pipeline file does not say what is done about
    /// them, they are rejected.
    pub fn with_rejects(mut self, path: impl Into<PathBuf>) -> Self {
        self.file.config.source.rejects = Some(path.into());
        self.file.config.source.on_bad_row.get_or_insert(OnBadRow::Reject);
        self
    }

    /// Looks kernels up in this catalog, which may hold custom ones beside those of the library.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use hypostyle::{COLUMN, Catalog, Entry, Family, Inputs, Plan, RowFunction, Shape};
    /// use hypostyle_pipeline::Pipeline;
    ///
    /// #[derive(Clone)]
    /// struct Square;
    /// impl RowFunction for Square {
    ///     fn evaluate(&self, columns: &[&[f64]], results: &mut [f64]) {
    ///         results.iter_mut().zip(columns[0]).for_each(|(y, x)| *y = x * x);
    ///     }
    /// }
    /// const SQUARE: Entry = Entry {
    ///     names: &["square"],
    ///     shape: Shape::Single(Family::Row),
    ///     summary: "The square of a column.",
    ///     formula: "y[i] = x[i]^2",
    ///     notes: "",
    ///     source: "",
    ///     parameters: &[COLUMN],
    ///     example: &[],
    ///     plan: |arguments| Ok(Plan::row_function(Inputs::of(arguments, &["column"])?, Square)),
    /// };
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("in.csv"), "x\n1.5\n3\n")?;
    /// let toml = "[source]\npath = 'in.csv'\n[[stage]]\n[[stage.kernel]]\nname = 'square'\ncolumn = 'x'\n[sink]\npath = 'out.csv'";
    /// let output = folder.path().join("out.csv");
    /// toml.parse::<Pipeline>()?
    ///     .with_kernels(Catalog::default().with_entries([SQUARE])?)
    ///     .with_input(folder.path().join("in.csv"))
    ///     .with_output(&output)
    ///     .run(&mut |_| ())?;
    /// assert_eq!(std::fs::read_to_string(output)?, "x\n2.25\n9.0\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_kernels(mut self, catalog: Catalog) -> Self {
        self.catalog = catalog;
        self
    }

    /// Sets the number of threads.  Default: all cores.  Results do not depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.options.threads = Some(threads);
        self
    }

    /// Stops after this number of rows that match the filter.
    pub fn with_limit(mut self, rows: u64) -> Self {
        self.options.limit = Some(rows);
        self
    }

    /// Limits the memory of the process, in bytes: less is read ahead and row groups are smaller.  The run fails if the state of
    /// the stages needs more.
    pub fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.options.memory_limit = Some(bytes);
        self
    }

    /// Discards the checkpoint of an interrupted run and starts over.
    pub fn with_restart(mut self) -> Self {
        self.options.restart = true;
        self
    }

    /// Checks the pipeline as a whole: opens the input, infers the types that are not declared, builds the stages and checks them
    /// against the columns.  Nothing is written.
    ///
    /// # Errors
    /// Everything that can be found before the first row: an unknown kernel, parameter or type, a missing file or column, a
    /// column of the wrong type, an output that cannot be written.
    pub fn plan(&self) -> Result<Plan> {
        plan::build(&self.file, &self.catalog, self.options).map_err(|error| match (&self.file.path, error.kind()) {
            (Some(path), ErrorKind::Pipeline | ErrorKind::Stage(_)) => error.in_file(path),
            _ => error,
        })
    }

    /// Runs at most this number of rows through the stages, to measure the size of their state.  Nothing is written.  Returns
    /// `None` if the input can be read only once.
    ///
    /// # Errors
    /// As [`Pipeline::run`].
    pub fn dry_run(&self, rows: u64) -> Result<Option<Summary>> {
        if plan::reads_standard_input(&self.file) {
            return Ok(None);
        }
        let mut dry = self.clone();
        let Config { state, checkpoint_interval, source, sink, .. } = &mut dry.file.config;
        (*state, *checkpoint_interval) = (None, None);
        *sink = SinkTable { format: Some(Format::None), ..SinkTable::default() };
        if source.on_bad_row == Some(OnBadRow::Reject) {
            (source.on_bad_row, source.rejects) = (Some(OnBadRow::Skip), None);
        }
        dry.options.limit = Some(self.options.limit.map_or(rows, |limit| limit.min(rows)));
        dry.options.dry_run = Some(rows);
        dry.run(&mut |_| ()).map(Some)
    }

    /// Plans and runs the pipeline.  `progress` is called after every batch that was written.
    ///
    /// # Errors
    /// As [`Pipeline::plan`]; a bad row; a kernel that rejects the data; an input or output that fails.  No output file remains
    /// then, and an existing one is unchanged.
    pub fn run(&self, progress: &mut dyn FnMut(Progress)) -> Result<Summary> {
        self.plan()?.run(progress)
    }
}

/// Without secrets.
impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("file", &self.file.path)
            .field("text", &self.file.public_text())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl FromStr for Pipeline {
    type Err = Error;

    fn from_str(toml: &str) -> Result<Self> {
        Ok(Self { file: toml.parse()?, options: RunOptions::default(), catalog: hypostyle_jit::catalog() })
    }
}
