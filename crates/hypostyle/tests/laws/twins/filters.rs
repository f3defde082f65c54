//! Twins of the filters, with the shapes of a few names once more.

use super::{EPS, Slow, bounded, exact};

/// The weights of a shape by the formula of its definition; `None` for shapes that are checked against scipy only.
pub fn shape(name: &str, n: usize, alpha: f64, std: f64) -> Option<Vec<f64>> {
    let centre = (n as f64 - 1.0) / 2.0;
    let weight = |i: usize| -> Option<f64> {
        let i = i as f64;
        let angle = 2.0 * std::f64::consts::PI * i / (n as f64 - 1.0);
        Some(match name {
            "linear" => i + 1.0,
            "boxcar" => 1.0,
            "exponential" => (1.0 - alpha).powf(n as f64 - 1.0 - i),
            "gaussian" => (-0.5 * ((i - centre) / std).powi(2)).exp(),
            "hann" => 0.5 - 0.5 * angle.cos(),
            "hamming" => 0.54 - 0.46 * angle.cos(),
            "blackman" => 0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos(),
            "bartlett" => 1.0 - ((i - centre) / centre).abs(),
            _ => return None,
        })
    };
    let one = (n == 1 && !matches!(name, "exponential" | "gaussian")).then(|| vec![1.0]);
    one.or_else(|| (0..n).map(weight).collect())
}

/// `window` holds (value, weight) of the rows that are valid.
pub fn fir(window: &[(f64, f64)], kind: &str, ddof: f64) -> Slow {
    let n = window.len() as f64;
    let sum: f64 = window.iter().map(|(x, w)| x * w).sum();
    let (whole, size): (f64, f64) =
        (window.iter().map(|(_, w)| w).sum(), window.iter().map(|(x, w)| (x * w).abs()).sum());
    let heavy: f64 = window.iter().map(|(_, w)| w.abs()).sum();
    // Weights that nearly add up to nothing are noise.
    let unsure = whole.abs() <= 1e-9 * heavy && heavy > 0.0;
    let spread = |error: f64| if unsure { f64::INFINITY } else { error };
    if kind == "sum" {
        return bounded(sum, 8.0 * (n + 1.0) * EPS * size + 1e-15 * size);
    }
    if heavy == 0.0 {
        return exact(None);
    }
    let mean = sum / whole;
    let error = 16.0 * (n + 1.0) * EPS * size / whole.abs() * (heavy / whole.abs());
    if kind == "mean" {
        return bounded(mean, spread(error));
    }
    if n <= ddof {
        return if unsure { Slow { answer: None, error: f64::INFINITY } } else { exact(None) };
    }
    let squares: f64 = window.iter().map(|(x, w)| w * (x - mean) * (x - mean)).sum();
    let reach = window.iter().fold(0.0f64, |a, (x, _)| a.max((x - mean).abs())) + error;
    let variance = squares / whole * (n / (n - ddof));
    let scale = heavy / whole.abs() * (n / (n - ddof));
    let error = 64.0 * (n + 1.0) * EPS * reach * reach * scale * scale + 4.0 * reach * error * scale;
    let lost = unsure || largest_value(window) > 1e140;
    if variance < 0.0 && error < variance.abs() {
        return if lost { Slow { answer: None, error: f64::INFINITY } } else { exact(None) };
    }
    let near = variance.abs() <= error && window.iter().any(|(_, w)| *w < 0.0);
    let slow = bounded(variance.max(0.0), if lost || near { f64::INFINITY } else { error });
    if kind == "var" { slow } else { super::root(slow) }
}

fn largest_value(window: &[(f64, f64)]) -> f64 {
    window.iter().fold(0.0, |a, (x, _)| a.max(x.abs()))
}
