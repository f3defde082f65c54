//! Values so huge or so tiny that their powers leave the range of numbers.
//!
//! Sums of squares of 1e200 are infinite, those of 1e-200 are 0.  Multiplying all values by a power of two changes no digit of a
//! result, only its exponent.  So a window that holds such a value is summarized from values scaled to at most 1, and the result
//! is scaled back.  Windows of ordinary values, which give the same bits at any scale, stay as they are.

use super::statistic::Statistic;
use crate::values::{Input, Scalar, arch};

/// The exponent of a column's scale; a lane that is no float has 0.
pub(crate) type Exponents = Vec<i32>;

/// The scale of a column that has only zeros so far.
pub(crate) const UNSCALED: i32 = i32::MIN;

/// The largest exponent of an ordinary value, for sums of powers of this degree; that of the smallest is its negative.
///
/// The difference of two ordinary values is 0 or at least `2^-53` times the smaller one.  Its power, and that of a difference
/// times the number of rows, squared, are in the range of normal numbers.
const fn limit(degree: u32) -> i32 {
    match degree {
        0..=2 => 400,
        3 => 240,
        _ => 170,
    }
}

/// 2 to an exponent in the range of normal numbers.
const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

#[inline(always)]
fn is_wild_number(x: f64, degree: u32) -> bool {
    let size = x.abs();
    let (least, most) = (power_of_two(-limit(degree)), power_of_two(limit(degree)));
    (size > 0.0) & (size < least) | (size > most) & (size <= f64::MAX)
}

/// Negative if the number may be wild.  Zeros, infinities and NaN may be; few other numbers that are not wild.
#[inline(always)]
fn doubt(x: f64, degree: u32) -> i64 {
    const EXPONENT: u64 = 0x7FF << 52;
    // By exponents, as whole numbers; the sign tells that one of the differences is below 0.
    let (least, most) = (power_of_two(-limit(degree)).to_bits(), power_of_two(limit(degree) - 1).to_bits());
    let exponent = x.to_bits() & EXPONENT;
    (exponent.wrapping_sub(least) | most.wrapping_sub(exponent)).cast_signed()
}

/// As [`doubt`], for the numbers of a row.
#[inline(always)]
fn doubt_row<S: Statistic>(row: S::Input) -> i64 {
    let mut all = 0;
    for lane in 0..S::Input::LANES {
        if let Scalar::Float(x) = row.lane(lane) {
            all |= doubt(x, S::DEGREE);
        }
    }
    all
}

/// Whether the row holds a number that a sum of its powers cannot take.
#[inline(always)]
pub(crate) fn is_wild<S: Statistic>(row: S::Input) -> bool {
    // A row that cannot be the anchor adds nothing, whatever its values.
    if S::DEGREE == 0 || !S::can_anchor(row) {
        return false;
    }
    let mut wild = false;
    for lane in 0..S::Input::LANES {
        if let Scalar::Float(x) = row.lane(lane) {
            wild |= is_wild_number(x, S::DEGREE);
        }
    }
    wild
}

/// Rows to look through as a value that pulp compiles for each instruction set.
struct Search<'a, S: Statistic>(&'a [S::Input]);

impl<S: Statistic> pulp::NullaryFnOnce for Search<'_, S> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        self.0.chunks(256).any(|rows| {
            // Most rows are out of doubt, which costs less to see.
            rows.iter().fold(0, |all, row| all | doubt_row::<S>(*row)) < 0
                && rows.iter().fold(false, |wild, row| wild | is_wild::<S>(*row))
        })
    }
}

/// Whether one of the rows is wild, valid or not.
pub(crate) fn any_wild<S: Statistic>(rows: &[S::Input]) -> bool {
    S::DEGREE > 0 && arch().dispatch(Search::<S>(rows))
}

/// Numbers to look through.
struct SearchNumbers<'a, S>(&'a [f64], std::marker::PhantomData<S>);

impl<S: Statistic> pulp::NullaryFnOnce for SearchNumbers<'_, S> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        self.0.chunks(256).any(|xs| {
            xs.iter().fold(0, |all, x| all | doubt(*x, S::DEGREE)) < 0
                && xs.iter().fold(false, |wild, x| wild | is_wild_number(*x, S::DEGREE))
        })
    }
}

/// As [`any_wild`], for one of the columns.
pub(crate) fn any_wild_number<S: Statistic>(numbers: &[f64]) -> bool {
    S::DEGREE > 0 && arch().dispatch(SearchNumbers::<S>(numbers, std::marker::PhantomData))
}

/// The exponent of a number of a column, as far as it matters: 0 for an ordinary one.
fn exponent(x: f64, degree: u32) -> i32 {
    match x {
        0.0 => UNSCALED,
        x if x.is_finite() && is_wild_number(x, degree) => libm::ilogb(x),
        _ => 0,
    }
}

/// The scale of each column of a row.
pub(crate) fn exponents<S: Statistic>(row: S::Input) -> Exponents {
    let of_lane = |lane| match row.lane(lane) {
        _ if !S::can_anchor(row) => UNSCALED,
        Scalar::Float(x) => exponent(x, S::DEGREE),
        Scalar::Integer(_) => 0,
    };
    (0..S::Input::LANES).map(of_lane).collect()
}

/// The larger one of each column.
pub(crate) fn join(exponents: &mut Exponents, others: &[i32]) {
    exponents.iter_mut().zip(others).for_each(|(exponent, other)| *exponent = (*exponent).max(*other));
}

/// Exponents to compute with.
pub(crate) fn settled(exponents: &[i32]) -> Exponents {
    exponents.iter().map(|exponent| if *exponent == UNSCALED { 0 } else { *exponent }).collect()
}

/// The row with each number times 2 to minus its exponent.
pub(crate) fn scaled<I: Input>(row: I, exponents: &[i32]) -> I {
    I::from_words(|word| match row.word(word) {
        // A row that adds nothing may be too large for this scale, but must not become infinite.
        Scalar::Float(x) if x.is_finite() => {
            Scalar::Float(times_power(x, -exponents[I::lane_of(word)]).clamp(f64::MIN, f64::MAX))
        }
        other => other,
    })
}

/// `x` times 2 to this exponent; a NaN keeps its bits.
pub(crate) fn times_power(x: f64, exponent: i32) -> f64 {
    if x.is_finite() && exponent != 0 { libm::scalbn(x, exponent) } else { x }
}

/// Multiplies each sum by 2 to minus its exponent.
pub(crate) fn shift<const N: usize>(sums: &mut [f64; N], exponents: [i32; N]) {
    sums.iter_mut().zip(exponents).for_each(|(sum, exponent)| *sum = times_power(*sum, -exponent));
}

/// The result of a window: of its earlier rows, which are summarized back to front, and its later ones; `None` for earlier ones
/// says that the later ones are not merged with any.
pub(crate) fn answer<S: Statistic>(
    statistic: &S,
    earlier: Option<&[S::Input]>,
    later: &[S::Input],
    anchor: S::Input,
) -> Option<S::Output> {
    let rows = || earlier.unwrap_or_default().iter().chain(later);
    let mut all = vec![UNSCALED; S::Input::LANES];
    rows().for_each(|row| join(&mut all, &exponents::<S>(*row)));
    let all = settled(&all);
    let anchor = scaled(anchor, &all);
    let (mut suffix, mut prefix) = (statistic.empty(), statistic.empty());
    for row in earlier.unwrap_or_default().iter().rev() {
        statistic.push_front(&mut suffix, scaled(*row, &all), anchor);
    }
    for row in later {
        statistic.push(&mut prefix, scaled(*row, &all), anchor);
    }
    let whole = if earlier.is_some() { statistic.merge(&suffix, &prefix) } else { prefix };
    Some(statistic.unscale(statistic.finish(&whole, rows().count(), anchor)?, &all))
}
