//! What the operations that are written for a function do not reach.

use crate::ops::Rare;

impl Rare {
    /// The function of two values, from their bits to the bits of the result.
    pub fn function(self) -> extern "C" fn(u64, u64) -> u64 {
        extern "C" fn sin(x: u64, _: u64) -> u64 {
            libm::sin(f64::from_bits(x)).to_bits()
        }
        extern "C" fn cos(x: u64, _: u64) -> u64 {
            libm::cos(f64::from_bits(x)).to_bits()
        }
        extern "C" fn quotient(a: u64, b: u64) -> u64 {
            int_quotient(a.cast_signed(), b.cast_signed()).to_bits()
        }
        match self {
            Self::Sin => sin,
            Self::Cos => cos,
            Self::Quotient => quotient,
        }
    }
}

/// `a / b` of two integers of Python: the float nearest to the exact quotient.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, and rounded in one step beyond")]
pub fn int_quotient(a: i64, b: i64) -> f64 {
    const EXACT: u64 = 1 << 53;
    if b == 0 {
        return 0.0;
    }
    let (x, y) = (a.unsigned_abs(), b.unsigned_abs());
    let sign = if (a < 0) == (b < 0) { 1.0 } else { -1.0 };
    if x <= EXACT && y <= EXACT {
        return a as f64 / b as f64;
    }
    // A quotient of at least 2^62, with a sticky bit for the remainder, rounded once by the conversion.
    let shift = 63 + y.ilog2() - x.max(1).ilog2();
    let wide = u128::from(x) << shift;
    let quotient = (wide / u128::from(y)) << 1 | u128::from(wide % u128::from(y) != 0);
    sign * (quotient as f64 * 2f64.powi(-1 - shift.cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_of_integers_are_rounded_once() {
        // By CPython 3.11.
        for (a, b, expected) in [
            (1, -9_223_372_036_854_775_807, -1.084_202_172_485_504_4e-19),
            (1, 10_000_000_000_000_000, 1e-16),
            (i64::MAX, 3, 3.074_457_345_618_258_4e18),
            ((1 << 53) + 1, 1, 9_007_199_254_740_992.0),
            (i64::MIN, -1, 9.223_372_036_854_776e18),
            (9_007_199_254_740_993, 9_007_199_254_740_995, 0.999_999_999_999_999_8),
            (0, -5, -0.0),
        ] {
            assert_eq!(int_quotient(a, b), expected, "{a} / {b}");
        }
    }
}
