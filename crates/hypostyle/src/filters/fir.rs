//! Finite impulse response: sum, mean, variance and deviation with a weight for each place of the window, by a vector of
//! weights or the name of a shape.

use arrow::datatypes::Schema;

use super::shapes::{self, SHAPES};
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::drive::filter::{Filter, Sums};
use crate::error::{Result, listed, nearest};
use crate::kernel::Running;
use crate::spec::{KernelSpec, Value};
use crate::windowed::{CENTER, CLOSED, COLUMN, DDOF, STEP, rolling_filter, rolling_spec};

const WINDOW: Parameter = Parameter::required("window", Kind::Rows, "How many rows the window reaches back.");

const WEIGHTS: Parameter = Parameter::required(
    "weights",
    Kind::Weights,
    "The weight of each row that the window holds, the oldest row's first (the reverse of an impulse response); or the name of a shape: 'linear' (1, 2, ..., so that the \
     youngest row counts most), 'exponential' (with `alpha`), 'gaussian' (with `std`), or, as scipy.signal.windows has them, \
     'boxcar', 'triang', 'bartlett', 'hann', 'hamming', 'blackman', 'nuttall', 'blackmanharris', 'flattop', 'cosine', 'bohman', \
     'parzen', 'barthann', 'lanczos'.",
);

const ALPHA: Parameter = Parameter::optional(
    "alpha",
    Kind::Number,
    Literal::Omitted,
    "For 'exponential': each row weighs 1 - alpha times as much as the next younger one; more than 0, less than 1.",
);

const STD: Parameter = Parameter::optional(
    "std",
    Kind::Number,
    Literal::Omitted,
    "For 'gaussian': the standard deviation of the bell around the window's middle, in rows.",
);

const MIN_SAMPLES: Parameter = Parameter::optional(
    "min_samples",
    Kind::Count,
    Literal::Omitted,
    "The least number of values for an answer; below it the answer is null. Unless given: the rows that the window holds, \
     at most `window`.",
);

const PARAMETERS: &[Parameter] = &[COLUMN, WINDOW, WEIGHTS, ALPHA, STD, MIN_SAMPLES, CLOSED, CENTER, STEP];

const SPREAD: &[Parameter] = &[COLUMN, WINDOW, WEIGHTS, ALPHA, STD, MIN_SAMPLES, CLOSED, CENTER, STEP, DDOF];

/// The most rows of a window: a row costs as many steps.
const LONGEST: usize = 1 << 24;

/// The weights of a window that holds `len` rows.
#[expect(clippy::cast_precision_loss, reason = "a window of more than 2^53 rows does not fit into memory")]
fn weights(arguments: &Arguments, len: usize) -> Result<Vec<f64>> {
    let parameter = |name: &str, shape: &str| {
        let number = arguments.number(name);
        number.ok_or_else(|| arguments.refuse(name, format!("is missing: weights='{shape}' needs it")))
    };
    if len > LONGEST {
        return Err(arguments.refuse("window", format!("must be at most {LONGEST} rows, not {len}")));
    }
    let shape = arguments.text("weights");
    for (name, shapes) in [("alpha", "exponential"), ("std", "gaussian")] {
        if arguments.number(name).is_some() && shape.as_deref() != Some(shapes) {
            return Err(arguments.refuse(name, format!("goes with weights='{shapes}' only")));
        }
    }
    match shape.as_deref() {
        None => {
            let weights = arguments.numbers("weights")?;
            if weights.len() != len {
                let problem = format!("has {} weights, but the window holds {len} rows", weights.len());
                return Err(arguments.refuse("weights", format!("{problem}; give one for each, `closed` considered")));
            }
            match weights.iter().find(|weight| !weight.is_finite()) {
                Some(weight) => Err(arguments.refuse("weights", format!("must be finite, not {weight}"))),
                None => Ok(weights),
            }
        }
        Some("exponential") => {
            let alpha = parameter("alpha", "exponential")?;
            if !(alpha > 0.0 && alpha < 1.0) {
                return Err(arguments.refuse("alpha", format!("must be more than 0 and less than 1, not {alpha}")));
            }
            Ok((0..len).map(|i| (1.0 - alpha).powf((len - 1 - i) as f64)).collect())
        }
        Some("gaussian") => {
            let std = parameter("std", "gaussian")?;
            if !(std > 0.0 && std.is_finite()) {
                return Err(arguments.refuse("std", format!("must be more than 0, not {std}")));
            }
            let steps = |i: usize| (i as f64 - (len as f64 - 1.0) / 2.0) / std;
            Ok((0..len).map(|i| (-0.5 * steps(i) * steps(i)).exp()).collect())
        }
        Some(shape) => shapes::weights(shape, len).ok_or_else(|| {
            let known: Vec<&str> = ["exponential", "gaussian"].iter().chain(SHAPES).copied().collect();
            let way_out = match nearest(shape, known.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("the shapes are {}", listed(&known)),
            };
            arguments.refuse("weights", format!("'{shape}' is no shape; {way_out}"))
        }),
    }
}

fn fir(arguments: &Arguments, schema: &Schema, sums: Sums) -> Result<Box<dyn Running>> {
    rolling_filter(arguments, schema, |len, lagged, min_samples| {
        Ok(Filter { weights: weights(arguments, len)?.into(), sums, lagged, min_samples })
    })
}

fn ddof(arguments: &Arguments) -> usize {
    arguments.count("ddof").unwrap_or(1)
}

const SOURCE: &str = "pandas `Series.rolling(win_type=...)`; scipy.signal.windows for the shapes.";

const NOTES: &str = "A null is left out together with its weight; it does not count for `min_samples`. Where the weights of the \
    values add up to 0 there is no answer (null), nor for a variance that negative weights make negative. A window with a NaN or an infinity follows IEEE, whatever its weight, and no \
    other window does. The vector has a place for each row, so the window is a number of rows, and it costs that many steps a \
    row. Relative error at most w * eps * sum(|weight * x|) / |sum(weight * x)|.";

pub(crate) const ROLLING_FIR_SUM: Kernel = Kernel {
    name: "rolling_fir_sum",
    family: Family::Rolling,
    summary: "Sum of the values in a moving window, each times the weight of its place (a finite impulse response filter).",
    formula: "y[i] = sum(weights[k] * x[i - w + 1 + k] for k in 0..w)",
    notes: "A null is left out; it does not count for `min_samples`. A window with a NaN or an infinity follows IEEE, whatever its \
            weight, and no other window does. The vector has a place for each row, so the window is a number of rows, and it costs \
            that many steps a row. Relative error at most w * eps * sum(|weight * x|) / |sum(weight * x)|.",
    source: SOURCE,
    parameters: PARAMETERS,
    example: r#""z", 3, [0.25, 0.5, 0.25]"#,
    build: |arguments, schema| fir(arguments, schema, Sums::Sum),
};

pub(crate) const ROLLING_FIR_MEAN: Kernel = Kernel {
    name: "rolling_fir_mean",
    family: Family::Rolling,
    summary: "Mean of the values in a moving window, each with the weight of its place (weighted moving average).",
    formula: "y[i] = sum(weights[k] * x[i - w + 1 + k]) / sum(weights[k]) over the k in 0..w where x is not null",
    notes: NOTES,
    source: SOURCE,
    parameters: PARAMETERS,
    example: r#""z", 3, "linear""#,
    build: |arguments, schema| fir(arguments, schema, Sums::Mean),
};

pub(crate) const ROLLING_FIR_VAR: Kernel = Kernel {
    name: "rolling_fir_var",
    family: Family::Rolling,
    summary: "Variance of the values in a moving window, each with the weight of its place.",
    formula: "y[i] = sum(weights[k] * (x[k] - m)^2) / sum(weights[k]) * n / (n - ddof), m the weighted mean of the n values",
    notes: NOTES,
    source: SOURCE,
    parameters: SPREAD,
    example: r#""z", 3, "hamming""#,
    build: |arguments, schema| fir(arguments, schema, Sums::Variance { ddof: ddof(arguments) }),
};

pub(crate) const ROLLING_FIR_STD: Kernel = Kernel {
    name: "rolling_fir_std",
    family: Family::Rolling,
    summary: "Standard deviation of the values in a moving window, each with the weight of its place.",
    formula: "y[i] = sqrt(sum(weights[k] * (x[k] - m)^2) / sum(weights[k]) * n / (n - ddof)), m the weighted mean of the n values",
    notes: NOTES,
    source: SOURCE,
    parameters: SPREAD,
    example: r#""z", 3, "hamming""#,
    build: |arguments, schema| fir(arguments, schema, Sums::Deviation { ddof: ddof(arguments) }),
};

fn fir_spec(name: &str, column: impl Into<String>, window: usize, weights: impl Into<Value>) -> KernelSpec {
    rolling_spec(name, column, window).with("weights", weights)
}

/// Sum of the values in a moving window, each times the weight of its place.
pub fn rolling_fir_sum(column: impl Into<String>, window: usize, weights: impl Into<Value>) -> KernelSpec {
    fir_spec("rolling_fir_sum", column, window, weights)
}

/// Mean of the values in a moving window, each with the weight of its place.
pub fn rolling_fir_mean(column: impl Into<String>, window: usize, weights: impl Into<Value>) -> KernelSpec {
    fir_spec("rolling_fir_mean", column, window, weights)
}

/// Variance of the values in a moving window, each with the weight of its place.
pub fn rolling_fir_var(column: impl Into<String>, window: usize, weights: impl Into<Value>) -> KernelSpec {
    fir_spec("rolling_fir_var", column, window, weights)
}

/// Standard deviation of the values in a moving window, each with the weight of its place.
pub fn rolling_fir_std(column: impl Into<String>, window: usize, weights: impl Into<Value>) -> KernelSpec {
    fir_spec("rolling_fir_std", column, window, weights)
}
