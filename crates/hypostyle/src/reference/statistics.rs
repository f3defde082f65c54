//! Plain two-pass statistics of a window, with their error bounds.

use super::slow::{EPS, Slow, bounded, exact};

pub fn sum(window: &[f64]) -> Slow {
    let scale: f64 = window.iter().map(|x| x.abs()).sum();
    Slow { answer: Some(window.iter().sum()), error: 2.0 * window.len() as f64 * EPS * scale }
}

pub fn mean(window: &[f64]) -> Slow {
    let Slow { answer, error } = sum(window);
    let n = window.len() as f64;
    if window.is_empty() { exact(None) } else { Slow { answer: answer.map(|x| x / n), error: error / n * 2.0 } }
}

/// Two passes; the error is relative to the squares of the differences to the first value, as documented.
pub fn variance(window: &[f64], ddof: f64) -> Slow {
    let n = window.len() as f64;
    if n <= ddof {
        return exact(None);
    }
    let mean = window.iter().sum::<f64>() / n;
    let squares: f64 = window.iter().map(|x| (x - mean) * (x - mean)).sum();
    let spread = window.iter().fold(0.0f64, |a, x| a.max((x - mean).abs()));
    // The twin's own mean is rounded too: relative to the mean, not to the spread.
    let twin = n * (mean.abs() * EPS * n) * (spread * 2.0 + mean.abs() * EPS * n);
    let error = (4.0 * n * (n + 1.0) * EPS * (squares + spread * spread) + twin) / (n - ddof);
    Slow { answer: Some(squares / (n - ddof)), error: if error.is_nan() { f64::INFINITY } else { error } }
}

pub fn root(slow: Slow) -> Slow {
    match slow.answer {
        Some(v) if v > slow.error => Slow { answer: Some(v.sqrt()), error: slow.error / v.sqrt() },
        Some(v) => Slow { answer: Some(v.sqrt()), error: (2.0 * slow.error).sqrt() },
        None => slow,
    }
}

pub fn extreme(window: &[f64], better: fn(f64, f64) -> f64) -> Slow {
    let nan = window.iter().any(|x| x.is_nan());
    exact(if nan { Some(f64::NAN) } else { window.iter().copied().reduce(better) })
}

pub fn median(window: &[f64]) -> Slow {
    if window.iter().any(|x| x.is_nan()) {
        return exact(Some(f64::NAN));
    }
    let mut sorted = window.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    exact(match n {
        0 => None,
        _ if n % 2 == 1 => Some(sorted[n / 2]),
        _ => Some(if (sorted[n / 2 - 1] + sorted[n / 2]).is_finite() || !sorted[n / 2].is_finite() {
            (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0
        } else {
            sorted[n / 2 - 1] / 2.0 + sorted[n / 2] / 2.0
        }),
    })
}

pub fn median_deviation(window: &[f64]) -> Slow {
    let centre = median(window).answer.unwrap_or(f64::NAN);
    let distances: Vec<f64> = window.iter().map(|x| (x - centre).abs()).collect();
    if window.is_empty() { exact(None) } else { median(&distances) }
}

pub fn corr(window: &[(f64, f64)]) -> Slow {
    let (xs, ys): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
    let (vx, vy) = (variance(&xs, 0.0), variance(&ys, 0.0));
    let (Some(sx), Some(sy)) = (vx.answer, vy.answer) else { return exact(None) };
    if constant(&xs) || constant(&ys) {
        return exact(None);
    }
    let n = window.len() as f64;
    let (mx, my) = (xs.iter().sum::<f64>() / n, ys.iter().sum::<f64>() / n);
    let cov = window.iter().map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / n;
    let relative = vx.error / sx + vy.error / sy;
    let error = 4.0 * relative + 8.0 * n * EPS;
    // Without digits left, or beyond the range of squares, anything in [-1, 1] or nothing is right.
    let lost = error.is_nan() || error >= 0.1 || !(1e-140..1e140).contains(&sx) || !(1e-140..1e140).contains(&sy);
    Slow {
        answer: Some((cov / (sx.sqrt() * sy.sqrt())).clamp(-1.0, 1.0)),
        error: if lost { f64::INFINITY } else { error },
    }
}

/// A constant has no spread; infinities have one that is NaN.
pub fn constant(values: &[f64]) -> bool {
    values.iter().all(|x| x.is_finite()) && values.windows(2).all(|pair| pair[0] == pair[1])
}

pub fn spread(values: &[f64]) -> f64 {
    values.iter().fold(f64::NEG_INFINITY, |a, x| a.max(*x)) - values.iter().fold(f64::INFINITY, |a, x| a.min(*x))
}

pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, x| a.max(x.abs()))
}

pub fn covariance(window: &[(f64, f64)], ddof: f64) -> Slow {
    let (xs, ys): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
    let n = window.len() as f64;
    if n <= ddof {
        return exact(None);
    }
    let (mx, my) = (xs.iter().sum::<f64>() / n, ys.iter().sum::<f64>() / n);
    let products: f64 = window.iter().map(|(x, y)| (x - mx) * (y - my)).sum();
    let (dx, dy) = (spread(&xs) + EPS * n * mx.abs(), spread(&ys) + EPS * n * my.abs());
    let error = 8.0 * n * n * EPS * (dx * dy + mx.abs() * dy + my.abs() * dx);
    bounded(products / (n - ddof), if products.is_finite() { error / (n - ddof) } else { f64::INFINITY })
}

/// Slope, intercept and coefficient of determination; `window` holds (y, x).
pub fn line(window: &[(f64, f64)], kind: &str) -> Slow {
    let (ys, xs): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
    let n = window.len() as f64;
    if n < 2.0 || constant(&xs) || (kind == "r2" && constant(&ys)) {
        return exact(None);
    }
    if kind == "r2" {
        let Slow { answer, error } = corr(window);
        let r = answer.unwrap_or(f64::NAN);
        return bounded(r * r, 4.0 * error);
    }
    let (vx, cov) = (variance(&xs, 0.0), covariance(window, 0.0));
    let (Some(v), Some(c)) = (vx.answer, cov.answer) else { return exact(None) };
    let beta = c / v;
    let tiny = c != 0.0 && c.abs() < 1e-290;
    let lost = tiny || vx.error / v > 0.01 || !(1e-140..1e140).contains(&v);
    let slope = 4.0 * (cov.error + beta.abs() * vx.error) / v + 8.0 * EPS * beta.abs();
    let (mx, my) = (xs.iter().sum::<f64>() / n, ys.iter().sum::<f64>() / n);
    let intercept = slope * (largest(&xs) + spread(&xs)) + 16.0 * n * EPS * (largest(&ys) + beta.abs() * largest(&xs));
    let (answer, error) = if kind == "beta" { (beta, slope) } else { (my - beta * mx, intercept) };
    bounded(answer, if lost { f64::INFINITY } else { error })
}

/// The values in order; `None` where one of them is NaN.
pub fn ordered(window: &[f64]) -> Option<Vec<f64>> {
    let mut sorted: Vec<f64> = window.iter().map(|x| x + 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    (!window.iter().any(|x| x.is_nan())).then_some(sorted)
}

/// How small a part of a column's variance is still more than rounding; infinite where nothing is.
pub fn noise(values: &[f64]) -> f64 {
    let v = variance(values, 0.0);
    let answer = v.answer.unwrap_or(f64::NAN);
    if (1e-140..1e140).contains(&answer) { v.error / answer } else { f64::INFINITY }
}
