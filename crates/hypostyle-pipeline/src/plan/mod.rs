//! A pipeline that was checked as a whole: files opened, columns typed, kernels bound to them, and no row read yet.

pub(crate) mod options;
pub(crate) mod stages;

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use hypostyle::Catalog;

use crate::config::{Names, PipelineFile};
use crate::error::{Error, ErrorKind, Result};
use crate::files::input::is_standard;
use crate::memory;
use crate::model::types;
use crate::sink::run_name::RunName;
use crate::sink::{Sink, Target, free_place};
use crate::source::Source;
use crate::source::validate::Validator;
use crate::state::checkpoint::{Checkpoints, ResumePoint, Run};
use crate::state::state_file::{self, StateFile, StateHeader};
use options::RunOptions;
use stages::PlannedStage;

/// A pipeline that was checked and is ready to run.  Printed, it shows what will be read, computed and written.
pub struct Plan {
    pub(crate) source: Source,
    pub(crate) stages: Vec<PlannedStage>,
    pub(crate) validator: Validator,
    pub(crate) sink: Sink,
    pub(crate) options: RunOptions,
    /// Where the state is kept from run to run, and which inputs it has processed.
    pub(crate) state: Option<PathBuf>,
    pub(crate) state_header: StateHeader,
    pub(crate) checkpoints: Option<Checkpoints>,
    /// Where to resume an interrupted run.
    pub(crate) resume: Option<ResumePoint>,
}

impl Plan {
    /// Returns the columns of the output.
    pub fn output_schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.sink.schema)
    }
}

/// Checks a pipeline.
pub(crate) fn build(file: &PipelineFile, catalog: &Catalog, options: RunOptions) -> Result<Plan> {
    let options = checked(file, options)?;
    // Errors of a kernel alone come before those of the input: no file is needed to find them.
    let entries = stages::entries(file, catalog)?;
    let mut source = Source::open(file)?;
    if let Some(columns) = &file.config.sink.columns {
        let needed = stages::needed(file, columns, &entries);
        source.keep(|name| needed.contains(name));
    }
    source.check_types()?;
    let (mut stages, schema) = stages::plan(file, catalog, &options, entries, source.schema())?;
    let append = file.config.sink.append.then(|| {
        RunName::of(&source.files.identities(), &format!("{}\n# limit: {:?}", file.public_text(), options.limit))
    });
    let sink = Sink::check(&file.config.sink, &source.files, &schema, append.transpose()?)?;
    sink.check_types()?;
    check_rejects(&mut source, &sink)?;
    let mut validator = source.take_validator()?;
    let state = state_path(file, &options, &source, &sink)?;
    let before = state.as_ref().filter(|path| path.exists()).map(|path| StateFile::read(path)).transpose()?;
    let checkpoints = checkpoints(file, &options, &source, &sink, before.as_ref())?;
    let found = match &checkpoints {
        Some(checkpoints) if !options.restart => checkpoints.find(before.as_ref())?,
        _ => None,
    };
    if found.is_none() {
        if let (Some(before), Some(path)) = (&before, &state) {
            before.check_new(&source.files.identities(), sink.exists()).map_err(|error| error.in_file(path))?;
        }
        // When a run resumes, the run that was killed may have put the output in its place.
        sink.check_empty(state.is_some())?;
    }
    let state_header = before.as_ref().map_or_else(|| StateHeader::new(0, Vec::new()), |before| before.header.clone());
    let (resume, saved) = match found {
        Some((point, saved)) => (Some(point), Some(saved)),
        None => (None, before),
    };
    if let Some(saved) = &saved {
        let restored = restore(&mut stages, &mut validator, catalog, saved, &options);
        restored.map_err(|error| match (&resume, &state) {
            (None, Some(path)) => error.in_file(path),
            _ => error,
        })?;
    }
    validator.begin(&source.read_schema())?;
    stages::begin(&mut stages, source.schema())?;
    Ok(Plan { source, stages, validator, sink, options, state, state_header, checkpoints, resume })
}

/// The options, with the settings of the file that they take precedence over.
fn checked(file: &PipelineFile, mut options: RunOptions) -> Result<RunOptions> {
    if options.threads == Some(0) {
        return Err(Error::pipeline("threads: got 0, expected at least 1"));
    }
    if file.config.checkpoint_interval.is_some() && reads_standard_input(file) {
        return Err(Error::pipeline("checkpoint_interval is set, but standard input cannot be read again")
            .help("read from a file, or remove checkpoint_interval"));
    }
    if let (None, Some(text)) = (options.memory_limit, &file.config.memory_limit) {
        let message = format!("memory_limit: got {text:?}, expected a size such as \"500MB\" or \"2GiB\"");
        options.memory_limit = Some(memory::parse(text).ok_or_else(|| Error::pipeline(message))?);
    }
    Ok(options)
}

/// Whether one of the paths is standard input.
pub(crate) fn reads_standard_input(file: &PipelineFile) -> bool {
    let paths = file.config.source.path.as_ref().map(Names::to_vec).unwrap_or_default();
    paths.iter().any(|path| is_standard(Path::new(path)))
}

fn check_rejects(source: &mut Source, sink: &Sink) -> Result<()> {
    let Some(rejects) = &mut source.policy.rejects else { return Ok(()) };
    let place = free_place(rejects, &source.files)?;
    check_differs("[source] rejects", &place, sink)?;
    *rejects = place;
    Ok(())
}

/// The path of the state, which nothing else is written to.
fn state_path(file: &PipelineFile, options: &RunOptions, source: &Source, sink: &Sink) -> Result<Option<PathBuf>> {
    let Some(path) = &file.config.state else { return Ok(None) };
    if options.limit.is_some() {
        return Err(Error::pipeline("state and a limit exclude each other: the state would end amid the input")
            .help("run without a limit, or remove state"));
    }
    let place = free_place(path, &source.files)?;
    check_differs("state", &place, sink)?;
    Ok(Some(place))
}

fn check_differs(setting: &str, place: &Path, sink: &Sink) -> Result<()> {
    match &sink.target {
        Target::File(output) if output == place => {
            Err(Error::pipeline(format!("{setting} and [sink] path are both '{}'", place.display()))
                .help("use different files"))
        }
        _ => Ok(()),
    }
}

fn checkpoints(
    file: &PipelineFile,
    options: &RunOptions,
    source: &Source,
    sink: &Sink,
    before: Option<&StateFile>,
) -> Result<Option<Checkpoints>> {
    let Some(text) = &file.config.checkpoint_interval else { return Ok(None) };
    let Some(every) = types::duration(text) else {
        let message = format!("checkpoint_interval: got {text:?}, expected a duration such as \"30s\" or \"5m\"");
        return Err(Error::pipeline(message));
    };
    let (Target::File(output) | Target::Directory(output, _)) = &sink.target else {
        return Err(Error::pipeline("checkpoint_interval is set, but the output is not a local file")
            .help("write to a local file or directory, or remove checkpoint_interval"));
    };
    let run = Run {
        hypostyle: env!("CARGO_PKG_VERSION").to_string(),
        pipeline: format!("{}\n# memory: {:?}", file.public_text(), options.memory_limit),
        limit: options.limit,
        inputs: source.files.identities(),
        before: before.map(|before| before.header.clone()),
    };
    Ok(Some(Checkpoints::new(output, every, run)))
}

/// Replaces the fresh states by those of an earlier run.
fn restore(
    stages: &mut [PlannedStage],
    validator: &mut Validator,
    catalog: &Catalog,
    saved: &StateFile,
    options: &RunOptions,
) -> Result<()> {
    let (had, has) = ((saved.stages.len(), saved.rules.len()), (stages.len(), validator.orders.len()));
    if had != has {
        let message = format!(
            "the state has {} stages and {} rules on row order, the pipeline has {} and {}",
            had.0, had.1, has.0, has.1
        );
        return Err(Error::new(ErrorKind::State, message).help(state_file::OTHER_PIPELINE));
    }
    stages::restore(stages, catalog, &saved.stages, options)?;
    for (rule, bytes) in validator.orders.iter_mut().zip(&saved.rules) {
        let stage = rule.stage();
        *stage = state_file::load(catalog, bytes, stage.kernels(), "[source.rules]")?;
    }
    Ok(())
}
