//! The current row compared with the median of its window, in median absolute deviations: the robust z-score and the Hampel flag.

use std::marker::PhantomData;

use arrow::datatypes::DataType;

use super::abreast::{ABREAST, OfSorted, Positions, in_order, sorted_abreast};
use super::block_deviation::median_deviations;
use super::sorted::{SHORT, SortedValues, has_nan};
use super::spread::{all_windows, median_and_deviation, medians_and_deviations};
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{ByRow, OrderedWindow};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape, Then, Window};
use crate::spec::{Arguments, Kind, Literal, Parameter};
use crate::values::Exact;

/// The median, as two floats that add up to a base and the distance to it, and the median absolute deviation.
#[derive(Debug, Clone)]
pub struct MedianDeviation<T>(PhantomData<T>);

impl<T: Value> OrderedWindow for MedianDeviation<T> {
    type Input = T;
    type Output = [f64; 4];
    type State = SortedValues<T>;

    fn empty(&self) -> SortedValues<T> {
        SortedValues::default()
    }

    fn insert(&self, state: &mut SortedValues<T>, x: T) {
        state.insert(x);
    }

    fn remove(&self, state: &mut SortedValues<T>, x: T) {
        state.remove(x);
    }

    fn replace(&self, state: &mut SortedValues<T>, old: T, new: T) {
        state.replace(old, new);
    }

    fn answer(&self, state: &SortedValues<T>, _: Option<T>) -> Option<[f64; 4]> {
        let [center, deviation] = median_and_deviation(state)?;
        let [high, low] = if state.is_empty() { [0.0; 2] } else { state.nth(0).base().parts() };
        Some([high, low, center, deviation])
    }

    fn answer_all(
        &self,
        rows: &[T],
        valid: Option<&[bool]>,
        len: usize,
        answer: impl FnMut(usize, usize, Option<[f64; 4]>),
    ) -> bool {
        let Some(rows) = T::floats(rows).filter(|_| !has_nan(rows, valid)) else { return false };
        if len <= SHORT {
            return sorted_abreast(rows, valid, len, self, answer);
        }
        let mut next = in_order(answer);
        median_deviations(rows, valid, len, |count, found| next(count, found.and_then(with_base)));
        true
    }

    fn heap_bytes(&self, state: &SortedValues<T>) -> usize {
        state.heap_bytes()
    }
}

/// Floats have nothing taken from them.
#[inline(always)]
fn with_base([center, deviation]: [f64; 2]) -> Option<[f64; 4]> {
    let [high, low] = f64::base(center).parts();
    Some([high, low, center, deviation])
}

impl<T: Value> OfSorted for MedianDeviation<T> {
    type Output = [f64; 4];

    #[inline(always)]
    fn of_full(&self, sorted: &Positions) -> [Option<[f64; 4]>; ABREAST] {
        medians_and_deviations(sorted, all_windows(), sorted.len()).map(with_base)
    }

    #[inline(always)]
    fn of_some(&self, sorted: &Positions, window: usize, count: usize) -> Option<[f64; 4]> {
        let [answer] = medians_and_deviations(sorted, [window], count);
        with_base(answer)
    }
}

/// The median absolute deviation of normal data times this is their standard deviation: 1 over the 0.75 quantile of the normal
/// distribution.
const NORMAL: f64 = 1.482_602_218_505_602;

/// A row's distance to the median.
fn distance<T: Value>(x: T, [high, low, center, _]: [f64; 4]) -> f64 {
    x.exact().minus(Exact::of_parts([high, low])) - center
}

/// The distance to the median, in standard deviations of normal data.
#[derive(Debug, Clone)]
pub struct RobustScore<T>(PhantomData<T>);

impl<T: Value> ByRow for RobustScore<T> {
    type Input = T;
    type Inner = [f64; 4];
    type Output = f64;

    fn with_row(&self, inner: [f64; 4], x: T, valid: bool) -> Option<f64> {
        let [.., deviation] = inner;
        (valid && deviation != 0.0).then_some(distance(x, inner) / (NORMAL * deviation))
    }
}

/// Whether that distance exceeds the threshold.
#[derive(Debug, Clone)]
pub struct HampelFlag<T> {
    /// In standard deviations.
    pub threshold: f64,
    values: PhantomData<T>,
}

impl<T: Value> ByRow for HampelFlag<T> {
    type Input = T;
    type Inner = [f64; 4];
    type Output = i64;

    fn with_row(&self, inner: [f64; 4], x: T, valid: bool) -> Option<i64> {
        let [.., center, deviation] = inner;
        let known = !(center.is_nan() || deviation.is_nan() || x.is_nan());
        let is_outlier = distance(x, inner).abs() > self.threshold * (NORMAL * deviation);
        (valid && known).then_some(i64::from(is_outlier))
    }
}

fn robust_zscore(arguments: &Arguments) -> Result<Plan> {
    let inputs = Inputs::of(arguments, &["column"])?;
    Ok(Window::of(arguments)?.plan(move |window, binding| {
        if inputs.has_long_integer(binding)? {
            let then = Then(RobustScore::<i64>(PhantomData));
            return window.ordered(binding, inputs.bind_exactly(binding)?, MedianDeviation(PhantomData), then);
        }
        let then = Then(RobustScore::<f64>(PhantomData));
        window.ordered(binding, inputs.bind::<f64, f64>(binding)?, MedianDeviation(PhantomData), then)
    }))
}

fn hampel(arguments: &Arguments) -> Result<Plan> {
    let threshold = arguments.number("threshold")?;
    if !(threshold >= 0.0 && threshold.is_finite()) {
        return Err(arguments.refuse("threshold", format!("must be finite and at least 0, got {threshold}")));
    }
    let inputs = Inputs::of(arguments, &["column"])?.returning(DataType::Boolean);
    Ok(Window::of(arguments)?.plan(move |window, binding| {
        if inputs.has_long_integer(binding)? {
            let then = Then(HampelFlag { threshold, values: PhantomData::<i64> });
            return window.ordered(binding, inputs.bind_exactly(binding)?, MedianDeviation(PhantomData), then);
        }
        let then = Then(HampelFlag { threshold, values: PhantomData::<f64> });
        window.ordered(binding, inputs.bind::<f64, i64>(binding)?, MedianDeviation(PhantomData), then)
    }))
}

const THRESHOLD: Parameter = Parameter::optional(
    "threshold",
    Kind::Number,
    Literal::Number(3.0),
    "The largest distance to the median that is not an outlier, in standard deviations of normal data (1.4826 median absolute \
     deviations each).",
);

pub(crate) const ROBUST_ZSCORE: Entry = Entry {
    names: &["rolling_robust_zscore", "expanding_robust_zscore"],
    shape: Shape::Windowed,
    summary: "Distance of the current row's value to the median {of a moving window|so far}, in median absolute deviations scaled to \
              standard deviations.",
    formula: "y[i] = (x[i] - m) / (1.4826 * mad), m the median and mad the median absolute deviation of the {window of row i|values up \
              to row i}",
    notes: "A row with a null gets null; nulls in the window are skipped and do not count for `min_samples`. Null if the deviation is 0, \
            because more than half of the values are equal. A window with a NaN, or with an infinite median, gives NaN. With \
            `closed='left'` the row is compared with the rows before it. A few roundings.",
    source: "Iglewicz, Hoaglin (1993), modified z-score; scipy.stats.median_abs_deviation(scale='normal').",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3))],
    plan: robust_zscore,
    #[cfg(test)]
    reference: reference::robust_zscore,
};

pub(crate) const HAMPEL: Entry = Entry {
    names: &["rolling_hampel", "expanding_hampel"],
    shape: Shape::Windowed,
    summary: "Whether the current row's value is an outlier among {the values in a moving window|all values so far}, by Hampel's rule.",
    formula: "y[i] = |x[i] - m| > threshold * 1.4826 * mad, m the median and mad the median absolute deviation of the {window of row \
              i|values up to row i}",
    notes: "Returns a boolean; null for a row with a null or a NaN, and for a window with a NaN or an infinite median. Nulls in the \
            window are skipped and do not count for `min_samples`. If the deviation is 0, every value except the median is flagged. The \
            usual filter is centered (`center=True`, in memory); with `closed='left'` the row is compared with the rows before it. A \
            few roundings.",
    source: "Hampel (1974); Liu, Shah, Jiang (2004).",
    parameters: &[COLUMN, THRESHOLD],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3)), ("threshold", Literal::Number(1.0))],
    plan: hampel,
    #[cfg(test)]
    reference: reference::hampel,
};

/// From the plain median and median absolute deviation of each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, by_row, exact, median, median_deviation, number};

    const NORMAL: f64 = 1.482_602_218_505_602;

    pub fn robust_zscore(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        by_row(spec, &table.exact(), |x, window| {
            let (Some(center), Some(deviation)) = (median(window).answer, median_deviation(window).answer) else {
                return exact(None);
            };
            let deviation = if center.is_infinite() { f64::NAN } else { deviation };
            if deviation == 0.0 {
                return exact(None);
            }
            exact(Some((x - center) / (NORMAL * deviation)))
        })
    }

    pub fn hampel(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let threshold = number(spec, "threshold").unwrap_or(3.0);
        by_row(spec, &table.exact(), |x, window| {
            let (Some(center), Some(deviation)) = (median(window).answer, median_deviation(window).answer) else {
                return exact(None);
            };
            if x.is_nan() || center.is_nan() || center.is_infinite() || deviation.is_nan() {
                return exact(None);
            }
            exact(Some(f64::from((x - center).abs() > threshold * (NORMAL * deviation))))
        })
    }
}
