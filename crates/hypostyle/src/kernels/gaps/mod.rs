//! Values for rows that have none, from the values after them: over whole columns in memory only.

pub mod bfill;
pub mod interpolate;

use crate::error::Result;
use crate::spec::Arguments;

/// The largest number of rows that the parameter `limit` allows.
fn limit(arguments: &Arguments) -> Result<usize> {
    match arguments.optional_count("limit")? {
        Some(0) => Err(arguments.refuse("limit", "must be at least 1 row, got 0")),
        limit => Ok(limit.unwrap_or(usize::MAX)),
    }
}
