//! What the reference versions of kernels are written with.  Beside each kernel stands a second version of it, by its definition,
//! recomputed from scratch for every row; here is what they share: random tables, windows by their definition, and plain
//! two-pass statistics with their error bounds.  Kept simple on purpose, and compiled for tests only.

mod slow;
mod statistics;
mod table;

pub use slow::{EPS, Slow, bounded, exact};
pub use statistics::{
    constant, corr, covariance, extreme, largest, line, mean, median, median_deviation, noise, ordered, root, spread,
    sum, variance,
};
pub use table::{NUMBERS, Random, Table, bits, fields, keys_of, numbers, poison, same_bits, table, table_of};

use crate::spec::{Duration, KernelSpec, Value};

/// A kernel's reference version: the results of a specification over a table; for kernels that return a struct, those of one
/// field.
pub type Reference = fn(&KernelSpec, &Table, Option<&str>) -> Vec<Slow>;

/// The references square values as they are: what they make of the tiniest ones is 0.
const UNDERFLOW: f64 = 1e-150;

/// Whether an answer is within the error that the kernel's documentation states.
pub fn agree(spec: &KernelSpec, fast: Option<f64>, slow: &Slow) -> bool {
    match (fast, slow.answer) {
        (None, None) => true,
        // Where rounding decides whether there is any spread at all, both sides are right.
        (None, Some(_)) | (Some(_), None) => slow.error.is_infinite(),
        (Some(a), Some(b)) if a.is_nan() || b.is_nan() => (a.is_nan() && b.is_nan()) || slow.error.is_infinite(),
        (Some(a), Some(b)) if narrow(spec) > 0.0 && a == f64::from(b as f32) => true,
        (Some(a), Some(b)) => {
            a == b
                || (a - b).abs() <= slow.error
                || (a - b).abs() < UNDERFLOW
                || (a - b).abs() <= narrow(spec) * b.abs()
        }
    }
}

/// f32 in gives f32 out: the answer is rounded once more.
pub fn narrow(spec: &KernelSpec) -> f64 {
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

pub fn text(spec: &KernelSpec, name: &str) -> String {
    match spec.parameters.get(name) {
        Some(Value::Text(text)) => text.clone(),
        other => panic!("{spec}: {name} is {other:?}"),
    }
}

pub fn number(spec: &KernelSpec, name: &str) -> Option<f64> {
    match spec.parameters.get(name) {
        Some(Value::Int(x)) => Some(*x as f64),
        Some(Value::Float(x)) => Some(*x),
        _ => None,
    }
}

/// A duration in steps of the table's time columns: milliseconds, or integers; or a number of rows.
pub fn length(spec: &KernelSpec, name: &str) -> i64 {
    match &spec.parameters[name] {
        Value::Int(n) => *n,
        Value::Text(text) => match Duration::parse(text).unwrap() {
            Duration::Nanoseconds(n) => i64::try_from(n / 1_000_000).unwrap(),
            Duration::Units(n) => i64::try_from(n).unwrap(),
        },
        other => panic!("{spec}: {name} is {other:?}"),
    }
}

pub fn choice(spec: &KernelSpec, name: &str, default: &str) -> String {
    match spec.parameters.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => default.to_string(),
    }
}

pub fn flag(spec: &KernelSpec, name: &str, default: bool) -> bool {
    match spec.parameters.get(name) {
        Some(Value::Bool(x)) => *x,
        _ => default,
    }
}

pub fn operand(spec: &KernelSpec, table: &Table, name: &str) -> Vec<Option<f64>> {
    match (number(spec, name), spec.parameters.get(name)) {
        (Some(x), _) => vec![Some(x); table.batch.num_rows()],
        (None, Some(Value::Text(column))) => table.numbers(column),
        other => panic!("{spec}: {name} is {other:?}"),
    }
}

pub fn list(spec: &KernelSpec, name: &str) -> Vec<Value> {
    match spec.parameters.get(name) {
        Some(Value::List(items)) => items.clone(),
        other => panic!("{spec}: {name} is {other:?}"),
    }
}

pub fn min_samples(spec: &KernelSpec) -> usize {
    if let Some(count) = number(spec, "min_samples") {
        return count as usize;
    }
    match (spec.name.as_str(), spec.parameters.get("window")) {
        ("rolling_count" | "expanding_count" | "cum_count", _) => 0,
        (_, Some(Value::Int(rows))) => {
            let neither = spec.parameters.get("closed") == Some(&Value::from("neither"));
            (if neither { rows - 1 } else { *rows }) as usize
        }
        _ => 1,
    }
}

/// A statistic of each row's window, from the valid values in it.
pub fn windowed<T: Copy>(
    spec: &KernelSpec,
    table: &Table,
    values: &[Option<T>],
    statistic: impl Fn(&[T]) -> Slow,
) -> Vec<Slow> {
    (0..values.len()).map(|i| one_window(spec, table, values, i, &statistic)).collect()
}

pub fn one_window<T: Copy>(
    spec: &KernelSpec,
    table: &Table,
    values: &[Option<T>],
    i: usize,
    statistic: impl Fn(&[T]) -> Slow,
) -> Slow {
    let is_in = table.window(spec, i);
    let window: Vec<T> = (0..values.len()).filter(|j| is_in(*j)).filter_map(|j| values[j]).collect();
    if window.len() < min_samples(spec) { exact(None) } else { statistic(&window) }
}

/// A recurrence by its formula; rows with a null keep the last answer.
pub fn recurrence(inputs: [Vec<Option<f64>>; 3], initial: f64, step: impl Fn(f64, [f64; 3]) -> f64) -> Vec<Slow> {
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

/// Each row's window, made of the rows that are valid, with the number of each; `None` where there are too few.
pub fn windows_of<T: Copy>(
    spec: &KernelSpec,
    table: &Table,
    values: &[Option<T>],
    i: usize,
) -> Option<Vec<(usize, T)>> {
    let is_in = table.window(spec, i);
    let rows = (0..values.len()).filter(|j| is_in(*j));
    let window: Vec<(usize, T)> = rows.filter_map(|j| values[j].map(|x| (j, x))).collect();
    (window.len() >= min_samples(spec)).then_some(window)
}

/// What a window says of the current row.
pub fn by_row(spec: &KernelSpec, table: &Table, judge: impl Fn(f64, &[f64]) -> Slow) -> Vec<Slow> {
    let values = table.numbers(&text(spec, "column"));
    let row = |i: usize| {
        let judged = |w: &[f64]| values[i].filter(|_| !w.is_empty()).map_or(exact(None), |x| judge(x, w));
        one_window(spec, table, &values, i, judged)
    };
    (0..values.len()).map(row).collect()
}

pub fn triples(spec: &KernelSpec, table: &Table, names: [&str; 3]) -> Vec<Option<[f64; 3]>> {
    let columns = names.map(|name| table.numbers(&text(spec, name)));
    (0..table.batch.num_rows()).map(|i| Some([columns[0][i]?, columns[1][i]?, columns[2][i]?])).collect()
}

/// The column of the parameter `column`.
pub fn column(spec: &KernelSpec, table: &Table) -> Vec<Option<f64>> {
    table.numbers(&text(spec, "column"))
}

/// The columns of two parameters side by side; null where one is.
pub fn pairs(spec: &KernelSpec, table: &Table, a: &str, b: &str) -> Vec<Option<(f64, f64)>> {
    let (a, b) = (table.numbers(&text(spec, a)), table.numbers(&text(spec, b)));
    a.into_iter().zip(b).map(|(a, b)| a.zip(b)).collect()
}

/// The parameter `ddof`.
pub fn ddof(spec: &KernelSpec) -> f64 {
    number(spec, "ddof").unwrap_or(1.0)
}

/// A statistic of the column `column` in each row's window.
pub fn of_column(spec: &KernelSpec, table: &Table, statistic: impl Fn(&[f64]) -> Slow) -> Vec<Slow> {
    windowed(spec, table, &column(spec, table), statistic)
}

/// A statistic of two columns in each row's window.
pub fn of_pairs(
    spec: &KernelSpec,
    table: &Table,
    (a, b): (&str, &str),
    statistic: impl Fn(&[(f64, f64)]) -> Slow,
) -> Vec<Slow> {
    windowed(spec, table, &pairs(spec, table, a, b), statistic)
}
