//! The Polars expression plugin: Polars loads this library and calls it over a C interface.
//!
//! | module | contents |
//! |---|---|
//! | `entry` | the two C functions that Polars looks up |
//! | `expression` | the expression behind them: series in, kernels, series out |
//! | `ffi` | series and arrow-rs arrays, moved into each other without a copy |

mod entry;
mod expression;
mod ffi;
