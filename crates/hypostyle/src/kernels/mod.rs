//! The kernels, one file per family of definitions.  The catalog lists their entries.

pub mod exponential;
pub mod filters;
pub mod neighbors;
pub mod ordered;
pub mod recurrences;
pub mod rows;
pub mod smoothers;
pub mod statistics;
pub mod value;
