//! Parquet, in and out.

pub(crate) mod chunks;
pub(crate) mod read;
pub(crate) mod write;
