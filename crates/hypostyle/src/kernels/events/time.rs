//! The time between rows: in steps of the time column, as a duration, and in a unit such as a second.

use crate::error::Result;
use crate::kernels::statistics::trend::steps;
use crate::run::Binding;
use crate::spec::{Arguments, Duration, Kind, Literal, Parameter};

/// How many steps of the time column a time is after an earlier one.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "the only rounding")]
pub(super) fn elapsed(earlier: i64, later: i64) -> f64 {
    // Times do not decrease, so the difference is exact as an unsigned number.
    later.wrapping_sub(earlier).cast_unsigned() as f64
}

/// The same as an integer, in a unit that has `factor` parts; none if it is outside 64 bits.
#[inline]
pub(super) fn exact_elapsed(earlier: i64, later: i64, factor: i64) -> Option<i64> {
    later.checked_sub(earlier)?.checked_mul(factor)
}

/// The time column.
pub(super) const BY: Parameter = Parameter::required(
    "by",
    Kind::Time("unit"),
    "The time column. It must be sorted within each key and have no nulls.",
);

/// The unit of time.
pub(super) const UNIT: Parameter = Parameter::optional(
    "unit",
    Kind::Duration,
    Literal::Omitted,
    "The unit of time, a duration such as '1h'. Default: one second; one day for dates; 1 for integers.",
);

/// The parameter `unit`.
pub(super) fn unit_of(arguments: &Arguments) -> Result<Option<Duration>> {
    if arguments.has("unit")? { arguments.duration("unit").map(Some) } else { Ok(None) }
}

/// How many steps of the time column `by` the unit has.
pub(super) fn steps_of(unit: Option<Duration>, binding: &Binding, by: &str) -> Result<f64> {
    steps(("unit", unit), binding, by, binding.time_column(by)?.1)
}

#[cfg(test)]
pub(super) mod reference {
    use crate::reference::text;
    use crate::{KernelSpec, Value};

    /// How many steps of the table's time columns the unit has: milliseconds, or seconds as integers.
    pub fn steps(spec: &KernelSpec, time: &str) -> f64 {
        match spec.parameters.get("unit") {
            None if text(spec, time) == "t" => 1000.0,
            None => 1.0,
            Some(Value::Int(steps)) => *steps as f64,
            Some(Value::Text(text)) if text.ends_with('i') => text.trim_end_matches('i').parse().unwrap(),
            Some(Value::Text(text)) => text.trim_end_matches('s').parse::<f64>().unwrap() * 1000.0,
            Some(other) => panic!("{other}"),
        }
    }
}
