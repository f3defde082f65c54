//! Kernels that share their input and keys, with all their state: batches in, batches out, stop and resume at any row.

mod advance;
mod bound_kernels;
mod evaluate;
mod repartition;
mod schedule;
mod stage_plan;
mod state_file;
mod threads;
mod watermark;

pub use advance::Stage;
pub use evaluate::{PlannedKernels, evaluate, output_fields};
pub use repartition::Evict;
