//! Sine and cosine, and the inverse functions: the steps of fdlibm, with both sides of a branch computed.

use super::arithmetic::Arithmetic;
use crate::ops::Rare;

/// 1.5 * 2^52: the bits of its sum with a small number are its own and the nearest integer, ties to even.
const SHIFT: f64 = 6_755_399_441_055_744.0;
/// Half of pi in parts of 33 bits, and the rest.
const HALF_PI_PARTS: [f64; 3] = [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];
/// Numbers beyond this have too many quarter turns for products with these parts to be exact.
const MANY_TURNS: f64 = 1_048_576.0;
/// A rest nearer to a quarter turn than this has lost too many digits.
const NEAR: f64 = 9.094_947_017_729_282e-13;
/// sin x = x below this.
const TINY: f64 = 7.450_580_596_923_828e-9;

/// Half of pi as the sum of two floats.
const HALF_PI: [f64; 2] = [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17];
const PI: [f64; 2] = [std::f64::consts::PI, 1.224_646_799_147_353_2e-16];

/// The terms of fdlibm's `k_sin`, and of its `k_cos`.
const SIN: [f64; 6] = [
    -0.166_666_666_666_666_32,
    0.008_333_333_333_322_49,
    -0.000_198_412_698_298_579_5,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];
const COS: [f64; 6] = [
    0.041_666_666_666_666_6,
    -0.001_388_888_888_887_411,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// sin x, within 1 unit in the last place.
pub fn sin<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    let turned = quarters(m, x, 0, Rare::Sin);
    let (size, tiny) = (m.abs(x), m.float(TINY));
    let is_tiny = m.less(size, tiny);
    m.select(is_tiny, x, turned)
}

/// cos x, within 1 unit in the last place.
pub fn cos<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    quarters(m, x, 1, Rare::Cos)
}

/// The sine of x and so many quarter turns.
fn quarters<M: Arithmetic>(m: &mut M, x: M::Float, turns: i64, otherwise: Rare) -> M::Float {
    // x = n pi/2 + rest + low.
    let (per, shift) = (m.float(std::f64::consts::FRAC_2_PI), m.float(SHIFT));
    let scaled = m.mul(x, per);
    let shifted = m.add(scaled, shift);
    let n = m.sub(shifted, shift);
    let [first, second, third] = HALF_PI_PARTS.map(|part| {
        let part = m.float(part);
        m.mul(n, part)
    });
    let exact = m.sub(x, first);
    let (high, lost) = difference(m, exact, second);
    let lost = m.sub(lost, third);
    let rest = m.add(high, lost);
    let low = m.sub(high, rest);
    let low = m.add(low, lost);
    let (sine, cosine) = (sine_of(m, rest, low), cosine_of(m, rest, low));
    let (bits, turns) = (m.bits(shifted), m.int(turns));
    let quarter = m.plus(bits, turns);
    let (one, two, none) = (m.int(1), m.int(2), m.int(0));
    let (odd, half) = (m.and(quarter, one), m.and(quarter, two));
    let (is_even, is_first) = (m.same(odd, none), m.same(half, none));
    let y = m.select(is_even, sine, cosine);
    let (zero, bound, near) = (m.float(0.0), m.float(MANY_TURNS), m.float(NEAR));
    let negative = m.sub(zero, y);
    let y = m.select(is_first, y, negative);
    let (size, left) = (m.abs(x), m.abs(rest));
    let (is_far, half_turn) = (m.less(bound, size), m.float(0.5));
    // Without a turn nothing is lost.
    let unturned = m.less(size, half_turn);
    let left = m.select(unturned, half_turn, left);
    let is_near = m.less(left, near);
    let rare = m.or(is_far, is_near);
    m.rarely(otherwise, rare, x, y)
}

/// a - b rounded, and what that loses.
fn difference<M: Arithmetic>(m: &mut M, a: M::Float, b: M::Float) -> (M::Float, M::Float) {
    let high = m.sub(a, b);
    let of_b = m.sub(a, high);
    let of_a = m.add(high, of_b);
    let (lost_a, lost_b) = (m.sub(a, of_a), m.sub(of_b, b));
    (high, m.add(lost_a, lost_b))
}

/// The sine of x + y for |x| < pi / 4 and a small y.
fn sine_of<M: Arithmetic>(m: &mut M, x: M::Float, y: M::Float) -> M::Float {
    let z = m.mul(x, x);
    let w = m.mul(z, z);
    let r = m.polynomial(z, &SIN[1..4]);
    let high = m.polynomial(z, &SIN[4..]);
    let zw = m.mul(z, w);
    let high = m.mul(zw, high);
    let r = m.add(r, high);
    let v = m.mul(z, x);
    let (half, first) = (m.float(0.5), m.float(SIN[0]));
    let (half_y, vr, vs) = (m.mul(half, y), m.mul(v, r), m.mul(v, first));
    let low = m.sub(half_y, vr);
    let low = m.mul(z, low);
    let low = m.sub(low, y);
    let low = m.sub(low, vs);
    m.sub(x, low)
}

/// The cosine of x + y for |x| < pi / 4 and a small y.
fn cosine_of<M: Arithmetic>(m: &mut M, x: M::Float, y: M::Float) -> M::Float {
    let z = m.mul(x, x);
    let w = m.mul(z, z);
    let r = m.polynomial(z, &COS[..3]);
    let r = m.mul(z, r);
    let high = m.polynomial(z, &COS[3..]);
    let ww = m.mul(w, w);
    let high = m.mul(ww, high);
    let r = m.add(r, high);
    let (half, one) = (m.float(0.5), m.float(1.0));
    let hz = m.mul(half, z);
    let w = m.sub(one, hz);
    let lost = m.sub(one, w);
    let lost = m.sub(lost, hz);
    let (zr, xy) = (m.mul(z, r), m.mul(x, y));
    let low = m.sub(zr, xy);
    let low = m.add(lost, low);
    m.add(w, low)
}

/// The terms of fdlibm's `asin` and `acos`.
const ASIN_ABOVE: [f64; 6] = [
    0.166_666_666_666_666_66,
    -0.325_565_818_622_400_9,
    0.201_212_532_134_862_93,
    -0.040_055_534_500_679_41,
    0.000_791_534_994_289_814_5,
    3.479_331_075_960_212e-5,
];
const ASIN_BELOW: [f64; 5] =
    [1.0, -2.403_394_911_734_414, 2.020_945_760_233_505_7, -0.688_283_971_605_453_3, 0.077_038_150_555_901_94];

/// What the arc sine of a number is of its square, or of half of what is missing to 1: that, whether the number is small, and for
/// large ones the root in two parts and the fraction times the root.
struct Arc<F, B> {
    is_small: B,
    fraction: F,
    root: F,
    high: F,
    low: F,
}

fn arc<M: Arithmetic>(m: &mut M, x: M::Float) -> Arc<M::Float, M::Bool> {
    /// The upper half of the bits.
    const UPPER: i64 = -1 << 32;
    let (half, one, zero) = (m.float(0.5), m.float(1.0), m.float(0.0));
    let size = m.abs(x);
    let is_small = m.less(size, half);
    let square = m.mul(x, x);
    let missing = m.sub(one, size);
    let missing = m.mul(missing, half);
    let z = m.select(is_small, square, missing);
    let above = m.polynomial(z, &ASIN_ABOVE);
    let above = m.mul(z, above);
    let below = m.polynomial(z, &ASIN_BELOW);
    let fraction = m.div(above, below);
    let root = m.sqrt(z);
    let (bits, mask) = (m.bits(root), m.int(UPPER));
    let bits = m.and(bits, mask);
    let high = m.float_of(bits);
    let high_square = m.mul(high, high);
    let rest = m.sub(z, high_square);
    let sum = m.add(root, high);
    let is_zero = m.equal(sum, zero);
    let sum = m.select(is_zero, one, sum);
    let low = m.div(rest, sum);
    Arc { is_small, fraction, root, high, low }
}

/// The arc sine, within 1 unit in the last place; NaN beyond 1.
pub fn asin<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    let Arc { is_small, fraction, root, high, low } = arc(m, x);
    let more = m.mul(x, fraction);
    let small = m.add(x, more);
    let (two, quarter) = (m.float(2.0), m.float(0.5 * HALF_PI[0]));
    let lower = m.float(HALF_PI[1]);
    let (twice_root, twice_low, twice_high) = (m.mul(two, root), m.mul(two, low), m.mul(two, high));
    let a = m.mul(twice_root, fraction);
    let b = m.sub(lower, twice_low);
    let a = m.sub(a, b);
    let b = m.sub(quarter, twice_high);
    let a = m.sub(a, b);
    let large = m.sub(quarter, a);
    let large = m.copysign(large, x);
    m.select(is_small, small, large)
}

/// The arc cosine, within 1 unit in the last place; NaN beyond 1.
pub fn acos<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    let Arc { is_small, fraction, root, high, low } = arc(m, x);
    let [half_pi, lower] = HALF_PI.map(|part| m.float(part));
    let (two, zero) = (m.float(2.0), m.float(0.0));
    let product = m.mul(x, fraction);
    let small = m.sub(lower, product);
    let small = m.sub(x, small);
    let small = m.sub(half_pi, small);
    let product = m.mul(fraction, root);
    let right = m.add(product, low);
    let right = m.add(high, right);
    let left = m.sub(product, lower);
    let left = m.add(root, left);
    let left = m.sub(half_pi, left);
    let is_left = m.less(x, zero);
    let large = m.select(is_left, left, right);
    let large = m.mul(two, large);
    m.select(is_small, small, large)
}

/// The terms of fdlibm's `atan`.
const ATAN: [f64; 11] = [
    0.333_333_333_333_329_3,
    -0.199_999_999_998_764_83,
    0.142_857_142_725_034_66,
    -0.111_111_104_054_623_56,
    0.090_908_871_334_365_07,
    -0.076_918_762_050_448_3,
    0.066_610_731_373_875_31,
    -0.058_335_701_337_905_735,
    0.049_768_779_946_159_324,
    -0.036_531_572_744_216_916,
    0.016_285_820_115_365_782,
];
/// For numbers up to the bound: a number whose arc tangent is the two parts.
const ATAN_STEPS: [(f64, f64, [f64; 2]); 4] = [
    (0.4375, 0.0, [0.0, 0.0]),
    (0.6875, 0.5, [0.463_647_609_000_806_1, 2.269_877_745_296_168_7e-17]),
    (1.1875, 1.0, [std::f64::consts::FRAC_PI_4, 3.061_616_997_868_383e-17]),
    (2.4375, 1.5, [0.982_793_723_247_329, 1.390_331_103_123_099_8e-17]),
];

/// The arc tangent, within 1 unit in the last place.
pub fn atan<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    // atan x = atan s + atan (x - s) / (1 + s x); for large numbers half of pi - atan 1 / x.
    let (size, one) = (m.abs(x), m.float(1.0));
    let (mut above, mut below) = (m.float(-1.0), size);
    let [mut high, mut low] = HALF_PI.map(|part| m.float(part));
    for (bound, step, parts) in ATAN_STEPS.into_iter().rev() {
        let (bound, step, parts) = (m.float(bound), m.float(step), parts.map(|part| m.float(part)));
        let within = m.less(size, bound);
        let (difference, product) = (m.sub(size, step), m.mul(step, size));
        let sum = m.add(one, product);
        above = m.select(within, difference, above);
        below = m.select(within, sum, below);
        high = m.select(within, parts[0], high);
        low = m.select(within, parts[1], low);
    }
    let t = m.div(above, below);
    let z = m.mul(t, t);
    let w = m.mul(z, z);
    let even = m.polynomial(w, &[ATAN[0], ATAN[2], ATAN[4], ATAN[6], ATAN[8], ATAN[10]]);
    let odd = m.polynomial(w, &[ATAN[1], ATAN[3], ATAN[5], ATAN[7], ATAN[9]]);
    let (even, odd) = (m.mul(z, even), m.mul(w, odd));
    let sum = m.add(even, odd);
    let lost = m.mul(t, sum);
    let lost = m.sub(lost, low);
    let lost = m.sub(lost, t);
    let y = m.sub(high, lost);
    m.copysign(y, x)
}

/// The angle of a point, within 2 units in the last place: `atan2(y, x)` of C.
pub fn atan2<M: Arithmetic>(m: &mut M, y: M::Float, x: M::Float) -> M::Float {
    let (zero, one) = (m.float(0.0), m.float(1.0));
    let (height, width) = (m.abs(y), m.abs(x));
    let slope = m.div(height, width);
    // Of both the same size, infinite too, it is 1, but of both zero it is 0.
    let (is_diagonal, is_flat) = (m.equal(height, width), m.equal(height, zero));
    let diagonal = m.select(is_flat, zero, one);
    let slope = m.select(is_diagonal, diagonal, slope);
    let angle = atan(m, slope);
    let [pi, lower] = PI.map(|part| m.float(part));
    let other = m.sub(angle, lower);
    let other = m.sub(pi, other);
    // The sign of x, also of -0.
    let sign = m.copysign(one, x);
    let is_left = m.less(sign, zero);
    let angle = m.select(is_left, other, angle);
    m.copysign(angle, y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::arithmetic::Numbers;

    /// The distance of two numbers in units of the last place.
    fn ulps(a: f64, b: f64) -> u64 {
        if a == b || a.is_nan() && b.is_nan() {
            return u64::from(a.is_sign_negative() != b.is_sign_negative() && !a.is_nan());
        }
        a.to_bits().cast_signed().abs_diff(b.to_bits().cast_signed())
    }

    fn check(name: &str, numbers: impl Iterator<Item = f64>, ours: impl Fn(f64) -> f64, right: impl Fn(f64) -> f64) {
        let (mut count, mut rounded_otherwise) = (0, 0);
        for x in numbers {
            let (found, right) = (ours(x), right(x));
            assert!(ulps(found, right) <= 1, "{name}({x:?}): {found:?}, {right:?}");
            count += 1;
            rounded_otherwise += u32::from(ulps(found, right) == 1);
        }
        assert!(rounded_otherwise < count / 5, "{name}: {rounded_otherwise} of {count}");
    }

    /// Numbers of all sizes up to a bound, with both signs, and special ones.
    fn numbers(most: f64) -> impl Iterator<Item = f64> {
        let mut state = 1_u64;
        let random = std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        });
        let even = (-200_000..=200_000).map(move |i| f64::from(i) / 200_000.0 * most);
        let special = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-20, 1e-9, -1e-8, f64::NAN].into_iter();
        let sizes = random.take(200_000).enumerate().map(move |(i, x)| {
            let size = most * x * 2_f64.powi(-i32::try_from(i % 60).unwrap_or(0));
            if i % 2 == 0 { size } else { -size }
        });
        even.chain(special).chain(sizes)
    }

    #[test]
    fn sine_and_cosine_are_within_a_unit_in_the_last_place() {
        use std::f64::consts::{FRAC_PI_2, PI};
        let turns = || (-2_000..2_000).flat_map(|n| [f64::from(n) * FRAC_PI_2, f64::from(n) * PI / 12.0]);
        let far = || [1e6, 1_048_577.0, 1e9, 1e15, 1e22, 1e300, f64::MAX, f64::INFINITY].into_iter();
        for most in [1.0, 10.0, 1_000.0, 1_048_570.0] {
            check("sin", numbers(most).chain(turns()).chain(far()), |x| sin(&mut Numbers, x), pxfm::f_sin);
            check("cos", numbers(most).chain(turns()).chain(far()), |x| cos(&mut Numbers, x), pxfm::f_cos);
        }
    }

    #[test]
    fn inverse_functions_are_within_a_unit_in_the_last_place() {
        let edges = || [0.5, -0.5, 0.5_f64.next_down(), 0.975, 1.0, -1.0, 1.0_f64.next_down(), 1.5].into_iter();
        check("asin", numbers(1.0).chain(edges()), |x| asin(&mut Numbers, x), pxfm::f_asin);
        check("acos", numbers(1.0).chain(edges()), |x| acos(&mut Numbers, x), pxfm::f_acos);
        let edges = || [0.4375, 0.6875, 1.1875, 2.4375, 1e300, f64::INFINITY, f64::NEG_INFINITY].into_iter();
        for most in [1.0, 10.0, 1e10] {
            check("atan", numbers(most).chain(edges()), |x| atan(&mut Numbers, x), pxfm::f_atan);
        }
    }

    #[test]
    fn angles_are_those_of_c() {
        let special = [0.0, 1.0, 2.5, 1e-300, 5e-324, 1e300, f64::INFINITY, f64::NAN];
        let both = || special.into_iter().flat_map(|x| [x, -x]);
        for y in both() {
            for x in both() {
                let (found, right) = (atan2(&mut Numbers, y, x), libm::atan2(y, x));
                assert!(ulps(found, right) <= 1, "atan2({y:?}, {x:?}): {found:?}, {right:?}");
            }
        }
        let mut others = numbers(10.0).collect::<Vec<f64>>();
        others.reverse();
        for (y, x) in numbers(10.0).zip(others) {
            let (found, right) = (atan2(&mut Numbers, y, x), pxfm::f_atan2(y, x));
            assert!(ulps(found, right) <= 1, "atan2({y:?}, {x:?}): {found:?}, {right:?}");
        }
    }
}
