//! The stages of a pipeline: from kernel entries of the file to [`Stage`]s that fit the columns before them.
//!
//! Kernels are looked up here and nowhere else in this crate, but for the two that rules on row order use: [`entries`] checks
//! each of them alone, [`new_stage`] and [`loaded_stage`] make the stages.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use hypostyle::{Catalog, KernelSpec, Stage, Value};

use super::options::RunOptions;
use crate::config::{Names, PipelineFile, StageTable};
use crate::error::{Error, ErrorKind, Result};
use crate::model::column::{did_you_mean, quoted};
use crate::state::state_file;

/// A stage that fits the columns before it.
pub(crate) struct PlannedStage {
    pub stage: Stage,
    pub over: Vec<String>,
    /// Each kernel with the name and type of its output.
    pub outputs: Vec<(String, DataType, KernelSpec)>,
}

/// A kernel of the pipeline file, with the line that it begins at.
pub(super) struct KernelEntry {
    line: u64,
    spec: KernelSpec,
    /// The columns that it reads.
    inputs: Vec<String>,
}

/// The kernels of every stage, each with the stage's `over` and `by` if it has none of its own, and each valid alone.
pub(super) fn entries(file: &PipelineFile, catalog: &Catalog) -> Result<Vec<Vec<KernelEntry>>> {
    file.config.stage.iter().enumerate().map(|(index, table)| entries_of(file, catalog, index, table)).collect()
}

fn entries_of(file: &PipelineFile, catalog: &Catalog, index: usize, table: &StageTable) -> Result<Vec<KernelEntry>> {
    if table.kernel.is_empty() {
        return Err(Error::pipeline(format!("{} has no kernel", name(index))).help(
            "add [[stage.kernel]] with name = \"rolling_mean\", for example; `hypostyle kernels` lists all kernels",
        ));
    }
    let entry = table.kernel.iter().map(|kernel| {
        let line = file.line(kernel.span().start);
        let mut spec = kernel.get_ref().clone();
        if let (Some(over), true) = (&table.over, spec.over.is_empty()) {
            spec.over = over.to_vec();
        }
        if let (Some(by), true) = (&table.by, needs_time(catalog, &spec)) {
            spec.parameters.entry("by".to_string()).or_insert_with(|| Value::Text(by.clone()));
        }
        let planned = catalog.plan(&spec).map_err(|error| Error::stage(name(index), &error).at_line(line))?;
        let inputs = planned.input_columns().to_vec();
        Ok(KernelEntry { line, spec, inputs })
    });
    entry.collect()
}

/// Whether the kernel's window is a duration, which is measured on a time column.
fn needs_time(catalog: &Catalog, spec: &KernelSpec) -> bool {
    let timed = matches!(spec.parameters.get("window"), Some(Value::Text(_)));
    timed && catalog.kernel(&spec.name).is_ok_and(|kernel| kernel.accepts("by"))
}

/// The columns that the output or a kernel needs.
pub(super) fn needed(file: &PipelineFile, columns: &[String], entries: &[Vec<KernelEntry>]) -> HashSet<String> {
    let mut needed: HashSet<String> = columns.iter().cloned().collect();
    for (table, entries) in file.config.stage.iter().zip(entries) {
        needed.extend(table.over.iter().flat_map(Names::to_vec).chain(table.by.clone()));
        needed.extend(entries.iter().flat_map(|entry| entry.inputs.iter().cloned()));
    }
    needed
}

/// The stages, and the columns behind the last of them.
pub(super) fn plan(
    file: &PipelineFile,
    catalog: &Catalog,
    options: &RunOptions,
    entries: Vec<Vec<KernelEntry>>,
    mut schema: SchemaRef,
) -> Result<(Vec<PlannedStage>, SchemaRef)> {
    let mut stages = Vec::with_capacity(entries.len());
    for (index, (table, entries)) in file.config.stage.iter().zip(entries).enumerate() {
        let (stage, after) = plan_stage(&name(index), table, catalog, options, entries, &schema)?;
        stages.push(stage);
        schema = after;
    }
    Ok((stages, schema))
}

fn plan_stage(
    stage_name: &str,
    table: &StageTable,
    catalog: &Catalog,
    options: &RunOptions,
    entries: Vec<KernelEntry>,
    schema: &Schema,
) -> Result<(PlannedStage, SchemaRef)> {
    let over = table.over.as_ref().map(Names::to_vec).unwrap_or_default();
    let settings = over.iter().map(|name| ("over", name)).chain(table.by.iter().map(|name| ("by", name)));
    for (setting, column) in settings {
        if schema.field_with_name(column).is_err() {
            let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            let near = did_you_mean(column, &names);
            let message = format!("{stage_name}: {setting}: column '{column}' not found{near}");
            return Err(Error::new(ErrorKind::Stage(hypostyle::ErrorKind::MissingColumn), message)
                .help(format!("the columns are {}", quoted(&names))));
        }
    }
    let fault = |line: u64| move |error: hypostyle::Error| Error::stage(stage_name, &error).at_line(line);
    // One by one first, so that an error names the line of its kernel.
    for KernelEntry { line, spec, .. } in &entries {
        new_stage(catalog, std::slice::from_ref(spec))
            .and_then(|stage| stage.output_schema(schema))
            .map_err(fault(*line))?;
    }
    let first = entries.first().map_or(1, |entry| entry.line);
    let specs: Vec<KernelSpec> = entries.into_iter().map(|entry| entry.spec).collect();
    let stage = new_stage(catalog, &specs).and_then(|stage| with_threads(stage, options)).map_err(fault(first))?;
    let after = stage.output_schema(schema).map_err(fault(first))?;
    let mut outputs = Vec::with_capacity(specs.len());
    for (name, spec) in stage.output_names().to_vec().into_iter().zip(specs) {
        let field = after.field_with_name(&name);
        let missing = |_| Error::internal(format_args!("{stage_name}: output column '{name}' is missing"));
        let data_type = field.map_err(missing)?.data_type().clone();
        outputs.push((name, data_type, spec));
    }
    Ok((PlannedStage { stage, over, outputs }, after))
}

/// Replaces the stages by those of an earlier run.
pub(super) fn restore(
    stages: &mut [PlannedStage],
    catalog: &Catalog,
    states: &[Vec<u8>],
    options: &RunOptions,
) -> Result<()> {
    for (index, (planned, bytes)) in stages.iter_mut().zip(states).enumerate() {
        let stage = loaded_stage(catalog, bytes, planned.stage.kernels(), &name(index))?;
        planned.stage = with_threads(stage, options).map_err(|error| Error::stage(name(index), &error))?;
    }
    Ok(())
}

/// Tells the stages which columns will come.
pub(super) fn begin(stages: &mut [PlannedStage], mut schema: SchemaRef) -> Result<()> {
    for (index, planned) in stages.iter_mut().enumerate() {
        let fault = |error| Error::stage(name(index), &error);
        planned.stage.set_schema(&schema).map_err(fault)?;
        schema = planned.stage.output_schema(&schema).map_err(fault)?;
    }
    Ok(())
}

/// The one place where a stage is made from kernels of the pipeline file.
fn new_stage(catalog: &Catalog, specs: &[KernelSpec]) -> hypostyle::Result<Stage> {
    catalog.stage(specs)
}

/// The one place where a stage is loaded from a state.
fn loaded_stage(catalog: &Catalog, bytes: &[u8], specs: &[KernelSpec], stage_name: &str) -> Result<Stage> {
    state_file::load(catalog, bytes, specs, stage_name)
}

fn with_threads(stage: Stage, options: &RunOptions) -> hypostyle::Result<Stage> {
    match options.threads {
        Some(threads) => stage.with_threads(threads),
        None => Ok(stage),
    }
}

/// The name of a stage in messages.
fn name(index: usize) -> String {
    format!("stage {}", index + 1)
}
