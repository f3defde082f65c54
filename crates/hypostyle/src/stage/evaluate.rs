//! Kernels over all rows at once, in memory.

use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Fields, Schema};

use super::bound_kernels::{BoundKernels, StageColumns};
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
        self.plan_all(kernels)?.evaluate(batch, threads)
    }

    /// As [`output_fields`], with the kernels of this catalog.
    ///
    /// # Errors
    /// As [`output_fields`].
    pub fn output_fields(&self, schema: &Schema, kernels: &[KernelSpec]) -> Result<Vec<Field>> {
        self.plan_all(kernels)?.output_fields(schema)
    }

    /// Validates the specifications of kernels that run together, once for many batches.
    ///
    /// # Errors
    /// As [`Catalog::plan`], and a key column that is named twice.
    pub fn plan_all(&self, kernels: &[KernelSpec]) -> Result<PlannedKernels> {
        PlannedKernels::new(kernels.iter().map(|spec| self.plan(spec)).collect::<Result<_>>()?)
    }
}

/// Kernels whose specifications are valid, ready to run over batches: [`Catalog::plan_all`] makes them.
///
/// ```
/// use arrow::array::{ArrayRef, Float64Array, RecordBatch};
/// use hypostyle::{Catalog, rolling_mean};
/// use std::sync::Arc;
///
/// let kernels = Catalog::default().plan_all(&[rolling_mean("x", 2)])?;
/// for rows in [vec![1.0, 3.0], vec![5.0, 5.0, 8.0]] {
///     let batch = RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(rows)) as ArrayRef)])?;
///     assert_eq!(kernels.evaluate(&batch, None)?.num_rows(), batch.num_rows());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PlannedKernels {
    groups: Vec<Group>,
}

/// Kernels of the same keys, and their places among all kernels.
#[derive(Default)]
struct Group {
    kernels: Vec<PlannedKernel>,
    places: Vec<usize>,
    /// The kernels as they were bound to columns before: for the next batch of such columns.
    idle: Mutex<Vec<BoundKernels>>,
}

/// More threads than these seldom evaluate the same kernels at the same time.
const MOST_IDLE: usize = 16;

/// Kernels whose states took more bytes are not kept.
const LARGEST_IDLE: usize = 1 << 16;

impl Group {
    /// Lends the kernels, bound to these columns.
    fn with_bound<R>(&self, schema: &Schema, action: impl FnOnce(&mut BoundKernels) -> Result<R>) -> Result<R> {
        // A lock that another thread holds is not waited for: binding takes a microsecond, and after a fork it would be forever.
        let known = self.idle.try_lock().ok().and_then(|mut idle| idle.pop()).filter(|bound| bound.fits(schema));
        let mut bound = match known {
            Some(bound) => bound,
            None => BoundKernels::bind(&self.kernels, StageColumns::default(), schema, true)?,
        };
        let result = action(&mut bound)?;
        if bound.bytes() <= LARGEST_IDLE {
            bound.restart();
            if let Some(mut idle) = self.idle.try_lock().ok().filter(|idle| idle.len() < MOST_IDLE) {
                idle.push(bound);
            }
        }
        Ok(result)
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("kernels", &self.kernels).finish_non_exhaustive()
    }
}

impl PlannedKernels {
    /// These kernels together.
    ///
    /// # Errors
    /// A key column that is named twice.
    pub fn new(kernels: Vec<PlannedKernel>) -> Result<Self> {
        let mut groups: Vec<Group> = Vec::new();
        for (place, kernel) in kernels.into_iter().enumerate() {
            check_keys(kernel.spec())?;
            let same_keys = |group: &Group| group.kernels.iter().all(|known| known.spec().over == kernel.spec().over);
            let at = groups.iter().position(same_keys).unwrap_or_else(|| {
                groups.push(Group::default());
                groups.len() - 1
            });
            groups[at].kernels.push(kernel);
            groups[at].places.push(place);
        }
        Ok(Self { groups })
    }

    /// As [`evaluate`].
    ///
    /// # Errors
    /// As [`evaluate`], as far as they depend on the batch.
    pub fn evaluate(&self, batch: &RecordBatch, threads: Option<usize>) -> Result<RecordBatch> {
        let arrays = self.evaluate_columns(batch, threads)?;
        let mut fields: Vec<Option<Field>> = vec![None; arrays.len()];
        for Group { kernels, places, .. } in &self.groups {
            for (kernel, place) in kernels.iter().zip(places) {
                fields[*place] = Some(Field::new(kernel.output_name()?, arrays[*place].data_type().clone(), true));
            }
        }
        let schema = Schema::new(fields.into_iter().flatten().collect::<Fields>());
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::new(schema), arrays, &options)?)
    }

    /// As [`PlannedKernels::evaluate`], without the names.
    ///
    /// # Errors
    /// As [`PlannedKernels::evaluate`].
    pub fn evaluate_columns(&self, batch: &RecordBatch, threads: Option<usize>) -> Result<Vec<ArrayRef>> {
        let threads = threads.unwrap_or(0);
        pool::start(threads)?;
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.len()];
        for group in &self.groups {
            let results = group.with_bound(batch.schema_ref(), |bound| {
                on_threads(threads, bound.shareable(batch.num_rows()), |threads| bound.run(batch, threads))
            })?;
            for (place, column) in group.places.iter().zip(results) {
                columns[*place] = Some(column);
            }
        }
        Ok(columns.into_iter().flatten().collect())
    }

    /// As [`output_fields`].
    ///
    /// # Errors
    /// As [`output_fields`], as far as they depend on the schema.
    pub fn output_fields(&self, schema: &Schema) -> Result<Vec<Field>> {
        let mut fields: Vec<Option<Field>> = vec![None; self.len()];
        for Group { kernels, places, .. } in &self.groups {
            for (kernel, place) in kernels.iter().zip(places) {
                for key in &kernel.spec().over {
                    find_column(schema, key).map_err(|error| kernel.blame(error))?;
                }
                let output = kernel.bind(schema, true)?.wiring().output.clone();
                fields[*place] = Some(Field::new(kernel.output_name()?, output, true));
            }
        }
        Ok(fields.into_iter().flatten().collect())
    }

    fn len(&self) -> usize {
        self.groups.iter().map(|group| group.places.len()).sum()
    }
}
