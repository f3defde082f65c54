//! The crate for Python: a Polars expression plugin and the extension module `hypostyle._native`, in one library.
//!
//! | module | contents |
//! |---|---|
//! | `plugin` | the expression that Polars calls over its C interface |
//! | `python` | the extension module: functions, `Stage`, `Pipeline` |
//! | `errors` | what both report: exceptions by kind, and caught panics |
//! | `alloc` | Polars' allocator, with huge pages for large columns |
//!
//! `unsafe` code is in `plugin::ffi`, `plugin::entry` and `alloc` only.

mod alloc;
mod errors;
mod plugin;
mod python;

#[global_allocator]
static ALLOCATOR: alloc::HugePages = alloc::HugePages::new();
