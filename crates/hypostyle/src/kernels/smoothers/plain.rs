//! What the reference versions of the smoothers share: means over whole columns, by their definition.

use crate::KernelSpec;
use crate::reference::{Slow, exact, number};

/// The parameter `window`.
pub fn window(spec: &KernelSpec) -> f64 {
    number(spec, "window").unwrap_or(14.0)
}

/// The largest magnitude in a column.
pub fn scale(values: &[Option<f64>]) -> f64 {
    values.iter().flatten().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// A mean that begins with the mean of the first `n` values; no result in a row without a value.
pub fn seeded(values: &[Option<f64>], n: f64, alpha: f64) -> Vec<Option<f64>> {
    let (mut seen, mut first, mut mean) = (0.0, 0.0, 0.0);
    let step = |x: f64| {
        seen += 1.0;
        first += x;
        if n == 1.0 {
            mean = x;
        } else if seen == n {
            mean = first / n;
        } else if seen > n {
            mean += alpha * (x - mean);
        }
        (seen >= n).then_some(mean)
    };
    let mut step = step;
    values.iter().map(|x| x.and_then(&mut step)).collect()
}

/// The result of each row that has a value; other rows keep the last one.
pub fn held<T>(values: &[Option<T>], mut result: impl FnMut(usize) -> Slow) -> Vec<Slow> {
    let mut last = exact(None);
    (0..values.len())
        .map(|i| {
            if values[i].is_some() {
                last = result(i);
            }
            last
        })
        .collect()
}

/// The differences between consecutive values, nulls left out; the first value has none.
pub fn changes(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut last: Option<f64> = None;
    values
        .iter()
        .map(|x| {
            let change = (*x)? - last.replace((*x)?)?;
            Some(change)
        })
        .collect()
}
