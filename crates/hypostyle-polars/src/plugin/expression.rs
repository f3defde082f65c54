//! The Polars expression: Polars looks `_polars_plugin_kernel` up in this library and calls it with the input series.
//!
//! Which kernel runs is data (the specification as JSON), so one entry point serves the whole catalog.  pyo3-polars writes
//! the entry points of `kernel_unguarded`; `entry.rs` wraps them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{RecordBatch, StructArray};
use arrow::datatypes::{Field as ArrowField, Schema};
use hypostyle::KernelSpec;
use polars::prelude::{DataType, Field, PlSmallStr, PolarsError, PolarsResult, Series, polars_bail};
use pyo3_polars::derive::{CallerContext, polars_expr};
use serde::Deserialize;

use crate::catalog::catalog;
use crate::plugin::ffi;

/// The arguments from Python: the specifications, the column of theirs that each input is, and whether the output is a
/// struct of all results rather than a single one.
#[derive(Deserialize)]
pub struct KernelArguments {
    specs: Vec<String>,
    pub columns: Vec<String>,
    as_struct: bool,
}

impl KernelArguments {
    fn specs(&self) -> PolarsResult<Vec<KernelSpec>> {
        self.specs.iter().map(|spec| KernelSpec::from_json(spec).map_err(refused)).collect()
    }

    /// The kernels' names, for messages.
    pub fn kernels(&self) -> String {
        let specs = self.specs.iter().filter_map(|spec| KernelSpec::from_json(spec).ok());
        specs.map(|spec| spec.name).collect::<Vec<_>>().join(", ")
    }
}

#[polars_expr(output_type_func_with_kwargs=output_field)]
fn kernel_unguarded(inputs: &[Series], context: CallerContext, kwargs: KernelArguments) -> PolarsResult<Series> {
    guarded(&kwargs, || {
        let batch = batch_of(&broadcast(inputs)?, &kwargs.columns)?;
        let threads = if context.parallel() { Some(1) } else { None };
        let outputs = catalog().evaluate(&batch, &kwargs.specs()?, threads).map_err(refused)?;
        let name = output_name(inputs.first().map(|series| series.name()));
        if kwargs.as_struct {
            ffi::to_series(&name, &StructArray::from(outputs))
        } else {
            ffi::to_series(&name, outputs.column(0))
        }
    })
}

fn output_field(inputs: &[Field], kwargs: KernelArguments) -> PolarsResult<Field> {
    guarded(&kwargs, || {
        let fields = inputs
            .iter()
            .zip(&kwargs.columns)
            .map(|(field, name)| Ok(ArrowField::new(name, ffi::to_arrow_field(field)?.data_type().clone(), true)));
        let schema = Schema::new(fields.collect::<PolarsResult<Vec<_>>>()?);
        let outputs = catalog().output_fields(&schema, &kwargs.specs()?).map_err(refused)?;
        let outputs = outputs.iter().map(ffi::to_polars_field).collect::<PolarsResult<Vec<_>>>()?;
        let data_type = if kwargs.as_struct { DataType::Struct(outputs) } else { outputs[0].dtype.clone() };
        Ok(Field::new(output_name(inputs.first().map(|field| &field.name)), data_type))
    })
}

/// Polars names an expression's output after its first input.
fn output_name(first: Option<&PlSmallStr>) -> PlSmallStr {
    first.cloned().unwrap_or_else(|| PlSmallStr::from_static("literal"))
}

fn batch_of(inputs: &[Series], names: &[String]) -> PolarsResult<RecordBatch> {
    let arrays = inputs.iter().map(ffi::to_arrow).collect::<PolarsResult<Vec<_>>>()?;
    let fields = arrays.iter().zip(names).map(|(array, name)| ArrowField::new(name, array.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), arrays).map_err(|e| PolarsError::ComputeError(format!("Arrow: {e}").into()))
}

/// Repeats inputs of one row (literals) to the length of the others, as Polars does for its own expressions.
fn broadcast(inputs: &[Series]) -> PolarsResult<Vec<Series>> {
    let rows = inputs.iter().map(|series| series.len()).find(|&rows| rows != 1).unwrap_or(1);
    inputs
        .iter()
        .map(|series| match series.len() {
            found if found == rows => Ok(series.clone()),
            1 => Ok(series.new_from_index(0, rows)),
            found => polars_bail!(ShapeMismatch: "column '{}' has {found} rows, but another has {rows}", series.name()),
        })
        .collect()
}

/// Runs `action`; a panic becomes an error that names the kernel, instead of the word PANIC.
fn guarded<T>(arguments: &KernelArguments, action: impl FnOnce() -> PolarsResult<T>) -> PolarsResult<T> {
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|panic| {
        Err(PolarsError::ComputeError(crate::errors::of_panic(&arguments.kernels(), &*panic).into()))
    })
}

/// Keeps the message as it stands.
fn refused(error: hypostyle::Error) -> PolarsError {
    PolarsError::ComputeError(error.to_string().into())
}
