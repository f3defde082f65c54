//! Users' own functions as kernels: a program as data, written in Python, with the meaning of CPython.
//!
//! ```text
//! program    the JSON that Python hands over, parsed and checked; `clock`, what its times are for columns of some unit
//! lower      what it does for columns of known types: operations without control flow
//! build      makes them, simplified
//! ops        these operations
//! elementary the exponential and the logarithm in terms of them
//! interpret  what each does, and the executor that needs no compiler
//! compile    the executor by machine code
//! execute    both, over columns with and without nulls; `windows`, over windows
//! kernel, window_kernel     the kernels `program` and `rolling_program`, for catalogs; `loop_window`, of windows with a loop
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
//! use arrow::datatypes::Float64Type;
//! use hypostyle::{Catalog, KernelSpec};
//!
//! let catalog = Catalog::default().with_kernels(hypostyle_jit::kernels())?;
//! let program = r#"{"name":"peak","inputs":["x"],"state":[["peak",["float","0.0"]]],"outputs":[],"body":[
//!     ["set","peak",["call","max",[["field","peak"],["get","x"]]]],
//!     ["return",[["get","peak"]],[["get","peak"]]]]}"#;
//! let spec = KernelSpec::new("program").with("columns", vec!["x"]).with("program", program);
//! let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 3.0, 2.0]));
//! let peaks = catalog.evaluate(&RecordBatch::try_from_iter([("x", x)])?, &[spec], None)?;
//! assert_eq!(peaks.column(0).as_primitive::<Float64Type>().values(), &[1.0, 3.0, 3.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod clock;
mod compile;
mod elementary;
mod execute;
mod interpret;
mod kernel;
mod loop_window;
mod lower;
mod math;
mod ops;
mod program;
mod window_kernel;
mod windows;

use hypostyle::{Catalog, Kernel};

pub use kernel::shown;

/// The kernels for users' own functions: `program` and `rolling_program`.
pub fn kernels() -> [Kernel; 2] {
    [kernel::kernel(), window_kernel::kernel()]
}

/// The kernels of Hypostyle, and those for users' own functions.
pub fn catalog() -> Catalog {
    Catalog::default().with_kernels(kernels()).unwrap_or_default()
}
