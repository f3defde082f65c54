//! The Polars expression plugin: Polars loads this library and calls it over a C interface.
//!
//! No crate of Polars is used.  Series come and go as arrays of the Arrow C data interface, which arrow-rs reads and writes,
//! and Polars does what belongs to its own types on its side: the library is smaller, and a call costs less.
//!
//! | module | contents |
//! |---|---|
//! | `abi` | the C functions that Polars looks up, and the structs that they exchange |
//! | `expression` | the expression behind them: arrays in, kernels, an array out |
//! | `symbols` | the names under which Polars finds the functions |

mod abi;
mod expression;
mod symbols;

pub(crate) use symbols::NAMES;
