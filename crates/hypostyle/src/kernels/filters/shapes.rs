//! The shapes of weights that have a name.
//!
//! The formulas are those of `scipy.signal.windows` with `sym=True`, which pandas uses; `t` runs from -1, the oldest row, to 1.

use std::f64::consts::PI;

/// The names of the shapes that need no parameter.
pub const SHAPES: &[&str] = &[
    "linear",
    "boxcar",
    "triang",
    "bartlett",
    "hann",
    "hamming",
    "blackman",
    "nuttall",
    "blackmanharris",
    "flattop",
    "cosine",
    "bohman",
    "parzen",
    "barthann",
    "lanczos",
];

/// A sum of cosines: a[0] - a[1] cos(2 pi x) + a[2] cos(4 pi x) - ... for x from 0 to 1.
fn cosines(coefficients: &[f64], x: f64) -> f64 {
    let terms = coefficients.iter().zip(0u32..).map(|(a, k)| {
        let sign = if k.is_multiple_of(2) { 1.0 } else { -1.0 };
        sign * a * libm::cos(2.0 * PI * f64::from(k) * x)
    });
    terms.sum()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { libm::sin(PI * x) / (PI * x) }
}

/// The weights of a shape, the oldest row's first; `None` for an unknown name.
#[expect(clippy::cast_precision_loss, reason = "a window of more than 2^53 rows does not fit into memory")]
pub(super) fn weights(shape: &str, len: usize) -> Option<Vec<f64>> {
    let n = len as f64;
    let weight = |i: usize| -> Option<f64> {
        let i = i as f64;
        let x = if len == 1 { 0.5 } else { i / (n - 1.0) };
        let t = 2.0 * x - 1.0;
        // The distance to the center in steps.
        let steps = i - (n - 1.0) / 2.0;
        Some(match shape {
            "linear" => i + 1.0,
            "boxcar" => 1.0,
            "triang" if len.is_multiple_of(2) => 1.0 - steps.abs() * 2.0 / n,
            "triang" => 1.0 - steps.abs() * 2.0 / (n + 1.0),
            "bartlett" => 1.0 - t.abs(),
            "hann" => cosines(&[0.5, 0.5], x),
            "hamming" => cosines(&[0.54, 0.46], x),
            "blackman" => cosines(&[0.42, 0.5, 0.08], x),
            "nuttall" => cosines(&[0.363_581_9, 0.489_177_5, 0.136_599_5, 0.010_641_1], x),
            "blackmanharris" => cosines(&[0.358_75, 0.488_29, 0.141_28, 0.011_68], x),
            "flattop" => cosines(&[0.215_578_95, 0.416_631_58, 0.277_263_158, 0.083_578_947, 0.006_947_368], x),
            "cosine" => libm::sin(PI / n * (i + 0.5)),
            "bohman" if len > 1 && t.abs() == 1.0 => 0.0,
            "bohman" => (1.0 - t.abs()) * libm::cos(PI * t.abs()) + libm::sin(PI * t.abs()) / PI,
            "parzen" => {
                let part = steps.abs() * 2.0 / n;
                if steps.abs() <= (n - 1.0) / 4.0 {
                    1.0 - 6.0 * part * part + 6.0 * part * part * part
                } else {
                    2.0 * (1.0 - part) * (1.0 - part) * (1.0 - part)
                }
            }
            "barthann" if len == 1 => 1.0,
            "barthann" => 0.62 - 0.48 * (x - 0.5).abs() + 0.38 * libm::cos(2.0 * PI * (x - 0.5)),
            "lanczos" => sinc(t),
            _ => return None,
        })
    };
    (0..len).map(|i| if len == 1 && SHAPES.contains(&shape) { Some(1.0) } else { weight(i) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_finite_weights() {
        for shape in SHAPES {
            for len in [1, 2, 3, 8, 31] {
                let weights = weights(shape, len).unwrap();
                assert!(weights.len() == len && weights.iter().all(|w| w.is_finite()), "{shape} {len}");
            }
        }
        assert_eq!(weights("nonsense", 3), None);
        assert_eq!(weights("linear", 3), Some(vec![1.0, 2.0, 3.0]));
        assert_eq!(weights("triang", 4), Some(vec![0.25, 0.75, 0.75, 0.25]));
    }
}
