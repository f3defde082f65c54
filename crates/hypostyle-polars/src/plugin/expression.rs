//! The Polars expression: columns in, kernels, a column out.
//!
//! Which kernel runs is data (the specification as JSON), so one expression serves the whole catalog.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StructArray, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::ffi::FFI_ArrowSchema;
use hypostyle::{KernelSpec, PlannedKernels};
use serde::Deserialize;

use super::abi::{Column, field_of};
use crate::errors::of_panic;
use crate::planned::{Memo, planned_together};

/// The arguments from Python: the specifications, the column of theirs that each input is, and whether the output is a
/// struct of all results rather than a single one.
#[derive(Deserialize)]
struct KernelArguments {
    specs: Vec<String>,
    columns: Vec<String>,
    as_struct: bool,
}

impl KernelArguments {
    fn parse(pickled: &[u8]) -> Result<Self, String> {
        serde_pickle::from_slice(pickled, serde_pickle::DeOptions::new())
            .map_err(|error| format!("the arguments of the expression cannot be read: {error}"))
    }
}

/// An expression whose kernels are judged.
struct Expression {
    kernels: Arc<PlannedKernels>,
    columns: Vec<String>,
    as_struct: bool,
    /// The columns of the last batch.
    batches: Last<Vec<DataType>, SchemaRef>,
    /// The inputs whose output type was asked for last: each its Arrow format and its name.
    outputs: Last<Vec<(String, String)>, Field>,
}

/// What was made last, and from what: Polars asks for the same again and again.
struct Last<K, V>(Mutex<Option<(K, V)>>);

impl<K, V: Clone> Last<K, V> {
    /// What was made from the same, or is made now.
    fn find<E>(&self, is_same: impl Fn(&K) -> bool, make: impl FnOnce() -> Result<(K, V), E>) -> Result<V, E> {
        // A lock that another thread holds is not waited for.
        let mut last = self.0.try_lock().ok();
        if let Some(Some((_, value))) = last.as_deref().map(|last| last.as_ref().filter(|(key, _)| is_same(key))) {
            return Ok(value.clone());
        }
        let (key, value) = make()?;
        if let Some(last) = &mut last {
            **last = Some((key, value.clone()));
        }
        Ok(value)
    }
}

/// The expression of these arguments, which Polars passes on as Python pickled them.
fn expression_of(arguments: &[u8]) -> Result<Arc<Expression>, String> {
    static KNOWN: Memo<Vec<u8>, Expression> = Memo::new();
    KNOWN.find(arguments, || {
        let KernelArguments { specs, columns, as_struct } = KernelArguments::parse(arguments)?;
        let kernels = planned_together(&specs).map_err(|error| error.to_string())?;
        let (batches, outputs) = (Last(Mutex::new(None)), Last(Mutex::new(None)));
        Ok(Expression { kernels, columns, as_struct, batches, outputs })
    })
}

/// The values of an expression; `in_parallel` says that Polars runs it on several threads itself.
pub fn evaluate(mut columns: Vec<Column>, arguments: &[u8], in_parallel: bool) -> Result<Column, String> {
    let expression = expression_of(arguments)?;
    let name = named_after(columns.first_mut().map(|first| std::mem::take(&mut first.name)));
    let batch = expression.batch(columns)?;
    let threads = in_parallel.then_some(1);
    let values: ArrayRef = if expression.as_struct {
        Arc::new(StructArray::from(expression.kernels.evaluate(&batch, threads).map_err(refused)?))
    } else {
        expression.kernels.evaluate_columns(&batch, threads).map_err(refused)?.remove(0)
    };
    Ok(Column { name, values })
}

/// The type of an expression.
pub fn output_field(inputs: &[FFI_ArrowSchema], arguments: &[u8]) -> Result<Field, String> {
    let expression = expression_of(arguments)?;
    let described =
        |input: &FFI_ArrowSchema| (input.format().to_string(), input.name().unwrap_or_default().to_string());
    let same = |(input, (format, name)): (&FFI_ArrowSchema, &(String, String))| {
        input.format() == format && input.name() == Some(name)
    };
    // The format of a type with parts doesn't tell theirs.
    if inputs.iter().any(|input| input.children().next().is_some() || input.dictionary().is_some()) {
        return expression.output(inputs);
    }
    expression.outputs.find(
        |known| known.len() == inputs.len() && inputs.iter().zip(known).all(same),
        || Ok((inputs.iter().map(described).collect(), expression.output(inputs)?)),
    )
}

impl Expression {
    fn output(&self, inputs: &[FFI_ArrowSchema]) -> Result<Field, String> {
        let inputs = inputs.iter().map(field_of).collect::<Result<Vec<_>, _>>()?;
        let fields = inputs.iter().zip(&self.columns);
        let fields = fields.map(|(field, name)| Field::new(name, read_type(field.data_type()).clone(), true));
        let outputs = self.kernels.output_fields(&Schema::new(fields.collect::<Fields>())).map_err(refused)?;
        let data_type = if self.as_struct { DataType::Struct(outputs.into()) } else { outputs[0].data_type().clone() };
        Ok(Field::new(named_after(inputs.first().map(|first| first.name().clone())), data_type, true))
    }

    fn batch(&self, inputs: Vec<Column>) -> Result<RecordBatch, String> {
        let failed = |error| format!("Arrow: {error}");
        let rows = inputs.iter().map(|input| input.values.len()).find(|rows| *rows != 1).unwrap_or(1);
        let mut arrays = Vec::with_capacity(inputs.len());
        for (Column { values, .. }, name) in inputs.into_iter().zip(&self.columns) {
            let values = match values.len() {
                found if found == rows => values,
                // Literals: repeated to the length of the others, as Polars does for its own expressions.
                1 => take(&values, &UInt32Array::from(vec![0; rows]), None).map_err(failed)?,
                found => return Err(format!("column '{name}' has {found} rows, but another has {rows}")),
            };
            let wanted = read_type(values.data_type());
            arrays.push(if wanted == values.data_type() { values } else { cast(&values, wanted).map_err(failed)? });
        }
        let schema = self.batches.find(
            |types| types.iter().eq(arrays.iter().map(|array| array.data_type())),
            || {
                let types: Vec<DataType> = arrays.iter().map(|array| array.data_type().clone()).collect();
                let fields = self.columns.iter().zip(&types).map(|(name, of)| Field::new(name, of.clone(), true));
                let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
                Ok::<_, String>((types, schema))
            },
        )?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema, arrays, &options).map_err(failed)
    }
}

/// Keeps the message as it stands.
fn refused(error: hypostyle::Error) -> String {
    error.to_string()
}

/// Polars names an expression's output after its first input.
fn named_after(first: Option<String>) -> String {
    first.unwrap_or_else(|| "literal".to_string())
}

/// A column of type null is read as floats.
fn read_type(data_type: &DataType) -> &DataType {
    if *data_type == DataType::Null { &DataType::Float64 } else { data_type }
}

/// Runs `action`; a panic becomes an error that names the kernels.
pub fn guarded<T>(arguments: &[u8], action: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|panic| {
        let specs = KernelArguments::parse(arguments).map(|arguments| arguments.specs).unwrap_or_default();
        let kernels = specs.iter().filter_map(|spec| KernelSpec::from_json(spec).ok()).map(|spec| spec.name);
        Err(of_panic(&kernels.collect::<Vec<_>>().join(", "), &*panic))
    })
}
