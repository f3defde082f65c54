//! Integers of 64 bits beside floats: a number as a sum of two floats, of which no digit is lost.

use std::borrow::Cow;

use super::domain::{Domain, Values};
use super::input::Input;
use super::scalar::Scalar;

/// A float, or an integer of up to 64 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Exact {
    /// The nearest float.
    high: f64,
    /// What is missing to the number.
    low: f64,
}

impl Exact {
    /// A float.
    #[inline(always)]
    pub fn of_float(x: f64) -> Self {
        Self { high: x, low: 0.0 }
    }

    /// An integer.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the rest is kept")]
    pub fn of_integer(x: i64) -> Self {
        let high = x as f64;
        Self { high, low: (i128::from(x) - high as i128) as f64 }
    }

    /// Two floats that add up to it.
    pub fn parts(self) -> [f64; 2] {
        [self.high, self.low]
    }

    /// The number that these two floats, which come from [`Exact::parts`], add up to.
    pub fn of_parts([high, low]: [f64; 2]) -> Self {
        Self { high, low }
    }

    /// The integer that it is.
    #[expect(clippy::cast_possible_truncation, reason = "it was an i64")]
    pub(crate) fn integer(self) -> i64 {
        (self.high as i128 + self.low as i128) as i64
    }

    /// The difference, exact for integers that are less than 2^53 apart.
    #[inline(always)]
    pub fn minus(self, other: Self) -> f64 {
        (self.high - other.high) + (self.low - other.low)
    }
}

impl From<Scalar> for Exact {
    #[inline(always)]
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Float(x) => Self::of_float(x),
            Scalar::Integer(x) => Self::of_integer(x),
        }
    }
}

/// Each column is read as floats or as integers, whichever it holds.
impl<const K: usize> Input for [Exact; K]
where
    [Exact; K]: Default,
{
    const LANES: usize = K;
    const WORDS: usize = 2 * K;

    type Lanes<'a> = [&'a Values<'a>; K];

    fn lanes<'a>(columns: &'a [Values<'a>]) -> Self::Lanes<'a> {
        std::array::from_fn(|k| &columns[k])
    }

    #[inline(always)]
    fn read(lanes: &Self::Lanes<'_>, row: usize) -> Self {
        lanes.map(|values| match values {
            Values::Float(values) => Exact::of_float(values[row]),
            Values::Integer(values) => Exact::of_integer(values[row]),
            Values::Constant(x) => Exact::of_float(*x),
            Values::Nothing => Exact::default(),
        })
    }

    fn domain(_: usize) -> Domain {
        Domain::Integer
    }

    fn fits(columns: &[Values], len: usize) -> bool {
        let fits = |values: &Values| match values {
            Values::Float(values) => values.len() == len,
            Values::Integer(values) => values.len() == len,
            Values::Constant(_) => true,
            Values::Nothing => false,
        };
        columns.len() == K && columns.iter().all(fits)
    }

    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        let mut rows = vec![Self::default(); len];
        for (k, values) in columns.iter().enumerate().take(K) {
            match values {
                Values::Float(values) => {
                    rows.iter_mut().zip(values.iter()).for_each(|(row, x)| row[k] = Exact::of_float(*x));
                }
                Values::Integer(values) => {
                    rows.iter_mut().zip(values.iter()).for_each(|(row, x)| row[k] = Exact::of_integer(*x));
                }
                Values::Constant(x) => rows.iter_mut().for_each(|row| row[k] = Exact::of_float(*x)),
                Values::Nothing => {}
            }
        }
        rows.into()
    }

    fn lane(self, lane: usize) -> Scalar {
        Scalar::Float(self[lane].high)
    }

    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        std::array::from_fn(|k| lane(k).into())
    }

    fn word(self, word: usize) -> Scalar {
        let Exact { high, low } = self[word / 2];
        Scalar::Float(if word.is_multiple_of(2) { high } else { low })
    }

    fn lane_of(word: usize) -> usize {
        word / 2
    }

    fn from_words(word: impl Fn(usize) -> Scalar) -> Self {
        std::array::from_fn(|k| Exact { high: word(2 * k).float(), low: word(2 * k + 1).float() })
    }
}

/// Rows of a statistic of differences, and the rows of exact numbers that they are differences of.
pub trait Difference: Input {
    /// A row with its numbers exactly.
    type Exact: Input;

    /// A row and an anchor relative to that anchor: numbers become differences.
    fn relative(row: Self::Exact, anchor: Self::Exact) -> (Self, Self);
}

impl Difference for f64 {
    type Exact = [Exact; 1];

    #[inline(always)]
    fn relative(row: [Exact; 1], anchor: [Exact; 1]) -> (f64, f64) {
        (row[0].minus(anchor[0]), 0.0)
    }
}

impl<const K: usize> Difference for [f64; K]
where
    [f64; K]: Default,
    [Exact; K]: Default,
{
    type Exact = [Exact; K];

    #[inline(always)]
    fn relative(row: [Exact; K], anchor: [Exact; K]) -> (Self, Self) {
        (std::array::from_fn(|k| row[k].minus(anchor[k])), [0.0; K])
    }
}

/// Integers stay as they are.
impl<A: Difference> Difference for (A, i64) {
    type Exact = (A::Exact, i64);

    #[inline(always)]
    fn relative(row: (A::Exact, i64), anchor: (A::Exact, i64)) -> (Self, Self) {
        let (x, zero) = A::relative(row.0, anchor.0);
        ((x, row.1), (zero, anchor.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn differences_of_near_integers_are_exact(x in any::<i64>(), by in -(1i64 << 53)..1 << 53) {
            prop_assume!(x.checked_add(by).is_some());
            let (a, b) = (Exact::of_integer(x), Exact::of_integer(x + by));
            prop_assert_eq!(b.minus(a), by as f64);
            prop_assert_eq!(Exact::of_float(0.5).minus(Exact::of_float(0.25)), 0.25);
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        let (least, most) = (Exact::of_integer(i64::MIN), Exact::of_integer(i64::MAX));
        assert_eq!(most.minus(Exact::of_integer(i64::MAX - 1)), 1.0);
        assert_eq!(Exact::of_integer(i64::MIN + 1).minus(least), 1.0);
        assert_eq!(most.minus(least), 2f64.powi(64));
    }
}
