//! Kernels over all rows at once, in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};

use super::bound_kernels::BoundKernels;
use super::stage_plan::check_keys;
use super::threads::on_threads;
use crate::catalog::{Catalog, PlannedKernel};
use crate::error::Result;
use crate::run::{find_column, pool};
use crate::spec::KernelSpec;

/// Runs kernels over all rows at once and returns their columns, one per specification; keys may differ between them.
///
/// # Errors
/// As [`Stage::new`](crate::Stage::new) and [`Stage::advance`](crate::Stage::advance), except that centered windows work.
pub fn evaluate(batch: &RecordBatch, kernels: &[KernelSpec], threads: Option<usize>) -> Result<RecordBatch> {
    Catalog::builtin().evaluate(batch, kernels, threads)
}

/// The fields that [`evaluate`] returns for inputs of this schema.
///
/// # Errors
/// As [`evaluate`], for errors that depend on types only.
pub fn output_fields(schema: &Schema, kernels: &[KernelSpec]) -> Result<Vec<Field>> {
    Catalog::builtin().output_fields(schema, kernels)
}

impl Catalog {
    /// As [`evaluate`], with the kernels of this catalog.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn evaluate(&self, batch: &RecordBatch, kernels: &[KernelSpec], threads: Option<usize>) -> Result<RecordBatch> {
        let threads = threads.unwrap_or(0);
        pool::start(threads)?;
        let mut planned = kernels.iter().map(|spec| self.plan(spec).map(Some)).collect::<Result<Vec<_>>>()?;
        let mut columns: Vec<Option<(Field, ArrayRef)>> = vec![None; kernels.len()];
        while let Some(first) = columns.iter().position(Option::is_none) {
            let over = &kernels[first].over;
            check_keys(&kernels[first])?;
            let places: Vec<usize> =
                (first..kernels.len()).filter(|at| columns[*at].is_none() && kernels[*at].over == *over).collect();
            let group: Vec<PlannedKernel> = places.iter().filter_map(|place| planned[*place].take()).collect();
            let mut bound = BoundKernels::bind(&group, None, batch.schema_ref(), true)?;
            let results = on_threads(threads, batch.num_rows(), |threads| bound.run(batch, threads))?;
            for ((place, kernel), column) in places.into_iter().zip(&group).zip(results) {
                let field = Field::new(kernel.output_name()?, column.data_type().clone(), true);
                columns[place] = Some((field, column));
            }
        }
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().flatten().unzip();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
    }

    /// As [`output_fields`], with the kernels of this catalog.
    ///
    /// # Errors
    /// As [`output_fields`].
    pub fn output_fields(&self, schema: &Schema, kernels: &[KernelSpec]) -> Result<Vec<Field>> {
        let field = |spec: &KernelSpec| {
            let kernel = self.plan(spec)?;
            for key in &spec.over {
                find_column(schema, key).map_err(|error| error.in_kernel(&spec.name))?;
            }
            Ok(Field::new(kernel.output_name()?, kernel.bind(schema, true)?.wiring().output.clone(), true))
        };
        kernels.iter().map(field).collect()
    }
}
