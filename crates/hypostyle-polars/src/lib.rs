//! The door to Python: a Polars expression plugin and the extension module `hypostyle._native`, in one library.
//!
//! | module | what |
//! |---|---|
//! | `plugin` | the expression that Polars calls by name over its C interface |
//! | `entry` | the C functions themselves |
//! | `border` | Series and arrow-rs arrays, moved into each other without a copy; with `entry` and `memory` the only `unsafe` code |
//! | `frames` | whole frames in and out by the Arrow PyCapsule interface |
//! | `stage`, `module` | what Python sees |
//! | `rows` | rows that come alone: dicts to cells and back |
//! | `memory` | Polars' allocator, with huge pages for large columns |
//! | `errors` | which exception each kind of error becomes |

mod border;
mod entry;
mod errors;
mod frames;
mod memory;
mod module;
mod pipeline;
mod plugin;
mod rows;
mod stage;

#[global_allocator]
static ALLOCATOR: memory::HugePages = memory::HugePages::new();
