//! Pipelines: a source, stages of [`hypostyle`] kernels, a sink; and the command `hypostyle` that runs them.
//!
//! A pipeline is a TOML file.  It is read into a [`Pipeline`], judged as a whole into a [`Plan`] (so that every mistake
//! is reported before any work begins), and run batch by batch: one thread reads ahead, one advances the stages, one
//! writes.  Memory is bounded by the batches in flight and the state of the stages, whatever the file's size.  The output
//! appears whole or not at all.
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
//! assert_eq!(summary.rows, 3);
//! let text = std::fs::read_to_string(&output).unwrap();
//! assert_eq!(text, "symbol,price,mean\nA,1.0,1.0\nB,10.0,10.0\nA,3.0,2.0\n");
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod bad;
mod checkpoint;
mod command;
mod config;
mod csv;
mod describe;
mod error;
mod memory;
mod ordered;
mod parquet;
mod pipeline;
mod plan;
mod policy;
mod remote;
mod rules;
mod run;
mod saved;
mod schema;
mod sink;
mod source;
mod types;

pub use command::main_with_args;
pub use error::{Error, ErrorKind, Result};
pub use pipeline::Pipeline;
pub use plan::Plan;
pub use run::{Status, Summary};
