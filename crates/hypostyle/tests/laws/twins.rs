//! The slow twins: every kernel once more, by its definition, recomputed from scratch for every row.
//!
//! Kept plain on purpose.  A kernel without a twin fails the law.

mod filters;
mod fits;
mod order;

use hypostyle::{KernelSpec, Value};

use crate::arbitrary::Table;

/// What the twin says of a row: an answer, and how large the numbers were that went into it (for the error bound).
#[derive(Debug, Clone, Copy)]
pub struct Slow {
    pub answer: Option<f64>,
    pub error: f64,
}

fn exact(answer: Option<f64>) -> Slow {
    Slow { answer, error: 0.0 }
}

const EPS: f64 = f64::EPSILON;

/// Whether an answer is within the error that the kernel's documentation states.
pub fn agree(spec: &KernelSpec, fast: Option<f64>, slow: &Slow) -> bool {
    match (fast, slow.answer) {
        (None, None) => true,
        // Where rounding decides whether there is any spread at all, both sides are right.
        (None, Some(_)) | (Some(_), None) => slow.error.is_infinite(),
        (Some(a), Some(b)) if a.is_nan() || b.is_nan() => (a.is_nan() && b.is_nan()) || slow.error.is_infinite(),
        (Some(a), Some(b)) if narrow(spec) > 0.0 && a == f64::from(b as f32) => true,
        (Some(a), Some(b)) => a == b || (a - b).abs() <= slow.error || (a - b).abs() <= narrow(spec) * b.abs(),
    }
}

/// f32 in gives f32 out: the answer is rounded once more.
fn narrow(spec: &KernelSpec) -> f64 {
    let mentions = |value: &Value| match value {
        Value::Text(name) => name == "narrow",
        Value::List(items) => items.contains(&Value::from("narrow")),
        _ => false,
    };
    if spec.parameters.values().any(mentions) { f64::from(f32::EPSILON) } else { 0.0 }
}

/// Every so many rows have an answer.
pub fn step(spec: &KernelSpec) -> u64 {
    number(spec, "step").map_or(1, |step| step as u64)
}

fn text(spec: &KernelSpec, name: &str) -> String {
    match spec.parameters.get(name) {
        Some(Value::Text(text)) => text.clone(),
        other => panic!("{spec}: {name} is {other:?}"),
    }
}

fn number(spec: &KernelSpec, name: &str) -> Option<f64> {
    match spec.parameters.get(name) {
        Some(Value::Int(x)) => Some(*x as f64),
        Some(Value::Float(x)) => Some(*x),
        _ => None,
    }
}

fn choice(spec: &KernelSpec, name: &str, default: &str) -> String {
    match spec.parameters.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => default.to_string(),
    }
}

fn flag(spec: &KernelSpec, name: &str, default: bool) -> bool {
    match spec.parameters.get(name) {
        Some(Value::Bool(x)) => *x,
        _ => default,
    }
}

fn operand(spec: &KernelSpec, table: &Table, name: &str) -> Vec<Option<f64>> {
    match (number(spec, name), spec.parameters.get(name)) {
        (Some(x), _) => vec![Some(x); table.batch.num_rows()],
        (None, Some(Value::Text(column))) => table.numbers(column),
        other => panic!("{spec}: {name} is {other:?}"),
    }
}

fn list(spec: &KernelSpec, name: &str) -> Vec<Value> {
    match spec.parameters.get(name) {
        Some(Value::List(items)) => items.clone(),
        other => panic!("{spec}: {name} is {other:?}"),
    }
}

fn min_samples(spec: &KernelSpec) -> usize {
    if let Some(count) = number(spec, "min_samples") {
        return count as usize;
    }
    match (spec.name.as_str(), spec.parameters.get("window")) {
        ("rolling_count" | "expanding_count", _) => 0,
        (_, Some(Value::Int(rows))) => {
            let neither = spec.parameters.get("closed") == Some(&Value::from("neither"));
            (if neither { rows - 1 } else { *rows }) as usize
        }
        _ => 1,
    }
}

/// A statistic of each row's window, from the valid values in it.
fn windowed<T: Copy>(
    spec: &KernelSpec,
    table: &Table,
    values: &[Option<T>],
    statistic: impl Fn(&[T]) -> Slow,
) -> Vec<Slow> {
    (0..values.len()).map(|i| one_window(spec, table, values, i, &statistic)).collect()
}

fn one_window<T: Copy>(
    spec: &KernelSpec,
    table: &Table,
    values: &[Option<T>],
    i: usize,
    statistic: impl Fn(&[T]) -> Slow,
) -> Slow {
    let window: Vec<T> =
        (0..values.len()).filter(|j| table.window_has(spec, i, *j)).filter_map(|j| values[j]).collect();
    if window.len() < min_samples(spec) { exact(None) } else { statistic(&window) }
}

fn sum(window: &[f64]) -> Slow {
    let scale: f64 = window.iter().map(|x| x.abs()).sum();
    Slow { answer: Some(window.iter().sum()), error: 2.0 * window.len() as f64 * EPS * scale }
}

fn mean(window: &[f64]) -> Slow {
    let Slow { answer, error } = sum(window);
    let n = window.len() as f64;
    if window.is_empty() { exact(None) } else { Slow { answer: answer.map(|x| x / n), error: error / n * 2.0 } }
}

/// Two passes; the error is relative to the squares of the differences to the first value, as documented.
fn variance(window: &[f64], ddof: f64) -> Slow {
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

fn root(slow: Slow) -> Slow {
    match slow.answer {
        Some(v) if v > slow.error => Slow { answer: Some(v.sqrt()), error: slow.error / v.sqrt() },
        Some(v) => Slow { answer: Some(v.sqrt()), error: (2.0 * slow.error).sqrt() },
        None => slow,
    }
}

fn extreme(window: &[f64], better: fn(f64, f64) -> f64) -> Slow {
    let nan = window.iter().any(|x| x.is_nan());
    exact(if nan { Some(f64::NAN) } else { window.iter().copied().reduce(better) })
}

fn median(window: &[f64]) -> Slow {
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

fn corr(window: &[(f64, f64)]) -> Slow {
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
fn constant(values: &[f64]) -> bool {
    values.iter().all(|x| x.is_finite()) && values.windows(2).all(|pair| pair[0] == pair[1])
}

/// An error bound, or none where no digits are left.
fn bounded(answer: f64, error: f64) -> Slow {
    Slow { answer: Some(answer), error: if error.is_nan() || !answer.is_finite() { f64::INFINITY } else { error } }
}

fn spread(values: &[f64]) -> f64 {
    values.iter().fold(f64::NEG_INFINITY, |a, x| a.max(*x)) - values.iter().fold(f64::INFINITY, |a, x| a.min(*x))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, x| a.max(x.abs()))
}

fn product(window: &[f64]) -> Slow {
    let answer: f64 = window.iter().product();
    // Beyond this a part of the product may over- or underflow.
    let digits: f64 = window.iter().filter(|x| **x != 0.0).map(|x| x.abs().log2().abs()).sum();
    bounded(answer, if digits < 1000.0 { 4.0 * window.len() as f64 * EPS * answer.abs() } else { f64::INFINITY })
}

fn standard_error(window: &[f64], ddof: f64) -> Slow {
    let n = window.len() as f64;
    let Slow { answer, error } = variance(window, ddof);
    root(Slow { answer: answer.map(|v| v / n), error: error / n + answer.unwrap_or(0.0) / n * 2.0 * EPS })
}

/// The third (skewness) or fourth (kurtosis) standardised moment, corrected for bias.
fn moment(window: &[f64], power: i32) -> Slow {
    let n = window.len() as f64;
    if n < f64::from(power) || constant(window) {
        return exact(None);
    }
    let mean = window.iter().sum::<f64>() / n;
    let central = |power: i32| window.iter().map(|x| (x - mean).powi(power)).sum::<f64>();
    let (m2, raw) = (central(2), central(power));
    let answer = if power == 3 {
        n * (n - 1.0).sqrt() / (n - 2.0) * raw / m2.powf(1.5)
    } else {
        (n - 1.0) / ((n - 2.0) * (n - 3.0)) * (n * (n + 1.0) * raw / (m2 * m2) - 3.0 * (n - 1.0))
    };
    let deviation = (m2 / n).sqrt();
    let shift = EPS * n * largest(window) / deviation;
    let reach = spread(window) / deviation;
    let lost = variance(window, 0.0).error * n / m2 > 1e-3 || !(1e-60..1e60).contains(&deviation) || shift > 1e-3;
    let error = 64.0 * n * n * (EPS * reach.powi(power) + shift * reach.powi(power - 1)) * (1.0 + answer.abs());
    bounded(answer, if lost { f64::INFINITY } else { error })
}

fn covariance(window: &[(f64, f64)], ddof: f64) -> Slow {
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
fn line(window: &[(f64, f64)], kind: &str) -> Slow {
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
    let lost = vx.error / v > 0.01 || !(1e-140..1e140).contains(&v);
    let slope = 4.0 * (cov.error + beta.abs() * vx.error) / v + 8.0 * EPS * beta.abs();
    let (mx, my) = (xs.iter().sum::<f64>() / n, ys.iter().sum::<f64>() / n);
    let intercept = slope * (largest(&xs) + spread(&xs)) + 16.0 * n * EPS * (largest(&ys) + beta.abs() * largest(&xs));
    let (answer, error) = if kind == "beta" { (beta, slope) } else { (my - beta * mx, intercept) };
    bounded(answer, if lost { f64::INFINITY } else { error })
}

/// The values in order; `None` where one of them is NaN.
fn ordered(window: &[f64]) -> Option<Vec<f64>> {
    let mut sorted: Vec<f64> = window.iter().map(|x| x + 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    (!window.iter().any(|x| x.is_nan())).then_some(sorted)
}

fn quantile(window: &[f64], quantile: f64, interpolation: &str) -> Slow {
    let Some(sorted) = ordered(window) else { return exact(Some(f64::NAN)) };
    if sorted.is_empty() {
        return exact(None);
    }
    let exact_place = quantile * (sorted.len() - 1) as f64;
    let (lower, upper) = (sorted[exact_place.floor() as usize], sorted[exact_place.ceil() as usize]);
    let part = exact_place.fract();
    let answer = match interpolation {
        _ if lower == upper => lower,
        "lower" => lower,
        "higher" => upper,
        "nearest" => sorted[exact_place.round_ties_even() as usize],
        "midpoint" => median(&[lower, upper]).answer.unwrap(),
        _ => lower + (upper - lower) * part,
    };
    exact(Some(answer))
}

fn median_deviation(window: &[f64]) -> Slow {
    let centre = median(window).answer.unwrap_or(f64::NAN);
    let distances: Vec<f64> = window.iter().map(|x| (x - centre).abs()).collect();
    if window.is_empty() { exact(None) } else { median(&distances) }
}

fn rank(current: f64, window: &[f64], holds_current: bool, method: &str, pct: bool) -> Slow {
    let all: Vec<f64> = window.iter().copied().chain((!holds_current).then_some(current)).collect();
    if all.iter().any(|x| x.is_nan()) {
        return exact(Some(f64::NAN));
    }
    let below = all.iter().filter(|x| **x < current).count() as f64;
    let equal = all.iter().filter(|x| **x == current).count() as f64;
    let rank = match method {
        "min" => below + 1.0,
        "max" => below + equal,
        "dense" => {
            let different = |values: &mut dyn Iterator<Item = &f64>| {
                values.map(|x| (x + 0.0).to_bits()).collect::<std::collections::HashSet<u64>>().len() as f64
            };
            let place = different(&mut all.iter().filter(|x| **x < current)) + 1.0;
            return exact(Some(if pct { place / different(&mut all.iter()) } else { place }));
        }
        _ => below + (equal + 1.0) / 2.0,
    };
    exact(Some(if pct { rank / all.len() as f64 } else { rank }))
}

fn distinct(window: &[f64]) -> Slow {
    let names: std::collections::HashSet<u64> =
        window.iter().map(|x| if x.is_nan() { u64::MAX } else { (x + 0.0).to_bits() }).collect();
    exact(Some(names.len() as f64))
}

/// Weighted sum, mean, variance and deviation; `window` holds (value, weight).
fn weighted(window: &[(f64, f64)], kind: &str) -> Slow {
    let (xs, ws): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
    let n = window.len() as f64;
    let products: Vec<f64> = window.iter().map(|(x, w)| x * w).collect();
    let total = sum(&products);
    if kind == "sum" {
        return bounded(total.answer.unwrap_or(0.0), total.error);
    }
    if ws.iter().all(|w| *w == 0.0) {
        return exact(None);
    }
    let (weight, size): (f64, f64) = (ws.iter().sum(), ws.iter().map(|w| w.abs()).sum());
    let unbalanced = size / weight.abs();
    let mean = total.answer.unwrap_or(0.0) / weight;
    let lost = !(0.0..1e3).contains(&unbalanced) || !(1e-140..1e140).contains(&weight.abs()) || largest(&xs) > 1e140;
    let error = 16.0 * n * EPS * largest(&xs) * unbalanced * unbalanced;
    let error = if lost { f64::INFINITY } else { error };
    if kind == "mean" {
        return bounded(mean, error);
    }
    let squares: f64 = window.iter().map(|(x, w)| w * (x - mean) * (x - mean)).sum();
    let reach = spread(&xs) + error;
    let error = 64.0 * n * EPS * reach * reach * unbalanced * unbalanced + 4.0 * reach * error * unbalanced;
    let variance = squares / weight;
    let slow = bounded(if variance < 0.0 { 0.0 } else { variance }, error);
    if kind == "var" { slow } else { root(slow) }
}

fn ewm(spec: &KernelSpec, values: &[Option<f64>]) -> Vec<Slow> {
    let alpha = if let Some(com) = number(spec, "com") {
        1.0 / (1.0 + com)
    } else if let Some(span) = number(spec, "span") {
        2.0 / (span + 1.0)
    } else if let Some(half_life) = number(spec, "half_life") {
        1.0 - (-(2.0f64.ln()) / half_life).exp()
    } else {
        number(spec, "alpha").unwrap()
    };
    let (adjust, ignore) = (flag(spec, "adjust", true), flag(spec, "ignore_nulls", false));
    (0..values.len())
        .map(|i| {
            // The weight of each value, by how many rows (or values) came after it.
            let present: Vec<(usize, f64)> =
                values[..=i].iter().enumerate().filter_map(|(j, x)| x.map(|x| (j, x))).collect();
            let age = |place: usize| if ignore { place } else { present[place].0 };
            let last = if ignore { present.len().saturating_sub(1) } else { i };
            if present.is_empty() || present.len() < min_samples(spec) {
                return exact(None);
            }
            let mut answer;
            if adjust {
                let weights: Vec<f64> =
                    (0..present.len()).map(|p| (1.0 - alpha).powi((last - age(p)) as i32)).collect();
                let total: f64 = weights.iter().sum();
                answer = weights.iter().zip(&present).map(|(w, (_, x))| w * x).sum::<f64>() / total;
                if total == 0.0 {
                    answer = f64::NAN;
                }
            } else {
                answer = present[0].1;
                for (p, (_, x)) in present.iter().enumerate().skip(1) {
                    let old = (1.0 - alpha).powi((age(p) - age(p - 1)) as i32);
                    answer = (old * answer + alpha * x) / (old + alpha);
                }
            }
            let scale = present.iter().fold(0.0f64, |a, (_, x)| a.max(x.abs()));
            let error = 64.0 * EPS * scale / alpha;
            Slow { answer: Some(answer), error: if error.is_nan() || answer.is_nan() { f64::INFINITY } else { error } }
        })
        .collect()
}

fn session(spec: &KernelSpec, table: &Table) -> Vec<Slow> {
    let times = table.times(&text(spec, "time"));
    let gap = match &spec.parameters["gap"] {
        Value::Int(n) => *n,
        Value::Text(t) if t.ends_with('i') => t.trim_end_matches('i').parse().unwrap(),
        Value::Text(t) => t.trim_end_matches('s').parse::<i64>().unwrap() * 1000,
        other => panic!("{other}"),
    };
    let pauses = |i: usize| times[..=i].windows(2).filter(|pair| pair[1] - pair[0] > gap).count();
    (0..times.len()).map(|i| exact(Some(pauses(i) as f64))).collect()
}

/// A recurrence by its formula; rows with a null keep the last answer.
fn recurrence(inputs: [Vec<Option<f64>>; 3], initial: f64, step: impl Fn(f64, [f64; 3]) -> f64) -> Vec<Slow> {
    let mut y = initial;
    (0..inputs[0].len())
        .map(|i| {
            if let (Some(a), Some(b), Some(c)) = (inputs[0][i], inputs[1][i], inputs[2][i]) {
                y = step(y, [a, b, c]);
            }
            exact(Some(y))
        })
        .collect()
}

fn dot(weights: &[Vec<Option<f64>>], columns: &[Vec<Option<f64>>], divisor: &[Option<f64>]) -> Vec<Slow> {
    (0..divisor.len())
        .map(|i| {
            let terms: Option<Vec<f64>> = weights.iter().zip(columns).map(|(w, x)| Some(w[i]? * x[i]?)).collect();
            let (Some(terms), Some(divisor)) = (terms, divisor[i]) else { return exact(None) };
            let scale: f64 = terms.iter().map(|x| x.abs()).sum::<f64>() / divisor.abs();
            let answer = terms.iter().sum::<f64>() / divisor;
            Slow { answer: Some(answer), error: 8.0 * EPS * scale }
        })
        .collect()
}

/// Each row's window, made of the rows that are valid, with the number of each; `None` where there are too few.
fn windows_of<T: Copy>(spec: &KernelSpec, table: &Table, values: &[Option<T>], i: usize) -> Option<Vec<(usize, T)>> {
    let rows = (0..values.len()).filter(|j| table.window_has(spec, i, *j));
    let window: Vec<(usize, T)> = rows.filter_map(|j| values[j].map(|x| (j, x))).collect();
    (window.len() >= min_samples(spec)).then_some(window)
}

/// What a window says of the current row.
fn by_row(spec: &KernelSpec, table: &Table, judge: impl Fn(f64, &[f64]) -> Slow) -> Vec<Slow> {
    let values = table.numbers(&text(spec, "column"));
    let row = |i: usize| {
        let judged = |w: &[f64]| values[i].filter(|_| !w.is_empty()).map_or(exact(None), |x| judge(x, w));
        one_window(spec, table, &values, i, judged)
    };
    (0..values.len()).map(row).collect()
}

fn triples(spec: &KernelSpec, table: &Table, names: [&str; 3]) -> Vec<Option<[f64; 3]>> {
    let columns = names.map(|name| table.numbers(&text(spec, name)));
    (0..table.batch.num_rows()).map(|i| Some([columns[0][i]?, columns[1][i]?, columns[2][i]?])).collect()
}

fn trend(spec: &KernelSpec, table: &Table) -> Vec<Slow> {
    let places: Vec<i64> = match spec.parameters.get("against") {
        Some(Value::Text(name)) => table.times(name),
        _ => (0..table.batch.num_rows()).map(|i| i as i64).collect(),
    };
    let per = match (spec.parameters.get("against"), spec.parameters.get("per")) {
        (None, _) => 1.0,
        (Some(_), Some(Value::Int(steps))) => *steps as f64,
        (Some(_), Some(Value::Text(text))) if text.ends_with('i') => text.trim_end_matches('i').parse().unwrap(),
        // The table's timestamps are milliseconds.
        (Some(_), Some(Value::Text(text))) => text.trim_end_matches('s').parse::<f64>().unwrap() * 1000.0,
        (Some(name), _) => {
            if *name == Value::from("t") {
                1000.0
            } else {
                1.0
            }
        }
    };
    let values = table.numbers(&text(spec, "column"));
    let first = places.first().copied().unwrap_or(0);
    let pairs: Vec<Option<(f64, f64)>> =
        values.iter().zip(&places).map(|(x, place)| x.map(|x| (x, (place - first) as f64))).collect();
    windowed(spec, table, &pairs, |w| {
        let Slow { answer, error } = line(w, "beta");
        Slow { answer: answer.map(|slope| slope * per), error: error * per }
    })
}

/// The answers of a filter: each row of the window has the weight of its place.
fn fir(spec: &KernelSpec, table: &Table) -> Vec<Slow> {
    let kind = spec.name.trim_start_matches("rolling_fir_");
    let values = table.numbers(&text(spec, "column"));
    let window = number(spec, "window").unwrap() as usize;
    let (held, lag) = match choice(spec, "closed", "right").as_str() {
        "left" => (window, 1),
        "both" => (window + 1, 0),
        "neither" => (window - 1, 1),
        _ => (window, 0),
    };
    let lead = if flag(spec, "center", false) { (window - 1) / 2 } else { 0 };
    let (alpha, std) = (number(spec, "alpha").unwrap_or(0.0), number(spec, "std").unwrap_or(0.0));
    let weights: Option<Vec<f64>> = match &spec.parameters["weights"] {
        Value::Text(name) => filters::shape(name, held, alpha, std),
        Value::List(weights) => Some(weights.iter().map(|w| if let Value::Float(w) = w { *w } else { 0.0 }).collect()),
        other => panic!("{other}"),
    };
    (0..values.len())
        .map(|i| {
            let last = i as i64 + lead as i64 - lag;
            let places = (0..held).map(|k| (last - (held - 1 - k) as i64, k));
            let inside =
                places.filter_map(|(row, k)| usize::try_from(row).ok().filter(|r| *r < values.len()).map(|r| (r, k)));
            let rows: Vec<(f64, usize)> = inside.filter_map(|(row, k)| values[row].map(|x| (x, k))).collect();
            let least = number(spec, "min_samples").map_or(held.min(window), |n| n as usize);
            match &weights {
                _ if rows.len() < least => exact(None),
                None => Slow { answer: None, error: f64::INFINITY },
                Some(weights) => {
                    let pairs: Vec<(f64, f64)> = rows.iter().map(|(x, k)| (*x, weights[*k])).collect();
                    filters::fir(&pairs, kind, number(spec, "ddof").unwrap_or(1.0))
                }
            }
        })
        .collect()
}

/// The answers of a kernel that gives a struct, field by field.
pub fn twin_of_field(spec: &KernelSpec, table: &Table, field: &str) -> Vec<Slow> {
    let predictors: Vec<String> =
        list(spec, "x").iter().map(|x| if let Value::Text(x) = x { x.clone() } else { String::new() }).collect();
    let mut columns = vec![table.numbers(&text(spec, "y"))];
    columns.extend(predictors.iter().map(|x| table.numbers(x)));
    columns.push(match spec.parameters.get("weights") {
        Some(Value::Text(name)) => table.numbers(name),
        _ => vec![Some(1.0); table.batch.num_rows()],
    });
    let rows: Vec<Option<Vec<f64>>> =
        (0..table.batch.num_rows()).map(|i| columns.iter().map(|column| column[i]).collect()).collect();
    let present: Vec<Option<()>> = rows.iter().map(|row| row.as_ref().map(|_| ())).collect();
    (0..rows.len())
        .map(|i| {
            let Some(window) = windows_of(spec, table, &present, i) else { return exact(None) };
            let window: Vec<Vec<f64>> = window.iter().filter_map(|(j, ())| rows[*j].clone()).collect();
            let wild = window.iter().flatten().any(|x| !x.is_finite() || x.abs() > 1e100);
            let fit = fits::least_squares(&window, flag(spec, "add_intercept", true));
            let current = rows[i].as_deref();
            let slow = fits::field(fit.as_ref(), field, &predictors, current);
            if wild { Slow { error: f64::INFINITY, ..slow } } else { slow }
        })
        .collect()
}

/// The answers of a kernel, slowly.
pub fn twin(spec: &KernelSpec, table: &Table) -> Vec<Slow> {
    let column = || table.numbers(&text(spec, "column"));
    let ddof = number(spec, "ddof").unwrap_or(1.0);
    let pairs = |a: &str, b: &str| -> Vec<Option<(f64, f64)>> {
        let (a, b) = (table.numbers(&text(spec, a)), table.numbers(&text(spec, b)));
        a.into_iter().zip(b).map(|(a, b)| a.zip(b)).collect()
    };
    let name = spec.name.as_str();
    match name.trim_start_matches("rolling_").trim_start_matches("expanding_") {
        "count" => windowed(spec, table, &column(), |w| exact(Some(w.len() as f64))),
        "sum" => windowed(spec, table, &column(), sum),
        "product" => windowed(spec, table, &column(), product),
        "mean" => windowed(spec, table, &column(), mean),
        "var" => windowed(spec, table, &column(), |w| variance(w, ddof)),
        "std" => windowed(spec, table, &column(), |w| root(variance(w, ddof))),
        "sem" => windowed(spec, table, &column(), |w| standard_error(w, ddof)),
        "skew" => windowed(spec, table, &column(), |w| moment(w, 3)),
        "kurt" => windowed(spec, table, &column(), |w| moment(w, 4)),
        "min" => windowed(spec, table, &column(), |w| extreme(w, f64::min)),
        "max" => windowed(spec, table, &column(), |w| extreme(w, f64::max)),
        "range" => windowed(spec, table, &column(), |w| {
            let (least, greatest) = (extreme(w, f64::min).answer, extreme(w, f64::max).answer);
            exact(greatest.zip(least).map(|(greatest, least)| greatest - least))
        }),
        "first" => windowed(spec, table, &column(), |w| exact(w.first().copied())),
        "last" => windowed(spec, table, &column(), |w| exact(w.last().copied())),
        "median" => windowed(spec, table, &column(), median),
        "quantile" => {
            let (which, how) = (number(spec, "quantile").unwrap(), choice(spec, "interpolation", "linear"));
            windowed(spec, table, &column(), |w| quantile(w, which, &how))
        }
        "iqr" => windowed(spec, table, &column(), |w| {
            let (upper, lower) = (quantile(w, 0.75, "linear").answer, quantile(w, 0.25, "linear").answer);
            exact(upper.zip(lower).map(|(upper, lower)| upper - lower))
        }),
        "mad" => windowed(spec, table, &column(), median_deviation),
        "rank" => {
            let (method, pct) = (choice(spec, "method", "average"), flag(spec, "pct", false));
            let holds_current = matches!(choice(spec, "closed", "right").as_str(), "right" | "both");
            let values = column();
            (0..values.len())
                .map(|i| {
                    let row = |w: &[f64]| match values[i] {
                        Some(x) if !w.is_empty() => rank(x, w, holds_current, &method, pct),
                        _ => exact(None),
                    };
                    one_window(spec, table, &values, i, row)
                })
                .collect()
        }
        "nunique" => windowed(spec, table, &column(), |w| if w.is_empty() { exact(None) } else { distinct(w) }),
        "cov" => windowed(spec, table, &pairs("x", "y"), |w| covariance(w, ddof)),
        "corr" => windowed(spec, table, &pairs("x", "y"), corr),
        kind @ ("beta" | "alpha" | "r2") => windowed(spec, table, &pairs("y", "x"), |w| line(w, kind)),
        kind @ ("weighted_sum" | "weighted_mean" | "weighted_var" | "weighted_std") => {
            let kind = kind.trim_start_matches("weighted_");
            windowed(spec, table, &pairs("column", "weights"), |w| weighted(w, kind))
        }
        kind @ ("argmin" | "argmax") => {
            let (mut values, last) = (column(), choice(spec, "ties", "first") == "last");
            if text(spec, "column") == "whole" {
                // Differences, as integers near the end of their range are not all floats.
                let whole = table.times("whole");
                let base = whole.iter().max().copied().unwrap_or(0);
                values.iter_mut().zip(whole).for_each(|(x, whole)| *x = x.map(|_| whole.wrapping_sub(base) as f64));
            }
            let row = |i: usize| match windows_of(spec, table, &values, i) {
                Some(window) => order::argument(&window, i, kind == "argmax", last),
                None => exact(None),
            };
            (0..values.len()).map(row).collect()
        }
        "any" => windowed(spec, table, &column(), |w| extreme(w, f64::max)),
        "all" => windowed(spec, table, &column(), |w| extreme(w, f64::min)),
        "zscore" => by_row(spec, table, |x, w| order::score(x, w, ddof)),
        "robust_zscore" => by_row(spec, table, order::robust),
        "hampel" => {
            let threshold = number(spec, "threshold").unwrap_or(3.0);
            by_row(spec, table, |x, w| order::hampel(x, w, threshold))
        }
        kind @ ("trimmed_mean" | "winsorized_mean") => {
            let (proportion, winsorized) = (number(spec, "proportion").unwrap_or(0.1), kind == "winsorized_mean");
            windowed(spec, table, &column(), |w| order::trimmed(w, proportion, winsorized))
        }
        "mode" => windowed(spec, table, &column(), order::mode),
        "entropy" => windowed(spec, table, &column(), |w| order::entropy(w, number(spec, "base"))),
        "top_n" => {
            let (n, largest) = (number(spec, "n").unwrap() as usize, flag(spec, "largest", true));
            let statistic = choice(spec, "statistic", "mean");
            windowed(spec, table, &pairs("column", "order"), |w| order::top(w, n, largest, &statistic))
        }
        "spearman" => windowed(spec, table, &pairs("x", "y"), order::spearman),
        "autocorr" => {
            let (values, lag) = (column(), number(spec, "lag").unwrap_or(1.0) as usize);
            let before = |i: usize| i.checked_sub(lag).and_then(|j| values[j]);
            let pairs: Vec<Option<(f64, f64)>> = (0..values.len()).map(|i| values[i].zip(before(i))).collect();
            windowed(spec, table, &pairs, corr)
        }
        "partial_corr" => windowed(spec, table, &triples(spec, table, ["x", "y", "given"]), fits::partial),
        "coskew" => windowed(spec, table, &pairs("x", "y"), |w| fits::comoment(w, 2)),
        "cokurt" => windowed(spec, table, &pairs("x", "y"), |w| fits::comoment(w, 3)),
        "trend" => trend(spec, table),
        "weighted_corr" => windowed(spec, table, &triples(spec, table, ["x", "y", "weights"]), fits::weighted_corr),
        "weighted_quantile" => {
            let quantile = number(spec, "quantile").unwrap();
            windowed(spec, table, &pairs("column", "weights"), |w| order::weighted_quantile(w, quantile))
        }
        "fir_sum" | "fir_mean" | "fir_var" | "fir_std" => fir(spec, table),
        "ewm_mean" => ewm(spec, &column()),
        "cumsum_clip" => recurrence(
            [column(), operand(spec, table, "lower"), operand(spec, table, "upper")],
            number(spec, "initial").unwrap_or(0.0),
            |y, [x, lower, upper]| {
                let y = y + x;
                let y = if y < lower { lower } else { y };
                if y > upper { upper } else { y }
            },
        ),
        "affine_scan" => {
            let b = operand(spec, table, "b");
            recurrence(
                [operand(spec, table, "a"), b.clone(), b],
                number(spec, "initial").unwrap_or(0.0),
                |y, [a, b, _]| a * y + b,
            )
        }
        "session_id" => session(spec, table),
        "risk_score" => {
            let factors: Vec<_> =
                list(spec, "factors").iter().map(|f| table.numbers(f.to_string().trim_matches('\''))).collect();
            let weight = table.numbers(&text(spec, "weight"));
            dot(&vec![weight; factors.len()], &factors, &table.numbers(&text(spec, "notional")))
        }
        "row_dot" => {
            let columns: Vec<_> =
                list(spec, "columns").iter().map(|f| table.numbers(f.to_string().trim_matches('\''))).collect();
            let weights: Vec<_> = list(spec, "weights")
                .iter()
                .map(|w| vec![if let Value::Float(w) = w { Some(*w) } else { None }; table.batch.num_rows()])
                .collect();
            dot(&weights, &columns, &vec![Some(1.0); table.batch.num_rows()])
        }
        other => panic!("{other} has no slow twin; write one in tests/laws/twins.rs"),
    }
}
