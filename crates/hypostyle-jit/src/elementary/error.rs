//! The error function.

use super::arithmetic::Arithmetic;
use super::exponential::exp_of_sum;

/// Up to here it is x (1 + a polynomial of x^2), beyond it 1 - e^(-x^2) times another.
const BOUND: f64 = 1.0;
/// The polynomial is in terms of x^2 less this.
const CENTER: f64 = 0.5;
/// erf(x) / x - 1, to 2e-19 but for the rounding of these.
const INNER: [f64; 13] = [
    -0.03453126133013269,
    -0.2810721780454342,
    0.07940998675593483,
    -0.018283884489152906,
    0.0034802744966656173,
    -0.0005611894221159944,
    7.829649525455366e-05,
    -9.614808686849139e-06,
    1.0536449530022297e-06,
    -1.0420369433085271e-07,
    9.387629307975112e-09,
    -7.798543850549947e-10,
    5.958930743134941e-11,
];
/// The other is in terms of (x - this) / (x + this).
const MIDDLE: f64 = 2.0;
/// e^(x^2) erfc(x), to 7e-19 e^(x^2).
const OUTER: [f64; 13] = [
    0.25539567631050575,
    -0.4271858474139569,
    0.2416581942424788,
    -0.07897858101629442,
    0.003732892397642194,
    0.0069974617674214675,
    -0.0008471426292934079,
    -0.000981975912554119,
    4.353935879761019e-05,
    0.00017428908431996816,
    2.7587807179342065e-05,
    -2.6708812957655108e-05,
    -1.2726394003847037e-05,
];

/// erf x, within 1 unit in the last place.
pub fn erf<M: Arithmetic>(m: &mut M, x: M::Float) -> M::Float {
    let (size, one) = (m.abs(x), m.float(1.0));
    let (bound, center) = (m.float(BOUND), m.float(CENTER));
    let square = m.mul(x, x);
    let z = m.sub(square, center);
    let inner = m.polynomial(z, &INNER);
    let inner = m.mul(x, inner);
    let inner = m.add(x, inner);
    // Beyond 6 it is 1.
    let (end, middle) = (m.float(6.0), m.float(MIDDLE));
    let is_beyond = m.less(end, size);
    let size = m.select(is_beyond, end, size);
    let (above, below) = (m.sub(size, middle), m.add(size, middle));
    let t = m.div(above, below);
    let outer = m.polynomial(t, &OUTER);
    // The square, and what it loses by rounding: of the upper and the lower bits of x all products but the last are exact.
    let square = m.mul(size, size);
    let (bits, mask) = (m.bits(size), m.int(-1 << 32));
    let bits = m.and(bits, mask);
    let high = m.float_of(bits);
    let low = m.sub(size, high);
    let (first, second, third) = (m.mul(high, high), m.mul(high, low), m.mul(low, low));
    let lost = m.sub(square, first);
    let lost = m.sub(lost, second);
    let lost = m.sub(lost, second);
    let lost = m.sub(lost, third);
    let zero = m.float(0.0);
    let exponent = m.sub(zero, square);
    let power = exp_of_sum(m, exponent, lost);
    let missing = m.mul(power, outer);
    let outer = m.sub(one, missing);
    let outer = m.copysign(outer, x);
    let is_inner = m.less(size, bound);
    m.select(is_inner, inner, outer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::arithmetic::Numbers;

    #[test]
    fn it_is_within_a_unit_in_the_last_place() {
        let erf = |x: f64| erf(&mut Numbers, x);
        let mut rounded_otherwise = 0;
        for i in 0..1_400_000 {
            let x = f64::from(i) * 4.999_3e-6;
            for x in [x, -x, x * 1e-5] {
                let (found, right) = (erf(x), pxfm::f_erf(x));
                let distance = found.to_bits().cast_signed().abs_diff(right.to_bits().cast_signed());
                assert!(distance <= 1, "{x:?}: {found:?}, {right:?}");
                rounded_otherwise += u32::from(distance == 1);
            }
        }
        assert!(rounded_otherwise < 420_000, "{rounded_otherwise}");
        for (x, right) in [(0.0, 0.0), (-0.0, -0.0), (7.0, 1.0), (-1e300, -1.0), (f64::INFINITY, 1.0), (5e-324, 5e-324)]
        {
            assert_eq!(erf(x).to_bits(), f64::to_bits(right), "{x}");
        }
        assert!(erf(f64::NAN).is_nan());
    }
}
