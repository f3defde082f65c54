#![forbid(unsafe_code)]
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "references may use the system's libm"))]
//! Resumable columnar kernels over Arrow.
//!
//! A kernel reads the rows of each key in order and returns a value per row: a rolling mean, a clipped running sum, the number
//! of a session.  It returns **the same bits whether the rows come in one batch, in any pieces, on any number of threads, or
//! after stop and resume, by key, with nulls.**
//!
//! - [`evaluate`] runs kernels over a whole [`RecordBatch`](arrow::array::RecordBatch).
//! - [`Stage`] runs them over batch after batch, and can be saved and loaded in between.
//! - [`kernels`] lists the kernels; each has a function that makes its [`KernelSpec`], such as [`rolling_mean`].
//! - [`Statistic`], [`OrderedWindow`], [`Recurrence`] and [`RowFunction`] are what a kernel is made of; [`aggregate`],
//!   [`scan`] and [`map_rows`] run a custom one over slices, and as an [`Entry`] of a [`Catalog`] it runs like the others: by
//!   key, in windows, in stages, with saved states.
//!
//! The folders of this crate are its layers, each of which uses only those before it: errors, `values`, `spec`, `keys`,
//! `model`, `drive`, `run`, `kernels`, `catalog`, `stage`.

mod catalog;
mod drive;
mod error;
mod functions;
mod kernels;
mod keys;
mod model;
mod run;
mod spec;
mod stage;
mod values;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod reference;

// Run kernels.
pub use run::set_default_threads;
pub use spec::{KernelSpec, Value};
pub use stage::{Evict, PlannedKernels, Stage, evaluate, output_fields};
pub use values::ScalarValue;

// What went wrong.
pub use error::{Error, ErrorKind, Place, Result};

// The list of kernels, and a function for each: one generated module, so that its names need no list here.
pub use catalog::{Catalog, PlannedKernel, kernel, kernels, kernels_json};
pub use functions::*;
pub use kernels::filters::SHAPES;
pub use run::Kernel;
pub use spec::{Family, Kind, Literal, Parameter};

// Write kernels: the traits, and how one becomes an entry of a catalog.
pub use drive::aggregate::aggregate;
pub use drive::scan::scan;
pub use model::{
    ByRow, Cells, Lane, OrderedWindow, Part, Program, ProgramColumn, ProgramRows, Recurrence, Refused, RowFunction,
    RowKeys, StateField, Statistic, Summary, TILE, Tile, Valid,
};
pub use run::parameters::{BY, CENTER, CLOSED, COLUMN, DDOF, FROM_ONE, MIN_SAMPLES, STEP, WINDOW};
pub use run::{
    Around, Bare, BesideItself, Binding, Entry, Example, Inputs, Plan, Running, Shape, Then, Window, Wiring, map_rows,
};
pub use spec::{Arguments, Closed, Duration, DurationError, Extent, NumberOrColumn, Offset};
pub use values::{Domain, Input, Output, Persist, Scalar, StateReader, StateWriter, Values, code_of, is_text};

// The kernels' own types, for `aggregate` and `scan`.
pub use kernels::exponential::mean::EwmMean;
pub use kernels::statistics::mean::Mean;
