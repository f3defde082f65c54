//! Finite impulse response filters: sum, mean, variance and standard deviation with a weight for each position of the window, given
//! as a list of weights or as the name of a shape.

use super::shapes::{self, SHAPES};
use crate::drive::filter::{Filter, FirStatistic};
use crate::error::{Result, listed, nearest};
use crate::run::parameters::{CENTER, CLOSED, COLUMN, DDOF, STEP};
use crate::run::{Entry, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

const WINDOW: Parameter = Parameter::required("window", Kind::Rows, "The window size: a number of rows.");

const WEIGHTS: Parameter = Parameter::required(
    "weights",
    Kind::Weights,
    "The weight of each row in the window, the oldest row's first (the reverse of an impulse response); or the name of a shape: \
     'linear' (1, 2, ..., so that the newest row counts most), 'exponential' (with `alpha`), 'gaussian' (with `std`), or, as in \
     scipy.signal.windows, 'boxcar', 'triang', 'bartlett', 'hann', 'hamming', 'blackman', 'nuttall', 'blackmanharris', 'flattop', \
     'cosine', 'bohman', 'parzen', 'barthann', 'lanczos'.",
);

const ALPHA: Parameter = Parameter::optional(
    "alpha",
    Kind::Number,
    Literal::Omitted,
    "For 'exponential': each row weighs 1 - alpha times as much as the next newer one; greater than 0, less than 1.",
);

const STD: Parameter = Parameter::optional(
    "std",
    Kind::Number,
    Literal::Omitted,
    "For 'gaussian': the standard deviation of the bell around the middle of the window, in rows.",
);

const MIN_SAMPLES: Parameter = Parameter::optional(
    "min_samples",
    Kind::Count,
    Literal::Omitted,
    "The minimum number of values; with fewer the result is null. Default: the rows that the window holds, at most `window`.",
);

const PARAMETERS: &[Parameter] = &[COLUMN, WINDOW, WEIGHTS, ALPHA, STD, MIN_SAMPLES, CLOSED, CENTER, STEP];

const SPREAD: &[Parameter] = &[COLUMN, WINDOW, WEIGHTS, ALPHA, STD, MIN_SAMPLES, CLOSED, CENTER, STEP, DDOF];

/// The largest window: each row costs as many steps.
const LONGEST: usize = 1 << 24;

/// The weights of a window that holds `len` rows.
fn weights(arguments: &Arguments, len: usize) -> Result<Vec<f64>> {
    if len > LONGEST {
        return Err(arguments.refuse("window", format!("must be at most {LONGEST} rows, got {len}")));
    }
    // The table lets only strings and lists of numbers pass.
    let shape = arguments.text("weights").ok();
    for (name, user) in [("alpha", "exponential"), ("std", "gaussian")] {
        match (arguments.has(name)?, shape.as_deref() == Some(user)) {
            (true, false) => {
                return Err(arguments
                    .refuse(name, format!("requires weights=\"{user}\""))
                    .with_help(format!("set weights to \"{user}\", or remove {name}")));
            }
            (false, true) => {
                return Err(arguments
                    .refuse(name, format!("required, because weights is \"{user}\""))
                    .with_help(format!("set {name} to a number, or use another shape")));
            }
            _ => {}
        }
    }
    match shape.as_deref() {
        None => listed_weights(arguments, len),
        Some("exponential") => exponential(arguments, len),
        Some("gaussian") => gaussian(arguments, len),
        Some(shape) => shapes::weights(shape, len).ok_or_else(|| {
            let known: Vec<&str> = ["exponential", "gaussian"].iter().chain(SHAPES).copied().collect();
            let help = match nearest(shape, known.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("the shapes are {}", listed(&known)),
            };
            arguments.refuse("weights", format!("unknown shape \"{shape}\"")).with_help(help)
        }),
    }
}

fn listed_weights(arguments: &Arguments, len: usize) -> Result<Vec<f64>> {
    let weights = arguments.numbers("weights")?;
    if weights.len() != len {
        let given = weights.len();
        return Err(arguments
            .refuse("weights", format!("must have one weight for each of the window's {len} rows, got {given}"))
            .with_help("change weights or window; closed=\"both\" adds a row, closed=\"neither\" removes one"));
    }
    match weights.iter().find(|weight| !weight.is_finite()) {
        Some(weight) => Err(arguments.refuse("weights", format!("must be finite, got {weight}"))),
        None => Ok(weights),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a window of more than 2^53 rows does not fit into memory")]
fn exponential(arguments: &Arguments, len: usize) -> Result<Vec<f64>> {
    let alpha = arguments.number("alpha")?;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(arguments.refuse("alpha", format!("must be greater than 0 and less than 1, got {alpha}")));
    }
    Ok((0..len).map(|i| libm::pow(1.0 - alpha, (len - 1 - i) as f64)).collect())
}

#[expect(clippy::cast_precision_loss, reason = "a window of more than 2^53 rows does not fit into memory")]
fn gaussian(arguments: &Arguments, len: usize) -> Result<Vec<f64>> {
    let std = arguments.number("std")?;
    if !(std > 0.0 && std.is_finite()) {
        return Err(arguments.refuse("std", format!("must be finite and greater than 0, got {std}")));
    }
    let steps = |i: usize| (i as f64 - (len as f64 - 1.0) / 2.0) / std;
    Ok((0..len).map(|i| libm::exp(-0.5 * steps(i) * steps(i))).collect())
}

fn plan(arguments: &Arguments, statistic: FirStatistic) -> Result<Plan> {
    Plan::filter(arguments, |len, lagged, min_samples| {
        Ok(Filter { weights: weights(arguments, len)?.into(), statistic, lagged, min_samples })
    })
}

const SOURCE: &str = "pandas `Series.rolling(win_type=...)`; scipy.signal.windows for the shapes.";

const NOTES: &str = "A null is left out together with its weight; it does not count for `min_samples`. Null if the weights of the values \
    add up to 0, and for a variance that negative weights make negative. A window with a NaN or an infinity follows IEEE, whatever its \
    weight, and no other window does. There is one weight per row, so the window is a number of rows, and each row costs that many steps. \
    Relative error at most w * eps * sum(|weight * x|) / |sum(weight * x)|.";

pub(crate) const FIR_SUM: Entry = Entry {
    names: &["rolling_fir_sum"],
    shape: Shape::Single(Family::Rolling),
    summary: "Sum of the values in a moving window, each times the weight of its position (a finite impulse response filter).",
    formula: "y[i] = sum(weights[k] * x[i - w + 1 + k] for k in 0..w)",
    notes: "A null is left out; it does not count for `min_samples`. A window with a NaN or an infinity follows IEEE, whatever its weight, \
            and no other window does. There is one weight per row, so the window is a number of rows, and each row costs that many steps. \
            Relative error at most w * eps * sum(|weight * x|) / |sum(weight * x)|.",
    source: SOURCE,
    parameters: PARAMETERS,
    example: &[
        ("column", Literal::Text("z")),
        ("window", Literal::Count(3)),
        ("weights", Literal::Numbers(&[0.25, 0.5, 0.25])),
    ],
    plan: |arguments| plan(arguments, FirStatistic::Sum),
    #[cfg(test)]
    reference: reference::fir_sum,
};

pub(crate) const FIR_MEAN: Entry = Entry {
    names: &["rolling_fir_mean"],
    shape: Shape::Single(Family::Rolling),
    summary: "Mean of the values in a moving window, each with the weight of its position (weighted moving average).",
    formula: "y[i] = sum(weights[k] * x[i - w + 1 + k]) / sum(weights[k]) over the k in 0..w where x is not null",
    notes: NOTES,
    source: SOURCE,
    parameters: PARAMETERS,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3)), ("weights", Literal::Text("linear"))],
    plan: |arguments| plan(arguments, FirStatistic::Mean),
    #[cfg(test)]
    reference: reference::fir_mean,
};

pub(crate) const FIR_VAR: Entry = Entry {
    names: &["rolling_fir_var"],
    shape: Shape::Single(Family::Rolling),
    summary: "Variance of the values in a moving window, each with the weight of its position.",
    formula: "y[i] = sum(weights[k] * (x[k] - m)^2) / sum(weights[k]) * n / (n - ddof), m the weighted mean of the n values",
    notes: NOTES,
    source: SOURCE,
    parameters: SPREAD,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3)), ("weights", Literal::Text("hamming"))],
    plan: |arguments| plan(arguments, FirStatistic::Variance { ddof: arguments.count("ddof")? }),
    #[cfg(test)]
    reference: reference::fir_var,
};

pub(crate) const FIR_STD: Entry = Entry {
    names: &["rolling_fir_std"],
    shape: Shape::Single(Family::Rolling),
    summary: "Standard deviation of the values in a moving window, each with the weight of its position.",
    formula: "y[i] = sqrt(sum(weights[k] * (x[k] - m)^2) / sum(weights[k]) * n / (n - ddof)), m the weighted mean of the n values",
    notes: NOTES,
    source: SOURCE,
    parameters: SPREAD,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3)), ("weights", Literal::Text("hamming"))],
    plan: |arguments| plan(arguments, FirStatistic::Deviation { ddof: arguments.count("ddof")? }),
    #[cfg(test)]
    reference: reference::fir_std,
};

/// Each window summed by itself, with the shapes of a few names once more.
#[cfg(test)]
mod reference {
    use crate::reference::{EPS, Slow, Table, bounded, choice, column, ddof, exact, flag, number, root};
    use crate::{KernelSpec, Value};

    pub fn fir_sum(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        filtered(spec, table, "sum")
    }

    pub fn fir_mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        filtered(spec, table, "mean")
    }

    pub fn fir_var(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        filtered(spec, table, "var")
    }

    pub fn fir_std(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        filtered(spec, table, "std")
    }

    /// Each row of the window has the weight of its position.
    fn filtered(spec: &KernelSpec, table: &Table, kind: &str) -> Vec<Slow> {
        let values = column(spec, table);
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
            Value::Text(name) => shape(name, held, alpha, std),
            Value::List(weights) => {
                Some(weights.iter().map(|w| if let Value::Float(w) = w { *w } else { 0.0 }).collect())
            }
            other => panic!("{other}"),
        };
        let row = |i: usize| {
            let last = i as i64 + lead as i64 - lag;
            let positions = (0..held).map(|k| (last - (held - 1 - k) as i64, k));
            let inside = positions
                .filter_map(|(row, k)| usize::try_from(row).ok().filter(|r| *r < values.len()).map(|r| (r, k)));
            let rows: Vec<(f64, usize)> = inside.filter_map(|(row, k)| values[row].map(|x| (x, k))).collect();
            let fewest = number(spec, "min_samples").map_or(held.min(window), |n| n as usize);
            match &weights {
                _ if rows.len() < fewest => exact(None),
                None => Slow { answer: None, error: f64::INFINITY },
                Some(weights) => {
                    let pairs: Vec<(f64, f64)> = rows.iter().map(|(x, k)| (*x, weights[*k])).collect();
                    of_window(&pairs, kind, ddof(spec))
                }
            }
        };
        (0..values.len()).map(row).collect()
    }

    /// The weights of a shape by the formula of its definition; `None` for shapes that are checked against scipy only.
    fn shape(name: &str, n: usize, alpha: f64, std: f64) -> Option<Vec<f64>> {
        let center = (n as f64 - 1.0) / 2.0;
        let weight = |i: usize| -> Option<f64> {
            let i = i as f64;
            let angle = 2.0 * std::f64::consts::PI * i / (n as f64 - 1.0);
            Some(match name {
                "linear" => i + 1.0,
                "boxcar" => 1.0,
                "exponential" => (1.0 - alpha).powf(n as f64 - 1.0 - i),
                "gaussian" => (-0.5 * ((i - center) / std).powi(2)).exp(),
                "hann" => 0.5 - 0.5 * angle.cos(),
                "hamming" => 0.54 - 0.46 * angle.cos(),
                "blackman" => 0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos(),
                "bartlett" => 1.0 - ((i - center) / center).abs(),
                _ => return None,
            })
        };
        let one = (n == 1 && !matches!(name, "exponential" | "gaussian")).then(|| vec![1.0]);
        one.or_else(|| (0..n).map(weight).collect())
    }

    /// `window` holds (value, weight) of the rows that are valid.
    fn of_window(window: &[(f64, f64)], kind: &str, ddof: f64) -> Slow {
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
        if kind == "var" { slow } else { root(slow) }
    }

    fn largest_value(window: &[(f64, f64)]) -> f64 {
        window.iter().fold(0.0, |a, (x, _)| a.max(x.abs()))
    }
}
