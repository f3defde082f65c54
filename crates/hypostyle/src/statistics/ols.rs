//! Least squares on several predictors, from sums of products of differences to the anchor (see `variance.rs`).
//!
//! The normal equations of the centred columns are solved by a Cholesky decomposition (L D L').  A pivot is what the earlier
//! predictors leave of a predictor's sum of squares; where that is next to nothing the predictors are collinear, and there
//! is no answer rather than noise.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};

use super::{Statistic, as_f64};
use crate::arguments::{Arguments, find_column};
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::column::{Domain, Input, NO_FIELD, Output, computed_type, field};
use crate::drive::by_row::ByRow;
use crate::error::{Error, Result};
use crate::kernel::{Running, Source};
use crate::record::Record;
use crate::statistics::Summary;
use crate::windowed::{
    BY, CENTER, CLOSED, FROM_ONE, Inputs, MIN_SAMPLES, STEP, Then, WINDOW, expanding_around, rolling_around,
};

/// What the earlier predictors leave of a predictor must be more than this part of its sum of squares.
const LEAST_LEFT: f64 = 1e-10;

/// The most predictors.
const MOST: usize = 8;

/// Coefficients, their standard errors and the coefficient of determination of y on `K` predictors.
///
/// `ROW` is K + 2: y, the predictors and the weight; `SUMS` is 1 + (K + 1) + (K + 1)(K + 2) / 2; `OUT` is 2 (K + 1) + 1.
#[derive(Debug, Clone)]
pub struct Ols<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize> {
    /// Whether there is an intercept.
    pub intercept: bool,
    /// Whether the standard errors are wanted.
    pub errors: bool,
}

/// Where the sum of products of the columns i <= j stands; column 0 is y.
const fn place(columns: usize, i: usize, j: usize) -> usize {
    1 + columns + i * columns - i * i.saturating_sub(1) / 2 + (j - i)
}

impl<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize> Ols<K, ROW, SUMS, OUT> {
    /// The sums of products about the mean, or about 0 without an intercept.
    #[inline(always)]
    fn about(&self, sums: &[f64; SUMS], anchor: &[f64; ROW]) -> impl Fn(usize, usize) -> f64 {
        let (sums, anchor, intercept) = (*sums, *anchor, self.intercept);
        let over_weight = 1.0 / sums[0];
        move |i, j| {
            let (i, j) = if i <= j { (i, j) } else { (j, i) };
            let (weight, si, sj, product) = (sums[0], sums[1 + i], sums[1 + j], sums[place(K + 1, i, j)]);
            if intercept {
                product - si * sj * over_weight
            } else {
                product + anchor[i] * sj + anchor[j] * si + anchor[i] * anchor[j] * weight
            }
        }
    }

    /// The mean of a column: 0 is y.
    #[inline(always)]
    fn mean(sums: &[f64; SUMS], anchor: &[f64; ROW], column: usize) -> f64 {
        anchor[column] + sums[1 + column] / sums[0]
    }
}

impl<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize> Statistic for Ols<K, ROW, SUMS, OUT>
where
    [f64; ROW]: Input,
    [f64; OUT]: Output,
    [f64; SUMS]: Summary + Record,
{
    type Input = [f64; ROW];
    /// The intercept and the coefficients, their standard errors, and r2.
    type Output = [f64; OUT];
    /// Sums of w, of w d for every column, and of w d d' for every pair, where d is the difference to the anchor.
    type State = [f64; SUMS];

    const ANCHORED: bool = true;

    #[inline(always)]
    fn can_anchor(row: [f64; ROW]) -> bool {
        row[K + 1] != 0.0
    }

    fn empty(&self) -> [f64; SUMS] {
        [0.0; SUMS]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; SUMS], row: [f64; ROW], anchor: [f64; ROW]) {
        let weight = row[K + 1];
        // A row of weight 0 adds nothing, whatever the anchor, but for a NaN or an infinity.
        let anchor = if weight == 0.0 { row } else { anchor };
        sums[0] += weight;
        for i in 0..=K {
            let di = weight * (row[i] - anchor[i]);
            sums[1 + i] += di;
            for j in i..=K {
                sums[place(K + 1, i, j)] += di * (row[j] - anchor[j]);
            }
        }
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; SUMS], row: [f64; ROW], anchor: [f64; ROW]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; SUMS], later: &[f64; SUMS]) -> [f64; SUMS] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline]
    fn finish(&self, sums: &[f64; SUMS], count: usize, anchor: [f64; ROW]) -> Option<[f64; OUT]> {
        let about = self.about(sums, &anchor);
        let estimated = K + usize::from(self.intercept);
        if count < estimated || sums[0] <= 0.0 {
            return None;
        }
        // lower[i][j] for j < i, the pivots, and 1 over each.
        let (mut lower, mut pivots, mut over) = ([[0.0; K]; K], [0.0; K], [0.0; K]);
        for i in 0..K {
            let whole = about(i + 1, i + 1);
            let mut left = whole;
            for j in 0..i {
                let mut entry = about(i + 1, j + 1);
                for k in 0..j {
                    entry -= lower[i][k] * lower[j][k] * pivots[k];
                }
                lower[i][j] = entry * over[j];
                left -= entry * lower[i][j];
            }
            if left <= LEAST_LEFT * whole {
                return None;
            }
            (pivots[i], over[i]) = (left, 1.0 / left);
        }
        let mut slopes = [0.0; K];
        let mut explained = 0.0;
        for i in 0..K {
            let mut entry = about(0, i + 1);
            for j in 0..i {
                entry -= lower[i][j] * slopes[j];
            }
            slopes[i] = entry;
        }
        for i in (0..K).rev() {
            explained += slopes[i] * slopes[i] * over[i];
            slopes[i] *= over[i];
        }
        for i in (0..K).rev() {
            for j in i + 1..K {
                slopes[i] -= lower[j][i] * slopes[j];
            }
        }

        // An infinity in the window makes everything NaN, whichever row is the anchor.
        let nan_or_0: f64 = sums[1..=K + 1].iter().map(|sum| sum * 0.0).sum();
        slopes.iter_mut().for_each(|slope| *slope += nan_or_0);
        let mut out = [NO_FIELD; OUT];
        let means: [f64; K] = std::array::from_fn(|i| Self::mean(sums, &anchor, i + 1));
        if self.intercept {
            let reached: f64 = (0..K).map(|i| slopes[i] * means[i]).sum();
            out[0] = field(Self::mean(sums, &anchor, 0) - reached);
        }
        (0..K).for_each(|i| out[1 + i] = field(slopes[i]));
        let total = about(0, 0);
        // Rounding may leave a trace of less than nothing; NaN must stay.
        let residual = total - explained;
        let residual = if residual < 0.0 { 0.0 } else { residual };
        if total > 0.0 || total.is_nan() {
            out[OUT - 1] = field(1.0 - residual / total + nan_or_0);
        }
        if self.errors && count > estimated {
            let variance = residual / as_f64(count - estimated);
            // Rows of the inverse of L, from which come the diagonal of the inverse and the intercept's part.
            let mut inverse: [[f64; K]; K] = [[0.0; K]; K];
            for i in 0..K {
                let earlier = inverse;
                inverse[i] = std::array::from_fn(|j| match j.cmp(&i) {
                    Ordering::Less => -(j..i).map(|k| lower[i][k] * earlier[k][j]).sum::<f64>(),
                    Ordering::Equal => 1.0,
                    Ordering::Greater => 0.0,
                });
            }
            for j in 0..K {
                let diagonal: f64 = (j..K).map(|i| inverse[i][j] * inverse[i][j] * over[i]).sum();
                out[K + 2 + j] = field((variance * diagonal).sqrt());
            }
            if self.intercept {
                let reached = (0..K).map(|i| {
                    let part: f64 = (0..=i).map(|j| inverse[i][j] * means[j]).sum();
                    part * part * over[i]
                });
                out[K + 1] = field((variance * (1.0 / sums[0] + reached.sum::<f64>())).sqrt());
            }
        }
        Some(out)
    }
}

/// A field of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The number of the fit that stands here.
    Fit(usize),
    Prediction,
    Residual,
}

/// The fields that are wanted, some of which take the current row.
#[derive(Debug, Clone)]
pub struct Fields<const K: usize, const ROW: usize, const OUT: usize, const WIDTH: usize> {
    parts: Arc<[Part]>,
}

impl<const K: usize, const ROW: usize, const OUT: usize, const WIDTH: usize> ByRow for Fields<K, ROW, OUT, WIDTH>
where
    [f64; ROW]: Input,
    [f64; OUT]: Output,
    [f64; WIDTH]: Output,
{
    type Input = [f64; ROW];
    type Inner = [f64; OUT];
    type Output = [f64; WIDTH];

    fn with_row(&self, fit: [f64; OUT], row: [f64; ROW], valid: bool) -> Option<[f64; WIDTH]> {
        let mut out = <[f64; WIDTH]>::default();
        let prediction = || {
            let slopes: f64 = (0..K).map(|i| fit[1 + i] * row[1 + i]).sum();
            if fit[0].to_bits() == NO_FIELD.to_bits() { slopes } else { fit[0] + slopes }
        };
        for (slot, part) in out.iter_mut().zip(self.parts.iter()) {
            *slot = match part {
                Part::Fit(place) => fit[*place],
                Part::Prediction if valid => field(prediction()),
                Part::Residual if valid => field(row[0] - prediction()),
                Part::Prediction | Part::Residual => NO_FIELD,
            };
        }
        Some(out)
    }
}

/// The parts that are wanted, with the names of their fields.
fn parts(arguments: &Arguments, predictors: &[String], intercept: bool) -> Result<Vec<(String, Part)>> {
    let k = predictors.len();
    let first = usize::from(!intercept);
    let named = |prefix: &str, start: usize| -> Vec<(String, Part)> {
        let names = std::iter::once("intercept".to_string()).chain(predictors.iter().cloned());
        names.enumerate().skip(first).map(|(i, name)| (format!("{prefix}{name}"), Part::Fit(start + i))).collect()
    };
    let mut parts: Vec<(String, Part)> = Vec::new();
    for wanted in arguments.words("fields")? {
        match wanted.as_str() {
            "coefficients" => parts.extend(named("", 0)),
            "errors" => parts.extend(named("se_", k + 1)),
            "prediction" => parts.push(("prediction".to_string(), Part::Prediction)),
            "residual" => parts.push(("residual".to_string(), Part::Residual)),
            _ => parts.push(("r2".to_string(), Part::Fit(2 * (k + 1)))),
        }
    }
    let mut seen = std::collections::HashSet::new();
    match parts.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => Err(arguments.refuse(
            "fields",
            format!("gives two fields called '{name}'; name each once, and rename a predictor of that name"),
        )),
        None => Ok(parts),
    }
}

/// An answer of up to so many fields takes no more room than that.
const NARROW: usize = 4;

fn build_for<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize, const WIDTH: usize>(
    arguments: &Arguments,
    schema: &Schema,
    inputs: Inputs,
    predictors: &[String],
) -> Result<Box<dyn Running>>
where
    [f64; ROW]: Input,
    [f64; OUT]: Output,
    [f64; WIDTH]: Output,
    [f64; SUMS]: Summary + Record,
{
    let parts = parts(arguments, predictors, arguments.flag("add_intercept"))?;
    if parts.len() <= NARROW {
        build_as::<K, ROW, SUMS, OUT, NARROW>(arguments, schema, inputs, parts)
    } else {
        build_as::<K, ROW, SUMS, OUT, WIDTH>(arguments, schema, inputs, parts)
    }
}

fn build_as<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize, const WIDTH: usize>(
    arguments: &Arguments,
    schema: &Schema,
    (sources, number): Inputs,
    parts: Vec<(String, Part)>,
) -> Result<Box<dyn Running>>
where
    [f64; ROW]: Input,
    [f64; OUT]: Output,
    [f64; WIDTH]: Output,
    [f64; SUMS]: Summary + Record,
{
    let intercept = arguments.flag("add_intercept");
    let errors = parts.iter().any(|(_, part)| matches!(part, Part::Fit(at) if (K + 1..2 * (K + 1)).contains(at)));
    let fields: Vec<Field> = parts.iter().map(|(name, _)| Field::new(name, number.clone(), true)).collect();
    let inputs = (sources, DataType::Struct(fields.into()));
    let statistic = Ols::<K, ROW, SUMS, OUT> { intercept, errors };
    let step = Fields::<K, ROW, OUT, WIDTH> { parts: parts.into_iter().map(|(_, part)| part).collect() };
    if arguments.has("window") {
        rolling_around(arguments, schema, inputs, statistic, Then(step))
    } else {
        Ok(expanding_around(arguments, inputs, statistic, Then(step)))
    }
}

fn build(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    let predictors = arguments.column_list("x")?;
    let weights = arguments.text("weights");
    let mut sources = Vec::new();
    let mut types = Vec::new();
    let y = arguments.column("y")?;
    for name in std::iter::once(&y).chain(&predictors).chain(&weights) {
        let (index, data_type) = find_column(schema, arguments.kernel_name(), name)?;
        if !Domain::Float.reads(data_type) {
            return Err(Error::column_type(arguments.kernel_name(), name, "a number or a boolean", data_type));
        }
        sources.push(Source::Column { index, domain: Domain::Float });
        types.push(data_type);
    }
    if weights.is_none() {
        sources.push(Source::Constant(1.0));
    }
    let inputs = (sources, computed_type(&types));
    match predictors.len() {
        1 => build_for::<1, 3, 6, 5, 7>(arguments, schema, inputs, &predictors),
        2 => build_for::<2, 4, 10, 7, 9>(arguments, schema, inputs, &predictors),
        3 => build_for::<3, 5, 15, 9, 11>(arguments, schema, inputs, &predictors),
        4 => build_for::<4, 6, 21, 11, 13>(arguments, schema, inputs, &predictors),
        5 => build_for::<5, 7, 28, 13, 15>(arguments, schema, inputs, &predictors),
        6 => build_for::<6, 8, 36, 15, 17>(arguments, schema, inputs, &predictors),
        7 => build_for::<7, 9, 45, 17, 19>(arguments, schema, inputs, &predictors),
        8 => build_for::<8, 10, 55, 19, 21>(arguments, schema, inputs, &predictors),
        many => Err(arguments.refuse("x", format!("names {many} predictors; at most {MOST} are possible"))),
    }
}

const Y: Parameter = Parameter::required("y", Kind::Column, "The column that is explained.");

const X: Parameter = Parameter::required("x", Kind::Columns, "The predictors: one to eight columns.");

const INTERCEPT: Parameter =
    Parameter::optional("add_intercept", Kind::Flag, Literal::Flag(true), "Whether the fit has an intercept.");

const WEIGHTS: Parameter = Parameter::optional(
    "weights",
    Kind::Column,
    Literal::Omitted,
    "A column of weights, not negative: the squares of the residuals are weighted by it.",
);

const FIELDS: Parameter = Parameter::optional(
    "fields",
    Kind::Words(&["coefficients", "errors", "prediction", "residual", "r2"]),
    Literal::Omitted,
    "What the struct holds: 'coefficients' (fields `intercept` and one of each predictor's name), 'errors' (their standard \
     errors, with `se_` before the name), 'prediction', 'residual' (of the current row), 'r2'. Unless given: all of them.",
);

const NOTES: &str = "Gives a struct. A row counts where y, all predictors and the weight are valid; for any other row prediction and \
    residual are null. The struct is null where there are fewer rows than coefficients, where the weights do not add up to \
    something positive, and where the predictors are collinear: where what the earlier ones (and the intercept) leave of a predictor \
    is at most 1e-10 of its sum of squares. Standard errors are null where there are no more rows than coefficients, rows of weight 0 \
    among them; r2 is null where y is constant, and the uncentred one without an intercept. With `closed='left'` the prediction is \
    for a row that the fit has not seen. A window with a NaN or an infinity gives NaN, and no other window does. Solved from sums of \
    products of differences to a row of the same window, so huge means cost nothing; a coefficient's error is about eps times the \
    variance inflation factor of its predictor, relative to the size of the fit.";

const FORMULA: &str = "b minimises sum(w[j] * (y[j] - b0 - b1 * x1[j] - ... - bk * xk[j])^2) over the window of row i";

pub(crate) const ROLLING_OLS: Kernel = Kernel {
    name: "rolling_ols",
    family: Family::Rolling,
    summary: "Least squares fit of y on one to eight predictors in a moving window: coefficients, errors, prediction, residual, r2.",
    formula: FORMULA,
    notes: NOTES,
    source: "statsmodels RollingOLS and RollingWLS; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[Y, X, WINDOW, INTERCEPT, WEIGHTS, FIELDS, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""x", ["z"], 4, min_samples=3, fields=["coefficients", "r2"]"#,
    build,
};

pub(crate) const EXPANDING_OLS: Kernel = Kernel {
    name: "expanding_ols",
    family: Family::Expanding,
    summary: "Least squares fit of y on one to eight predictors over all rows so far: coefficients, errors, prediction, residual, r2.",
    formula: FORMULA,
    notes: NOTES,
    source: "statsmodels RollingOLS with `expanding=True`; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[Y, X, INTERCEPT, WEIGHTS, FIELDS, FROM_ONE],
    example: r#""x", ["z"], fields=["coefficients"]"#,
    build,
};

/// Least squares fit of y on several predictors in a moving window.
pub fn rolling_ols<S: Into<String>>(
    y: impl Into<String>,
    x: impl IntoIterator<Item = S>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    crate::KernelSpec { name: "rolling_ols".to_string(), ..expanding_ols(y, x) }.with("window", window)
}

/// Least squares fit of y on several predictors over all rows so far.
pub fn expanding_ols<S: Into<String>>(y: impl Into<String>, x: impl IntoIterator<Item = S>) -> crate::KernelSpec {
    let x: Vec<String> = x.into_iter().map(Into::into).collect();
    crate::KernelSpec::new("expanding_ols").with("y", y.into()).with("x", x)
}
