//! Pipelines: a source, stages of [`hypostyle`] kernels, a sink; and the command `hypostyle` that runs them.
//!
//! A pipeline is a TOML file.  It is read into a [`Pipeline`], checked as a whole and turned into a [`Plan`] (so that errors are
//! reported before any work begins), and run batch by batch: one thread reads ahead, one advances the stages, one writes.  Memory is
//! bounded by the batches in flight and the state of the stages, whatever the file size.  The output is written atomically.
//!
//! The modules are layers: each uses only those below it, in the order that `tests/layers.rs` has and checks.
//!
//! ```
//! use hypostyle_pipeline::Pipeline;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let (input, output) = (folder.path().join("trades.csv"), folder.path().join("features.csv"));
//! std::fs::write(&input, "symbol,price\nA,1.0\nB,10.0\nA,3.0\n").unwrap();
//!
//! let pipeline: Pipeline = r#"
//!     [[stage]]
//!     over = "symbol"
//!     [[stage.kernel]]
//!     name = "rolling_mean"
//!     column = "price"
//!     window = 2
//!     min_samples = 1
//!     alias = "mean"
//! "#.parse().unwrap();
//! let summary = pipeline.with_input(&input).with_output(&output).run(&mut |_| ()).unwrap();
//!
//! assert_eq!(summary.rows_written, 3);
//! let text = std::fs::read_to_string(&output).unwrap();
//! assert_eq!(text, "symbol,price,mean\nA,1.0,1.0\nB,10.0,10.0\nA,3.0,2.0\n");
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod cli;
mod config;
mod csv;
mod delta;
mod error;
mod explain;
mod files;
mod ipc;
mod memory;
mod model;
mod ordered;
mod parquet;
mod pipeline;
mod plan;
mod remote;
mod rules;
mod run;
mod schema;
mod sink;
mod source;
mod state;

pub use cli::{main_with_args, main_with_kernels};
pub use error::{Error, ErrorKind, Result};
pub use pipeline::Pipeline;
pub use plan::Plan;
pub use run::{Progress, Summary};
