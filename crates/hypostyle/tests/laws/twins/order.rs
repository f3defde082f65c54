//! Twins of what depends on the order of the values, on how often they stand there, or on the current row.

use super::{EPS, Slow, bounded, constant, exact, largest, median, median_deviation, ordered, variance};

/// How many rows ago the extreme value was; `window` holds the numbers of the rows and their values.
pub fn argument(window: &[(usize, f64)], current: usize, greatest: bool, last: bool) -> Slow {
    let nan = window.iter().any(|(_, x)| x.is_nan());
    let best = window.iter().map(|(_, x)| *x).reduce(if greatest { f64::max } else { f64::min });
    let mut found = window.iter().filter(|(_, x)| if nan { x.is_nan() } else { Some(*x) == best });
    let row = if last { found.next_back() } else { found.next() };
    exact(row.map(|(row, _)| current as f64 - *row as f64))
}

/// The standard score of a value.
pub fn score(x: f64, window: &[f64], ddof: f64) -> Slow {
    let Slow { answer: Some(variance), error } = variance(window, ddof) else { return exact(None) };
    if constant(window) {
        return exact(None);
    }
    let (n, deviation) = (window.len() as f64, variance.sqrt());
    let mean = window.iter().sum::<f64>() / n;
    let answer = (x - mean) / deviation;
    let part = error / variance;
    let sound = part < 0.01 && (1e-140..1e140).contains(&variance);
    let error = 4.0 * answer.abs() * part + 8.0 * n * EPS * (largest(window) + x.abs()) / deviation;
    bounded(answer, if sound { error } else { f64::INFINITY })
}

/// The distance to the median in scaled median absolute deviations.
pub fn robust(x: f64, window: &[f64]) -> Slow {
    let (Some(centre), Some(deviation)) = (median(window).answer, median_deviation(window).answer) else {
        return exact(None);
    };
    let deviation = if centre.is_infinite() { f64::NAN } else { deviation };
    if deviation == 0.0 {
        return exact(None);
    }
    exact(Some((x - centre) / (1.482_602_218_505_602 * deviation)))
}

pub fn hampel(x: f64, window: &[f64], threshold: f64) -> Slow {
    let (Some(centre), Some(deviation)) = (median(window).answer, median_deviation(window).answer) else {
        return exact(None);
    };
    if x.is_nan() || centre.is_nan() || centre.is_infinite() || deviation.is_nan() {
        return exact(None);
    }
    exact(Some(f64::from((x - centre).abs() > threshold * (1.482_602_218_505_602 * deviation))))
}

pub fn trimmed(window: &[f64], proportion: f64, winsorized: bool) -> Slow {
    let Some(mut sorted) = ordered(window) else { return exact(Some(f64::NAN)) };
    let cut = (proportion * sorted.len() as f64) as usize;
    let (from, to) = (cut, sorted.len() - cut);
    if sorted.is_empty() {
        return exact(None);
    }
    if winsorized {
        let (least, greatest) = (sorted[from], sorted[to - 1]);
        sorted[..from].fill(least);
        sorted[to..].fill(greatest);
    } else {
        sorted = sorted[from..to].to_vec();
    }
    let n = sorted.len() as f64;
    let size = sorted.iter().map(|x| (x / n).abs()).sum::<f64>();
    let answer = sorted.iter().map(|x| x / n).sum::<f64>();
    if answer.is_nan() || sorted.iter().any(|x| x.is_infinite()) {
        return exact(Some(answer));
    }
    Slow { answer: Some(answer), error: 4.0 * n * EPS * size + 1e-300 * f64::EPSILON }
}

/// Each different value with how often it is there, by value; NaN last.
fn frequencies(window: &[f64]) -> Vec<(f64, usize)> {
    let mut sorted: Vec<f64> = window.iter().map(|x| if x.is_nan() { f64::NAN } else { x + 0.0 }).collect();
    sorted.sort_by(f64::total_cmp);
    let mut found: Vec<(f64, usize)> = Vec::new();
    for x in sorted {
        match found.last_mut() {
            Some((value, count)) if value.to_bits() == x.to_bits() => *count += 1,
            _ => found.push((x, 1)),
        }
    }
    found
}

pub fn mode(window: &[f64]) -> Slow {
    if window.iter().any(|x| x.is_nan()) {
        return exact(Some(f64::NAN));
    }
    let found = frequencies(window);
    let most = found.iter().map(|(_, count)| *count).max();
    exact(found.iter().find(|(_, count)| Some(*count) == most).map(|(x, _)| *x))
}

pub fn entropy(window: &[f64], base: Option<f64>) -> Slow {
    let n = window.len() as f64;
    if window.is_empty() {
        return exact(None);
    }
    let terms = frequencies(window).into_iter().map(|(_, count)| {
        let part = count as f64 / n;
        -part * part.ln()
    });
    let answer: f64 = terms.sum::<f64>() / base.map_or(1.0, f64::ln);
    Slow { answer: Some(answer), error: 4.0 * n * EPS * (1.0 + answer) }
}

/// A statistic of the rows that rank highest; `window` holds (value, order), the earlier rows first.
pub fn top(window: &[(f64, f64)], n: usize, largest_first: bool, statistic: &str) -> Slow {
    if window.iter().any(|(_, order)| order.is_nan()) {
        return exact(Some(f64::NAN));
    }
    let mut rows: Vec<(f64, f64)> = window.to_vec();
    let key = |(_, order): &(f64, f64)| if largest_first { -(order + 0.0) } else { order + 0.0 };
    rows.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap());
    let top: Vec<f64> = rows.iter().take(n).map(|(x, _)| *x).collect();
    let (count, size) = (top.len() as f64, top.iter().map(|x| x.abs()).sum::<f64>());
    let sum: f64 = top.iter().sum();
    let nan = top.iter().any(|x| x.is_nan());
    let extreme = |pick: fn(f64, f64) -> f64| if nan { Some(f64::NAN) } else { top.iter().copied().reduce(pick) };
    match statistic {
        _ if top.is_empty() => exact(None),
        "sum" => bounded(sum, 2.0 * count * EPS * size),
        "min" => exact(extreme(f64::min)),
        "max" => exact(extreme(f64::max)),
        "std" => super::root(variance(&top, 1.0)),
        _ => bounded(sum / count, 4.0 * EPS * size),
    }
}

/// The average rank of each value.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |x: &f64| {
        let below = values.iter().filter(|y| *y < x).count() as f64;
        let equal = values.iter().filter(|y| *y == x).count() as f64;
        below + (equal + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

pub fn spearman(window: &[(f64, f64)]) -> Slow {
    if window.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
        return exact(Some(f64::NAN));
    }
    let (xs, ys): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
    let pairs: Vec<(f64, f64)> = ranks(&xs).into_iter().zip(ranks(&ys)).collect();
    let Slow { answer, .. } = super::corr(&pairs);
    Slow { answer, error: 1e-12 }
}

/// `window` holds (value, weight).
pub fn weighted_quantile(window: &[(f64, f64)], quantile: f64) -> Slow {
    if window.iter().any(|(x, w)| x.is_nan() || w.is_nan() || *w == f64::INFINITY) {
        let nan = window.iter().any(|(x, w)| x.is_nan() || w.is_nan());
        // An infinite weight beside a negative one: either rule may speak first.
        return Slow { answer: Some(f64::NAN), error: if nan { 0.0 } else { f64::INFINITY } };
    }
    if window.iter().any(|(_, w)| *w < 0.0) {
        // Unless the others' sum leaves the range of numbers.
        return Slow { answer: None, error: if largest_weight(window) > 1e290 { f64::INFINITY } else { 0.0 } };
    }
    let mut rows: Vec<(f64, f64)> = window.iter().filter(|(_, w)| *w > 0.0).map(|(x, w)| (x + 0.0, *w)).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let whole: f64 = rows.iter().map(|(_, w)| w).sum();
    let at = |wanted: f64| {
        let mut reached = 0.0;
        let mut found = rows.last().map(|(x, _)| *x);
        for (x, w) in &rows {
            reached += w;
            if reached >= wanted {
                found = Some(*x);
                break;
            }
        }
        found
    };
    let slack = 4.0 * rows.len() as f64 * EPS;
    let (low, high) = (at(quantile * whole * (1.0 - slack)), at(quantile * whole * (1.0 + slack)));
    let sure = low == high && whole < 1e300;
    Slow { answer: at(quantile * whole), error: if sure { 0.0 } else { f64::INFINITY } }
}

fn largest_weight(window: &[(f64, f64)]) -> f64 {
    window.iter().fold(0.0, |a, (_, w)| a.max(w.abs()))
}
