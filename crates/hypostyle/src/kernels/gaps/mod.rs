//! Values for rows that have none, from the values after them: over whole columns in memory only.

pub mod bfill;
pub mod interpolate;

use crate::error::Result;
use crate::run::Binding;
use crate::spec::{Arguments, Duration};

/// The largest number of rows that the parameter `limit` allows.
fn limit(arguments: &Arguments) -> Result<Option<usize>> {
    match arguments.optional_count("limit")? {
        Some(0) => Err(arguments.refuse("limit", "must be at least 1 row, got 0")),
        limit => Ok(limit),
    }
}

/// How far a value is carried, by the parameters `limit`, `within` and `by`.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// So many rows, if they are limited.
    pub(super) limit: Option<usize>,
    within: Option<(Duration, String)>,
}

impl Reach {
    /// What the parameters say.
    pub(super) fn of(arguments: &Arguments) -> Result<Self> {
        let (by, limit) = (arguments.optional_column("by")?, limit(arguments)?);
        let within = if arguments.has("within")? { Some(arguments.duration("within")?) } else { None };
        match (within, by) {
            (Some(_), None) => Err(arguments
                .refuse("by", "required, because 'within' is given")
                .with_help("name the time column, or limit the rows with limit=5")),
            (None, Some(_)) => Err(arguments
                .refuse("by", "requires `within`; without it no time matters")
                .with_help("set within to a duration such as '5m', or remove by")),
            (within, by) => Ok(Self { limit, within: within.zip(by) }),
        }
    }

    /// So long, in steps of the time column, which is named too; `None` if no time limits it.
    pub(super) fn within(&self, binding: &Binding) -> Result<Option<(u64, &str)>> {
        let Some((within, by)) = &self.within else { return Ok(None) };
        let (_, time) = binding.time_column(by)?;
        Ok(Some((within.reach(binding.kernel_name(), by, time, true)?, by)))
    }
}
