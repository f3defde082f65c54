//! The door to Python: a Polars expression plugin and the extension module `hypostyle._native`, in one library.
//!
//! | module | what |
//! |---|---|
//! | `plugin` | the expression that Polars calls by name over its C interface |
//! | `entry` | the C functions themselves |
//! | `border` | Series and arrow-rs arrays, moved into each other without a copy; with `entry` the only `unsafe` code |
//! | `frames` | whole frames in and out by the Arrow PyCapsule interface |
//! | `stage`, `module` | what Python sees |
//! | `errors` | which exception each kind of error becomes |

use pyo3_polars::PolarsAllocator;

/// Polars' own allocator, so that memory is reused across the border instead of being fetched from the system each time.
#[global_allocator]
static ALLOCATOR: PolarsAllocator = PolarsAllocator::new();

mod border;
mod entry;
mod errors;
mod frames;
mod module;
mod plugin;
mod stage;
