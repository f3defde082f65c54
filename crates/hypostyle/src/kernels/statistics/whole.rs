//! Sums of decimals and durations, and means of durations, exactly: in 128 bits.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::model::Statistic;
use crate::run::{Bare, Binding, Inputs, Running, Window};
use crate::values::type_of_sum;

/// The sum of integers, or their mean without its fraction.
#[derive(Debug, Clone)]
struct Whole<const MEAN: bool>;

/// A number of its halves, the lower first.
#[inline]
pub(super) fn number([low, high]: [i64; 2]) -> i128 {
    (i128::from(high) << 64) | i128::from(low.cast_unsigned())
}

/// The halves of a number, the lower first.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
#[inline]
pub(super) fn halves(number: i128) -> [i64; 2] {
    [number as i64, (number >> 64) as i64]
}

impl<const MEAN: bool> Statistic for Whole<MEAN> {
    type Input = i64;
    type Output = i64;
    /// The sum, its lower half first.
    type State = [i64; 2];

    fn empty(&self) -> [i64; 2] {
        [0; 2]
    }

    #[inline(always)]
    fn push(&self, sum: &mut [i64; 2], x: i64, _anchor: i64) {
        *sum = halves(number(*sum) + i128::from(x));
    }

    #[inline(always)]
    fn merge(&self, earlier: &[i64; 2], later: &[i64; 2]) -> [i64; 2] {
        halves(number(*earlier) + number(*later))
    }

    fn finish(&self, sum: &[i64; 2], count: usize, _anchor: i64) -> Option<i64> {
        // Drivers ask for results of no rows too, and drop them.
        i64::try_from(if MEAN { number(*sum) / count.max(1) as i128 } else { number(*sum) }).ok()
    }

    fn finish_empty(&self) -> Option<i64> {
        (!MEAN).then_some(0)
    }
}

/// The sum of a column of decimals or durations; none for other columns.
///
/// # Errors
/// A window that does not suit the types.
pub(super) fn sum(
    window: &Window,
    inputs: &Inputs,
    binding: &Binding,
    column: &str,
) -> Result<Option<Box<dyn Running>>> {
    let output = match binding.column(column)?.1 {
        decimal if decimal.is_decimal() => type_of_sum(decimal),
        duration @ DataType::Duration(_) => duration.clone(),
        _ => return Ok(None),
    };
    let wiring = inputs.clone().with_decimals().returning(output).bind::<i64, i64>(binding)?;
    window.statistic(binding, wiring, Whole::<false>, Bare).map(Some)
}

/// The mean of a column of durations; none for other columns.
///
/// # Errors
/// A window that does not suit the types.
pub(super) fn mean(
    window: &Window,
    inputs: &Inputs,
    binding: &Binding,
    column: &str,
) -> Result<Option<Box<dyn Running>>> {
    if !matches!(binding.column(column)?.1, DataType::Duration(_)) {
        return Ok(None);
    }
    let wiring = inputs.bind::<i64, i64>(binding)?;
    window.statistic(binding, wiring, Whole::<true>, Bare).map(Some)
}
