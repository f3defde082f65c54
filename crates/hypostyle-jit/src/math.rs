//! The functions that a user's function can call, as CPython defines them, total: where CPython raises there is a value, which
//! nobody sees.
//!
//! The most frequent ones are written out in operations ([`elementary`]).  The other transcendental functions come from the crates `pxfm` and `libm`, of each the faster one, so that the bits do not depend on the system's libm.  `libm` computes
//! without fused multiplications.  `pxfm` (0.1.30) uses them where the machine has them; of its functions here, whose results are
//! correctly rounded, both ways agree on 8 million random numbers each.

use crate::elementary::{self, Numbers};
use crate::ops::{IntBinary, Math, Math2, Overflow};

impl Math {
    /// The function.
    pub fn function(self) -> extern "C" fn(f64) -> f64 {
        macro_rules! written {
            ($f:path) => {{
                extern "C" fn shim(x: f64) -> f64 {
                    $f(&mut Numbers, x)
                }
                shim
            }};
        }
        macro_rules! shim {
            ($f:path) => {{
                extern "C" fn shim(x: f64) -> f64 {
                    $f(x)
                }
                shim
            }};
        }
        match self {
            Self::Exp => written!(elementary::exp),
            Self::Exp2 => shim!(pxfm::f_exp2),
            Self::Expm1 => shim!(pxfm::f_expm1),
            Self::Log => written!(elementary::log),
            Self::Log2 => shim!(libm::log2),
            Self::Log10 => shim!(libm::log10),
            Self::Log1p => shim!(libm::log1p),
            Self::Sin => written!(elementary::sin),
            Self::Cos => written!(elementary::cos),
            Self::Tan => shim!(libm::tan),
            Self::Asin => written!(elementary::asin),
            Self::Acos => written!(elementary::acos),
            Self::Atan => written!(elementary::atan),
            Self::Sinh => shim!(libm::sinh),
            Self::Cosh => shim!(libm::cosh),
            Self::Tanh => shim!(libm::tanh),
            Self::Asinh => shim!(pxfm::f_asinh),
            Self::Acosh => shim!(pxfm::f_acosh),
            Self::Atanh => shim!(pxfm::f_atanh),
            Self::Cbrt => shim!(pxfm::f_cbrt),
            Self::Erf => written!(elementary::erf),
            Self::Erfc => shim!(libm::erfc),
            Self::Gamma => shim!(libm::tgamma),
            Self::Lgamma => shim!(libm::lgamma),
        }
    }
}

impl Math2 {
    /// The function.
    pub fn function(self) -> extern "C" fn(f64, f64) -> f64 {
        match self {
            Self::Pow => pow,
            Self::Atan2 => atan2,
            Self::Hypot => hypot,
            Self::Fmod => fmod,
            Self::FloorDiv => floor_div,
            Self::Mod => modulo,
        }
    }
}

extern "C" fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

extern "C" fn atan2(y: f64, x: f64) -> f64 {
    elementary::atan2(&mut Numbers, y, x)
}

extern "C" fn hypot(x: f64, y: f64) -> f64 {
    if x.is_infinite() || y.is_infinite() { f64::INFINITY } else { libm::hypot(x, y) }
}

/// The remainder of C, exact.
extern "C" fn fmod(x: f64, y: f64) -> f64 {
    x % y
}

/// `x // y` of Python: the quotient of `x - x % y` and `y`, rounded to the integer that it almost is.
extern "C" fn floor_div(x: f64, y: f64) -> f64 {
    let mut remainder = x % y;
    let mut quotient = (x - remainder) / y;
    if remainder != 0.0 && (y < 0.0) != (remainder < 0.0) {
        remainder += y;
        quotient -= 1.0;
    }
    let _ = remainder;
    if quotient == 0.0 {
        return 0.0_f64.copysign(x / y);
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

/// `x % y` of Python: with the sign of `y`.
extern "C" fn modulo(x: f64, y: f64) -> f64 {
    let remainder = x % y;
    if remainder == 0.0 {
        0.0_f64.copysign(y)
    } else if (y < 0.0) != (remainder < 0.0) {
        remainder + y
    } else {
        remainder
    }
}

/// `round(x, digits)` of Python: the decimal number of that many digits nearest to the exact value, ties to even, as a float.
pub extern "C" fn round_to(x: f64, digits: i32) -> f64 {
    // With more digits than these nothing changes, with fewer nothing is left (the bounds of CPython).
    if !x.is_finite() || digits > 323 {
        return x;
    }
    if digits < -308 {
        return 0.0 * x;
    }
    let power = 10f64.powi(digits.abs().min(22));
    if (0..=22).contains(&digits) {
        let scaled = x * power;
        let (whole, size) = (scaled.round_ties_even(), scaled.abs());
        // The product is off by at most half a unit in its last place; unless that could hide a tie, the integer is the right
        // one, and its quotient by an exact power of ten is correctly rounded.
        let to_tie = ((scaled - scaled.floor()) - 0.5).abs();
        if size < 4_503_599_627_370_496.0 && to_tie > size * f64::EPSILON {
            return (whole / power).copysign(x);
        }
    }
    rounded_by_digits(x, digits)
}

/// By writing out the digits of the exact value.
#[cold]
fn rounded_by_digits(x: f64, digits: i32) -> f64 {
    let (sign, size) = (if x.is_sign_negative() { -1.0 } else { 1.0 }, x.abs());
    let text = if let Ok(digits) = usize::try_from(digits) {
        format!("{size:.digits$}")
    } else {
        // To tens: the digits of the integer part, rounded by hand, because there is no format for it.
        let exact = format!("{size:.1100}");
        let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
        let dropped = digits.unsigned_abs() as usize;
        if dropped > whole.len() {
            return 0.0 * sign;
        }
        let (kept, rest) = whole.split_at(whole.len() - dropped);
        let is_zero = |text: &str| text.bytes().all(|digit| digit == b'0');
        let (first, others) = (rest.as_bytes()[0], &rest[1..]);
        let tie = first == b'5' && is_zero(others) && is_zero(fraction);
        let odd = kept.bytes().last().is_some_and(|digit| (digit - b'0') % 2 == 1);
        let up = if tie { odd } else { first >= b'5' };
        format!("{}e{dropped}", if up { incremented(kept) } else { format!("0{kept}") })
    };
    text.parse::<f64>().unwrap_or(size) * sign
}

fn incremented(digits: &str) -> String {
    let mut digits: Vec<u8> = format!("0{digits}").into_bytes();
    for digit in digits.iter_mut().rev() {
        if *digit == b'9' {
            *digit = b'0';
        } else {
            *digit += 1;
            break;
        }
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

impl IntBinary {
    /// The result, total.
    pub fn of(self, a: i64, b: i64) -> i64 {
        match self {
            Self::Add => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::Mul => a.wrapping_mul(b),
            Self::FloorDiv => floor_div_ints(a, b),
            Self::Mod => modulo_ints(a, b),
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
            Self::Shl => a.wrapping_shl((b & 63) as u32),
            Self::Shr => a.wrapping_shr((b & 63) as u32),
            Self::Pow => int_pow(a, b),
            Self::Round => int_round(a, b),
        }
    }
}

impl Overflow {
    /// Whether the exact result has more than 64 bits.
    pub fn of(self, a: i64, b: i64) -> bool {
        match self {
            Self::Add => a.checked_add(b).is_none(),
            Self::Sub => a.checked_sub(b).is_none(),
            Self::Mul => a.checked_mul(b).is_none(),
            Self::Pow => checked_pow(a, b).is_none(),
            Self::Round => checked_round(a, b).is_none(),
        }
    }
}

/// `round(x, -digits)` of an int, for 1 to 18 digits: to a multiple of a power of ten, ties to even; `None` beyond 64 bits.
fn checked_round(x: i64, digits: i64) -> Option<i64> {
    let unit = 10i64.checked_pow(u32::try_from(digits).ok()?)?;
    let (quotient, remainder) = (x.div_euclid(unit), x.rem_euclid(unit));
    let up = match (2 * remainder).cmp(&unit) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => quotient & 1,
        std::cmp::Ordering::Greater => 1,
    };
    (quotient + up).checked_mul(unit)
}

pub extern "C" fn int_round(x: i64, digits: i64) -> i64 {
    checked_round(x, digits).unwrap_or(0)
}

pub extern "C" fn int_round_overflows(x: i64, digits: i64) -> i64 {
    i64::from(checked_round(x, digits).is_none())
}

pub extern "C" fn floor_div_ints(a: i64, b: i64) -> i64 {
    if b == 0 {
        return 0;
    }
    let quotient = a.wrapping_div(b);
    let remainder = a.wrapping_rem(b);
    if remainder != 0 && (remainder < 0) != (b < 0) { quotient - 1 } else { quotient }
}

pub extern "C" fn modulo_ints(a: i64, b: i64) -> i64 {
    if b == 0 {
        return 0;
    }
    let remainder = a.wrapping_rem(b);
    if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder }
}

/// `None` if the result has more than 64 bits; 0 for a negative exponent.
fn checked_pow(a: i64, b: i64) -> Option<i64> {
    match (a, u32::try_from(b)) {
        (_, Ok(b)) => a.checked_pow(b),
        _ if b < 0 => Some(0),
        (0, _) => Some(0),
        (1, _) => Some(1),
        (-1, _) => Some(if b % 2 == 0 { 1 } else { -1 }),
        _ => None,
    }
}

pub extern "C" fn int_pow(a: i64, b: i64) -> i64 {
    checked_pow(a, b).unwrap_or(0)
}

pub extern "C" fn int_pow_overflows(a: i64, b: i64) -> i64 {
    i64::from(checked_pow(a, b).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_decimal() {
        // By CPython 3.11.
        for (x, digits, expected) in [
            (2.675, 2, 2.67),
            (1.005, 2, 1.0),
            (0.5, 0, 0.0),
            (2.5, 0, 2.0),
            (-0.5, 0, -0.0),
            (1e22, 2, 1e22),
            (5e-324, 323, 0.0),
            (5e-324, 324, 5e-324),
            (1234.5678, -2, 1200.0),
            (150.0, -2, 200.0),
            (250.0, -2, 200.0),
            (0.15, 1, 0.1),
            (4_503_599_627_370_497.5, 1, 4_503_599_627_370_497.5),
            (999_999.999_999_95, 9, 999_999.999_999_95),
        ] {
            assert_eq!(round_to(x, digits).to_bits(), f64::to_bits(expected), "round({x}, {digits})");
        }
    }

    #[test]
    fn floor_division_has_the_sign_of_the_divisor() {
        // By CPython 3.11.
        for (x, y, quotient, remainder) in [
            (7.0, -2.0, -4.0, -1.0),
            (-7.0, 2.0, -4.0, 1.0),
            (1.0, 0.1, 9.0, 0.099_999_999_999_999_95),
            (-1.0, f64::INFINITY, -1.0, f64::INFINITY),
            (0.0, -3.0, -0.0, -0.0),
        ] {
            assert_eq!(floor_div(x, y).to_bits(), f64::to_bits(quotient), "{x} // {y}");
            assert_eq!(modulo(x, y).to_bits(), f64::to_bits(remainder), "{x} % {y}");
        }
        assert_eq!((floor_div_ints(-7, 2), modulo_ints(-7, 2)), (-4, 1));
        assert_eq!((floor_div_ints(7, -2), modulo_ints(7, -2)), (-4, -1));
        assert_eq!(int_round(-15, 1), -20);
        assert_eq!(int_round(25, 1), 20);
    }
}
