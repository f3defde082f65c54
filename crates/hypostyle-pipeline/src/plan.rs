//! A pipeline judged as a whole: everything opened, typed and checked, nothing read yet.  A stage is checked kernel by
//! kernel first, so that a complaint names the kernel's line in the file.

use std::collections::HashSet;
use std::path::PathBuf;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use hypostyle::{KernelSpec, Stage, Value};

use crate::checkpoint::{Checkpoints, Progress, Run};
use crate::config::{Names, StageTable};
use crate::error::{Error, ErrorKind, Result};
use crate::memory;
use crate::pipeline::Pipeline;
use crate::saved::{self, About, Saved};
use crate::sink::{Sink, Target, free_place};
use crate::source::judge::Judge;
use crate::source::{Source, quoted};
use crate::types;

/// A pipeline that was found in order and stands ready to run.  Printed, it says what will be read, done and written.
pub struct Plan {
    pub(crate) source: Source,
    pub(crate) stages: Vec<PlannedStage>,
    pub(crate) judge: Judge,
    pub(crate) sink: Sink,
    pub(crate) limit: Option<u64>,
    /// After so many rows of the input the run ends, whether the filter takes them or not.
    pub(crate) trial: Option<u64>,
    pub(crate) threads: Option<usize>,
    pub(crate) memory: Option<u64>,
    /// Where the state is kept from run to run, and what it has taken in.
    pub(crate) state: Option<PathBuf>,
    pub(crate) about: About,
    pub(crate) checkpoints: Option<Checkpoints>,
    /// Where a run that ended before its time had come.
    pub(crate) resume: Option<Progress>,
}

pub(crate) struct PlannedStage {
    pub stage: Stage,
    pub over: Vec<String>,
    /// Each kernel with the name and type of its output.
    pub outputs: Vec<(String, DataType, KernelSpec)>,
}

impl Plan {
    /// The columns of the output.
    pub fn output_schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.sink.schema)
    }
}

/// Judges a pipeline.
pub(crate) fn build(pipeline: &Pipeline) -> Result<Plan> {
    if pipeline.threads == Some(0) {
        return Err(Error::pipeline("0 threads can do nothing").help("give at least 1, or leave it out"));
    }
    // What is wrong with a kernel alone comes before what is wrong with the input: no file is needed to know it.
    let specs = pipeline.config.stage.iter().enumerate().map(|(index, table)| specs(pipeline, index, table));
    let specs = specs.collect::<Result<Vec<_>>>()?;
    if pipeline.config.checkpoint.is_some() && pipeline.reads_standard_input() {
        return Err(Error::pipeline("there is a checkpoint, but standard input can't be read again")
            .help("read from a file, or remove checkpoint"));
    }
    let mut source = Source::open(pipeline)?;
    if let Some(columns) = &pipeline.config.sink.columns {
        let needed = needed(pipeline, columns, &specs)?;
        source.keep(|name| needed.contains(name));
    }
    let mut schema = source.schema();
    let mut stages = Vec::new();
    for (index, specs) in specs.into_iter().enumerate() {
        let (stage, after) = plan_stage(pipeline, index, specs, &schema)?;
        stages.push(stage);
        schema = after;
    }
    let sink = Sink::check(pipeline, &source.files, &schema)?;
    if let Some(rejects) = &mut source.policy.rejects {
        *rejects = free_place(rejects, &source.files)?;
        if matches!(&sink.target, Target::File(path) if path == rejects) {
            return Err(Error::pipeline("the rejects are the output").help("give them another file"));
        }
    }
    let mut judge = source.take_judge()?;
    let state = state_path(pipeline, &source, &sink)?;
    let before = state.as_ref().filter(|path| path.exists()).map(|path| Saved::read(path)).transpose()?;
    let checkpoints = checkpoints(pipeline, &source, &sink, before.as_ref())?;
    let found = match &checkpoints {
        Some(checkpoints) if !pipeline.restart => checkpoints.find(before.as_ref())?,
        _ => None,
    };
    if let (None, Some(before), Some(path)) = (&found, &before, &state) {
        before.check_new(&source.files.identities()).map_err(|error| error.in_file(path))?;
    }
    // What lies there may have been put there by the run that goes on, which was killed right after.
    if found.is_none() {
        sink.check_empty()?;
    }
    let about = before.as_ref().map_or_else(|| About::new(0, Vec::new()), |before| before.about.clone());
    let (resume, saved) = match found {
        Some((progress, saved)) => (Some(progress), Some(saved)),
        None => (None, before),
    };
    if let Some(saved) = &saved {
        let restored = restore(pipeline, &mut stages, &mut judge, saved);
        restored.map_err(|error| match (&resume, &state) {
            (None, Some(path)) => error.in_file(path),
            _ => error,
        })?;
    }
    let read = source.read_schema();
    for rule in &mut judge.orders {
        rule.stage().begin(&read).map_err(|error| Error::stage("[source.rules]", &error))?;
    }
    let mut schema = source.schema();
    for (index, planned) in stages.iter_mut().enumerate() {
        let fault = |error| Error::stage(format!("stage {}", index + 1), &error);
        planned.stage.begin(&schema).map_err(fault)?;
        schema = planned.stage.output_schema(&schema).map_err(fault)?;
    }
    let memory = match (pipeline.memory, &pipeline.config.memory) {
        (Some(bytes), _) => Some(bytes),
        (None, None) => None,
        (None, Some(text)) => Some(memory::parse(text).ok_or_else(|| {
            Error::pipeline(format!("memory {text:?} is no size")).help("give one such as \"500MB\" or \"2GiB\"")
        })?),
    };
    let Pipeline { limit, trial, threads, .. } = *pipeline;
    Ok(Plan { source, stages, judge, sink, limit, trial, threads, memory, state, about, checkpoints, resume })
}

/// Where the state is kept: a place of its own.
fn state_path(pipeline: &Pipeline, source: &Source, sink: &Sink) -> Result<Option<PathBuf>> {
    let Some(path) = &pipeline.config.state else { return Ok(None) };
    if pipeline.limit.is_some() {
        return Err(Error::pipeline("with a limit the state would end in the middle of the input")
            .help("run without a limit, or without state"));
    }
    let place = free_place(path, &source.files)?;
    if matches!(&sink.target, Target::File(output) if *output == place) {
        return Err(Error::pipeline("the state is the output").help("give it another file"));
    }
    Ok(Some(place))
}

fn checkpoints(
    pipeline: &Pipeline,
    source: &Source,
    sink: &Sink,
    before: Option<&Saved>,
) -> Result<Option<Checkpoints>> {
    let Some(text) = &pipeline.config.checkpoint else { return Ok(None) };
    let Some(every) = types::span(text) else {
        return Err(Error::pipeline(format!("checkpoint {text:?} is no time"))
            .help("say how often: checkpoint = \"30s\" or \"5m\""));
    };
    let (Target::File(output) | Target::Folder(output, _)) = &sink.target else {
        return Err(Error::pipeline("there is a checkpoint, but the output is no file of this machine")
            .help("write to a file or a folder of this machine, or remove checkpoint"));
    };
    let run = Run {
        hypostyle: env!("CARGO_PKG_VERSION").to_string(),
        pipeline: format!("{}\n# memory: {:?}", pipeline.text_to_keep(), pipeline.memory),
        limit: pipeline.limit,
        inputs: source.files.identities(),
        before: before.map(|before| before.about.clone()),
    };
    Ok(Some(Checkpoints::new(output, every, run)))
}

/// Puts the states of an earlier run in the place of fresh ones.
fn restore(pipeline: &Pipeline, stages: &mut [PlannedStage], judge: &mut Judge, saved: &Saved) -> Result<()> {
    let counts = (stages.len(), judge.orders.len());
    if (saved.stages.len(), saved.rules.len()) != counts {
        let message = format!(
            "the state is of {} stages and {} rules of order, but the pipeline has {} and {}",
            saved.stages.len(),
            saved.rules.len(),
            counts.0,
            counts.1
        );
        return Err(Error::new(ErrorKind::State, message)
            .help("run the pipeline that wrote it; or, to begin anew, remove the state"));
    }
    for (index, (planned, bytes)) in stages.iter_mut().zip(&saved.stages).enumerate() {
        let place = format!("stage {}", index + 1);
        let stage = saved::restore(bytes, planned.stage.specs(), &place)?;
        planned.stage = match pipeline.threads {
            Some(threads) => stage.with_threads(threads).map_err(|error| Error::stage(place, &error))?,
            None => stage,
        };
    }
    for (rule, bytes) in judge.orders.iter_mut().zip(&saved.rules) {
        let stage = rule.stage();
        *stage = saved::restore(bytes, stage.specs(), "a rule")?;
    }
    Ok(())
}

/// The names of the columns that the output or a kernel asks for.
fn needed(pipeline: &Pipeline, columns: &[String], specs: &[Vec<Asked>]) -> Result<HashSet<String>> {
    let mut needed: HashSet<String> = columns.iter().cloned().collect();
    for (index, (table, specs)) in pipeline.config.stage.iter().zip(specs).enumerate() {
        needed.extend(table.over.iter().flat_map(Names::to_vec).chain(table.by.clone()));
        for Asked { line, spec } in specs {
            let inputs = spec.input_columns();
            let fault = |error| Error::stage(format!("stage {}", index + 1), &error).at_line(*line);
            needed.extend(inputs.map_err(fault)?.into_iter().chain(spec.over.clone()));
        }
    }
    Ok(needed)
}

/// A kernel as the file asks for it, with the line that it begins at.
struct Asked {
    line: u64,
    spec: KernelSpec,
}

/// The stage's kernels, each with the stage's `over` and `by` where it has none of its own, and each valid alone.
fn specs(pipeline: &Pipeline, index: usize, table: &StageTable) -> Result<Vec<Asked>> {
    if table.kernel.is_empty() {
        return Err(Error::pipeline(format!("stage {} has no kernel", index + 1))
            .help("add one: [[stage.kernel]] with name = \"rolling_mean\", say; `hypostyle kernels` lists them"));
    }
    let asked = table.kernel.iter().map(|kernel| {
        let line = pipeline.line(kernel.span().start);
        let mut spec = kernel.get_ref().clone();
        if let (Some(over), true) = (&table.over, spec.over.is_empty()) {
            spec.over = over.to_vec();
        }
        if let (Some(by), true) = (&table.by, needs_time(&spec)) {
            spec.parameters.entry("by".to_string()).or_insert_with(|| Value::Text(by.clone()));
        }
        spec.validate().map_err(|error| Error::stage(format!("stage {}", index + 1), &error).at_line(line))?;
        Ok(Asked { line, spec })
    });
    asked.collect()
}

/// Whether the kernel's window is a duration, which is measured on a time column.
fn needs_time(spec: &KernelSpec) -> bool {
    let timed = matches!(spec.parameters.get("window"), Some(Value::Text(_)));
    timed && spec.kernel().is_ok_and(|kernel| kernel.accepts("by"))
}

fn plan_stage(
    pipeline: &Pipeline,
    index: usize,
    asked: Vec<Asked>,
    schema: &Schema,
) -> Result<(PlannedStage, SchemaRef)> {
    let place = format!("stage {}", index + 1);
    let table = &pipeline.config.stage[index];
    let over = table.over.as_ref().map(|over| over.to_vec()).unwrap_or_default();
    let fault = |line: u64| {
        let place = place.clone();
        move |error: hypostyle::Error| Error::stage(place, &error).at_line(line)
    };
    for name in over.iter().chain(&table.by) {
        if schema.field_with_name(name).is_err() {
            let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            return Err(Error::new(
                ErrorKind::Stage(hypostyle::ErrorKind::MissingColumn),
                format!("{place}: its over or by names column '{name}', which isn't there"),
            )
            .help(format!("the columns are {}", quoted(&names))));
        }
    }
    for Asked { line, spec } in &asked {
        Stage::new(vec![spec.clone()]).and_then(|stage| stage.output_schema(schema)).map_err(fault(*line))?;
    }
    let first = asked.first().map_or(1, |asked| asked.line);
    let specs: Vec<KernelSpec> = asked.into_iter().map(|asked| asked.spec).collect();
    let mut stage = Stage::new(specs.clone()).map_err(fault(first))?;
    if let Some(threads) = pipeline.threads {
        stage = stage.with_threads(threads).map_err(fault(first))?;
    }
    let after = stage.output_schema(schema).map_err(fault(first))?;
    let mut outputs = Vec::with_capacity(specs.len());
    for spec in specs {
        let name = spec.output_name().map_err(fault(first))?;
        let field = after.field_with_name(&name);
        let field = field.map_err(|_| Error::internal(format_args!("{place}: there is no output column '{name}'")))?;
        let data_type = field.data_type().clone();
        outputs.push((name, data_type, spec));
    }
    Ok((PlannedStage { stage, over, outputs }, after))
}
