//! The kernels, one file per family of definitions.  The catalog lists their entries.

pub mod cumulative;
pub mod events;
pub mod exponential;
pub(crate) mod fields;
pub mod filters;
pub mod gaps;
pub mod neighbors;
pub mod ordered;
pub mod recurrences;
pub mod rows;
pub mod smoothers;
pub mod statistics;
pub mod value;
