//! The crate for Python: a Polars expression plugin and the extension module `hypostyle._native`, in one library.
//!
//! It is also the crate that makes a library of custom kernels: an extension module of another name, with a catalog of its
//! own, calls [`init`] and is all that `hypostyle._native` is.  docs/custom-kernels.md has the template.
//!
//! | module | contents |
//! |---|---|
//! | `catalog` | the kernels of this library, those of hypostyle unless [`init`] sets others |
//! | `plugin` | the expression that Polars calls over its C interface |
//! | `python` | the extension module: functions, `Stage`, `Pipeline` |
//! | `planned` | the specifications that were judged already |
//! | `errors` | what both report: exceptions by kind, and caught panics |
//! | `alloc` | Polars' allocator, with huge pages for large columns |
//!
//! `unsafe` code is in `plugin::abi`, `python::numpy` and `alloc` only.

mod alloc;
mod catalog;
mod errors;
mod planned;
mod plugin;
mod python;

pub use python::init;

#[global_allocator]
static ALLOCATOR: alloc::HugePages = alloc::HugePages;
