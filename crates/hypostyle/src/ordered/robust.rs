//! The current row against the median of its window, in median absolute deviations: the robust z-score and the Hampel flag.

use arrow::datatypes::{DataType, Schema};

use super::OrderedWindow;
use super::sorted::SortedValues;
use super::spread::median_and_deviation;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::drive::by_row::ByRow;
use crate::error::Result;
use crate::kernel::Running;
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, EXPANDING_PARAMETERS, FROM_ONE, MIN_SAMPLES, ROLLING_PARAMETERS, STEP, Then, WINDOW,
    expanding_ordered_around, expanding_spec, rolling_ordered_around, rolling_spec, sources,
};

/// The median and the median absolute deviation.
#[derive(Debug, Clone)]
pub struct Centre;

impl OrderedWindow for Centre {
    type Input = f64;
    type Output = [f64; 2];
    type State = SortedValues;

    fn empty(&self) -> SortedValues {
        SortedValues::default()
    }

    fn insert(&self, state: &mut SortedValues, x: f64) {
        state.insert(x);
    }

    fn remove(&self, state: &mut SortedValues, x: f64) {
        state.remove(x);
    }

    fn replace(&self, state: &mut SortedValues, old: f64, new: f64) {
        state.replace(old, new);
    }

    fn answer(&self, state: &SortedValues, _: Option<f64>) -> Option<[f64; 2]> {
        median_and_deviation(state)
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

/// Times this the median absolute deviation of normal data is their standard deviation: 1 over its 0.75 quantile.
const NORMAL: f64 = 1.482_602_218_505_602;

/// The distance to the median in standard deviations of normal data.
#[derive(Debug, Clone)]
pub struct RobustScore;

impl ByRow for RobustScore {
    type Input = f64;
    type Inner = [f64; 2];
    type Output = f64;

    fn with_row(&self, [median, deviation]: [f64; 2], x: f64, valid: bool) -> Option<f64> {
        (valid && deviation != 0.0).then_some((x - median) / (NORMAL * deviation))
    }
}

/// Whether that distance is greater than the threshold.
#[derive(Debug, Clone)]
pub struct Outlying {
    /// In standard deviations.
    pub threshold: f64,
}

impl ByRow for Outlying {
    type Input = f64;
    type Inner = [f64; 2];
    type Output = i64;

    fn with_row(&self, [median, deviation]: [f64; 2], x: f64, valid: bool) -> Option<i64> {
        let known = !(median.is_nan() || deviation.is_nan() || x.is_nan());
        let outlying = (x - median).abs() > self.threshold * (NORMAL * deviation);
        (valid && known).then_some(i64::from(outlying))
    }
}

fn score(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    let inputs = sources::<f64>(arguments, schema, &["column"])?;
    if arguments.has("window") {
        rolling_ordered_around(arguments, schema, inputs, Centre, Then(RobustScore))
    } else {
        Ok(expanding_ordered_around(arguments, inputs, Centre, Then(RobustScore)))
    }
}

fn flag(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    let threshold = arguments.number("threshold").unwrap_or(3.0);
    if !(threshold >= 0.0 && threshold.is_finite()) {
        return Err(arguments.refuse("threshold", format!("must be at least 0, not {threshold}")));
    }
    let (columns, _) = sources::<f64>(arguments, schema, &["column"])?;
    let (inputs, outlying) = ((columns, DataType::Boolean), Then(Outlying { threshold }));
    if arguments.has("window") {
        rolling_ordered_around(arguments, schema, inputs, Centre, outlying)
    } else {
        Ok(expanding_ordered_around(arguments, inputs, Centre, outlying))
    }
}

const THRESHOLD: Parameter = Parameter::optional(
    "threshold",
    Kind::Number,
    Literal::Number(3.0),
    "How many standard deviations of normal data, 1.4826 median absolute deviations each, are still ordinary.",
);

const SCORE_NOTES: &str = "A row with a null gets null; nulls in the window are skipped and do not count for `min_samples`. Null where the \
    deviation is 0: where more than half of the values are the same. A window with a NaN, or with an infinite median, gives NaN. With \
    `closed='left'` the row is judged by the rows before it. A few roundings.";

const FLAG_NOTES: &str = "Gives a boolean; null for a row with a null or a NaN and for a window with a NaN or an infinite median. Nulls in \
    the window are skipped and do not count for `min_samples`. Where the deviation is 0 every value but the median is flagged. The usual \
    filter is centred (`center=True`, in memory); with `closed='left'` the row is judged by the rows before it. A few roundings.";

pub(crate) const ROLLING_ROBUST_ZSCORE: Kernel = Kernel {
    name: "rolling_robust_zscore",
    family: Family::Rolling,
    summary: "Distance of the current row's value to the median of a moving window, in median absolute deviations scaled to standard ones.",
    formula: "y[i] = (x[i] - m) / (1.4826 * mad), m the median and mad the median absolute deviation of the window of row i",
    notes: SCORE_NOTES,
    source: "Iglewicz, Hoaglin (1993), modified z-score; scipy.stats.median_abs_deviation(scale='normal').",
    parameters: ROLLING_PARAMETERS,
    example: r#""z", 3"#,
    build: score,
};

pub(crate) const EXPANDING_ROBUST_ZSCORE: Kernel = Kernel {
    name: "expanding_robust_zscore",
    family: Family::Expanding,
    summary: "Distance of the current row's value to the median so far, in median absolute deviations scaled to standard ones.",
    formula: "y[i] = (x[i] - m) / (1.4826 * mad), m the median and mad the median absolute deviation of the values up to row i",
    notes: SCORE_NOTES,
    source: "Iglewicz, Hoaglin (1993), modified z-score; scipy.stats.median_abs_deviation(scale='normal').",
    parameters: EXPANDING_PARAMETERS,
    example: r#""z""#,
    build: score,
};

pub(crate) const ROLLING_HAMPEL: Kernel = Kernel {
    name: "rolling_hampel",
    family: Family::Rolling,
    summary: "Whether the current row's value is an outlier among the values in a moving window, by Hampel's rule.",
    formula: "y[i] = |x[i] - m| > threshold * 1.4826 * mad, m the median and mad the median absolute deviation of the window of row i",
    notes: FLAG_NOTES,
    source: "Hampel (1974); Liu, Shah, Jiang (2004).",
    parameters: &[COLUMN, WINDOW, THRESHOLD, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""z", 3, threshold=1.0"#,
    build: flag,
};

pub(crate) const EXPANDING_HAMPEL: Kernel = Kernel {
    name: "expanding_hampel",
    family: Family::Expanding,
    summary: "Whether the current row's value is an outlier among all values so far, by Hampel's rule.",
    formula: "y[i] = |x[i] - m| > threshold * 1.4826 * mad, m the median and mad the median absolute deviation of the values up to row i",
    notes: FLAG_NOTES,
    source: "Hampel (1974); Liu, Shah, Jiang (2004).",
    parameters: &[COLUMN, THRESHOLD, FROM_ONE],
    example: r#""z", threshold=1.0"#,
    build: flag,
};

/// Distance of the current row's value to the median of a moving window, in scaled median absolute deviations.
pub fn rolling_robust_zscore(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_robust_zscore", column, window)
}

/// Distance of the current row's value to the median so far, in scaled median absolute deviations.
pub fn expanding_robust_zscore(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_robust_zscore", column)
}

/// Whether the current row's value is an outlier among the values in a moving window, by Hampel's rule.
pub fn rolling_hampel(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_hampel", column, window)
}

/// Whether the current row's value is an outlier among all values so far, by Hampel's rule.
pub fn expanding_hampel(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_hampel", column)
}
