//! The exponential and the logarithm.

use super::arithmetic::Arithmetic;

/// 1.5 * 2^52: the bits of its sum with a small number are its own and the nearest integer, ties to even.
const SHIFT: f64 = 6_755_399_441_055_744.0;
/// ln 2, of which the first part has few bits, as fdlibm splits it.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
/// Where the exponent begins in the bits of a float, and what is added to it.
const EXPONENT: (u8, i64) = (52, 1023);

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, to 0.003 units in the last place of e^r.
const EXP: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_7,
    0.041_666_666_666_666_67,
    0.008_333_333_333_326_112,
    0.001_388_888_888_888_373,
    0.000_198_412_698_749_030_77,
    2.480_158_732_560_662e-5,
    2.755_725_529_566_513e-6,
    2.755_727_356_845_646_7e-7,
    2.510_526_049_680_846e-8,
    2.091_471_802_608_779_3e-9,
];

/// e^x, within 0.7 units in the last place.
///
/// x = n ln 2 + r; 1 + r is rounded once, and what that loses is added to the rest of the series.
pub fn exp<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    exp_of_rest(m, x, None)
}

/// e^(x + more) for `more` below a unit in the last place of `x`.
pub fn exp_of_sum<M: Arithmetic>(m: &mut M, x: M::Float, more: M::Float) -> M::Float {
    exp_of_rest(m, x, Some(more))
}

fn exp_of_rest<M: Arithmetic>(m: &mut M, x: M::Float, more: Option<M::Float>) -> M::Float {
    // Beyond these the result is 0 or infinite all the same; NaN stays.
    let (least, most) = (m.float(-746.0), m.float(710.0));
    let (below, above) = (m.less(x, least), m.less(most, x));
    let x = m.select(below, least, x);
    let x = m.select(above, most, x);
    let (per_ln2, shift) = (m.float(std::f64::consts::LOG2_E), m.float(SHIFT));
    let scaled = m.mul(x, per_ln2);
    let shifted = m.add(scaled, shift);
    let n = m.sub(shifted, shift);
    let [first, second] = LN_2.map(|part| m.float(part));
    let (high, low) = (m.mul(n, first), m.mul(n, second));
    let high = m.sub(x, high);
    let r = m.sub(high, low);
    let lost = m.sub(high, r);
    let lost = m.sub(lost, low);
    let lost = match more {
        Some(more) => m.add(lost, more),
        None => lost,
    };
    // In pairs, pairs of pairs and so on, which do not wait for each other.
    let square = m.mul(r, r);
    let (mut terms, mut left, mut by) = (EXP.map(|term| m.float(term)), EXP.len(), r);
    while left > 1 {
        for at in 0..left / 2 {
            let product = m.mul(terms[2 * at + 1], by);
            terms[at] = m.add(terms[2 * at], product);
        }
        if left % 2 == 1 {
            terms[left / 2] = terms[left - 1];
        }
        left = left.div_ceil(2);
        by = m.mul(by, by);
    }
    let series = terms[0];
    let rest = m.mul(square, series);
    let one = m.float(1.0);
    let sum = m.add(one, r);
    let taken = m.sub(sum, one);
    let dropped = m.sub(r, taken);
    let lost = m.add(dropped, lost);
    let rest = m.add(rest, lost);
    let y = m.add(sum, rest);
    // By two powers of two, as one alone may be too large or too small for a float.
    let (bits, of_shift) = (m.bits(shifted), m.int(SHIFT.to_bits().cast_signed()));
    let n = m.minus(bits, of_shift);
    let half = m.shift_right(n, 1);
    let rest = m.minus(n, half);
    let (half, rest) = (power(m, half), power(m, rest));
    let y = m.mul(y, half);
    m.mul(y, rest)
}

/// 2^n of a normal float.
fn power<M: Arithmetic>(m: &mut M, n: M::Int) -> M::Float {
    let bias = m.int(EXPONENT.1);
    let n = m.plus(n, bias);
    let bits = m.shift_left(n, EXPONENT.0);
    m.float_of(bits)
}

/// The terms of fdlibm's `log`.
const LOG: [f64; 7] = [
    0.666_666_666_666_673_5,
    0.399_999_999_994_094_2,
    0.285_714_287_436_623_9,
    0.222_221_984_321_497_84,
    0.181_835_721_616_180_5,
    0.153_138_376_992_093_73,
    0.147_981_986_051_165_86,
];

/// ln x by the steps of fdlibm, as `libm` takes them: within 1 unit in the last place.
pub fn log<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    const ONE: i64 = 0x3FF0_0000_0000_0000;
    /// The square root of a half.
    const ROOT: i64 = 0x3FE6_A09E_0000_0000;
    const FRACTION: i64 = 0x000F_FFFF_FFFF_FFFF;
    let (zero, normal) = (m.float(0.0), m.float(f64::MIN_POSITIVE));
    let is_small = m.less(x, normal);
    let (up, down) = (m.float(18_014_398_509_481_984.0), m.float(-54.0));
    let scaled = m.mul(x, up);
    let scaled = m.select(is_small, scaled, x);
    let correction = m.select(is_small, down, zero);
    // x = 2^k (1 + f), 1 + f between the roots of 1/2 and 2.
    let (bits, offset) = (m.bits(scaled), m.int(ONE - ROOT));
    let bits = m.plus(bits, offset);
    let bias = m.int(EXPONENT.1);
    let k = m.shift_right(bits, EXPONENT.0);
    let k = m.minus(k, bias);
    let (mask, root) = (m.int(FRACTION), m.int(ROOT));
    let fraction = m.and(bits, mask);
    let fraction = m.plus(fraction, root);
    let fraction = m.float_of(fraction);
    let (half, one, two) = (m.float(0.5), m.float(1.0), m.float(2.0));
    let f = m.sub(fraction, one);
    let halved = m.mul(half, f);
    let half_square = m.mul(halved, f);
    let sum = m.add(two, f);
    let s = m.div(f, sum);
    let z = m.mul(s, s);
    let w = m.mul(z, z);
    let terms = LOG.map(|term| m.float(term));
    let mut series = |terms: &[M::Float], by: M::Float| {
        let mut sum = terms[terms.len() - 1];
        for term in terms[..terms.len() - 1].iter().rev() {
            sum = m.mul(w, sum);
            sum = m.add(*term, sum);
        }
        m.mul(by, sum)
    };
    let even = series(&[terms[1], terms[3], terms[5]], w);
    let odd = series(&[terms[0], terms[2], terms[4], terms[6]], z);
    let r = m.add(odd, even);
    // k as a float: it is small.
    let (shift, of_shift) = (m.float(SHIFT), m.int(SHIFT.to_bits().cast_signed()));
    let k = m.plus(k, of_shift);
    let k = m.float_of(k);
    let k = m.sub(k, shift);
    let k = m.add(k, correction);
    let [first, second] = LN_2.map(|part| m.float(part));
    let both = m.add(half_square, r);
    let y = m.mul(s, both);
    let low = m.mul(k, second);
    let y = m.add(y, low);
    let y = m.sub(y, half_square);
    let y = m.add(y, f);
    let high = m.mul(k, first);
    let y = m.add(y, high);
    let (end, none, bottom) = (m.float(f64::INFINITY), m.float(f64::NAN), m.float(f64::NEG_INFINITY));
    let is_number = m.less(x, end);
    let y = m.select(is_number, y, x);
    let (is_zero, is_below) = (m.equal(x, zero), m.less(x, zero));
    let y = m.select(is_zero, bottom, y);
    m.select(is_below, none, y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::arithmetic::Numbers;

    /// The distance of two numbers in units of the last place.
    fn ulps(a: f64, b: f64) -> u64 {
        a.to_bits().cast_signed().abs_diff(b.to_bits().cast_signed())
    }

    #[test]
    fn the_exponential_is_within_a_unit_in_the_last_place() {
        let exp = |x: f64| exp(&mut Numbers, x);
        let mut rounded_otherwise = 0;
        for i in 0..1_000_000 {
            let x = f64::from(i) * 1.419_3e-3 - 709.0;
            let (found, right) = (exp(x), pxfm::f_exp(x));
            assert!(ulps(found, right) <= 1, "{x}: {found:?}, {right:?}");
            rounded_otherwise += u32::from(found != right);
        }
        assert!(rounded_otherwise < 50_000, "{rounded_otherwise}");
        for (x, right) in [
            (0.0, 1.0),
            (-0.0, 1.0),
            (1e-300, 1.0),
            (-1e-300, 1.0),
            (1.0, std::f64::consts::E),
            (709.782_712_893_384, f64::MAX.next_down() * (1.0 - 1e-13)),
            (709.782_712_893_385, f64::INFINITY),
            (1e300, f64::INFINITY),
            (f64::INFINITY, f64::INFINITY),
            (-745.133, 5e-324),
            (-745.134, 0.0),
            (-745.2, 0.0),
            (-1e300, 0.0),
            (f64::NEG_INFINITY, 0.0),
        ] {
            let found = exp(x);
            assert!(found == right || (found / right - 1.0).abs() < 1e-12, "{x}: {found:?}, {right:?}");
        }
        assert!(exp(f64::NAN).is_nan());
        for x in [-745.0, -740.5, -720.25, -708.5] {
            assert!(ulps(exp(x), libm::exp(x)) <= 1, "{x}");
        }
    }

    #[test]
    fn the_logarithm_is_that_of_fdlibm() {
        let log = |x: f64| log(&mut Numbers, x);
        let mut x = 3.7e-320_f64;
        while x < 1e308 {
            for x in [x, 1.0 + x.fract() / 7.0, 1.0 / x] {
                assert_eq!(log(x).to_bits(), libm::log(x).to_bits(), "{x:?}");
            }
            x *= 1.000_73;
        }
        for (x, right) in [
            (1.0, 0.0),
            (0.0, f64::NEG_INFINITY),
            (-0.0, f64::NEG_INFINITY),
            (f64::INFINITY, f64::INFINITY),
            (5e-324, libm::log(5e-324)),
            (f64::MAX, libm::log(f64::MAX)),
        ] {
            assert_eq!(log(x), right, "{x}");
        }
        assert!([-1.0, f64::NEG_INFINITY, f64::NAN].iter().all(|x| log(*x).is_nan()));
    }
}
