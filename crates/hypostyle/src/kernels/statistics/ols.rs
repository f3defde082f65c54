//! Least squares on several predictors, from sums of products of differences to the anchor (see `variance.rs`).
//!
//! The normal equations of the centered columns are solved by a Cholesky decomposition (L D L').  A pivot is the part of a
//! predictor's sum of squares that the earlier predictors do not explain.  If it is close to 0 the predictors are collinear,
//! and the result is null rather than noise.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use crate::drive::rolling_lanes;
use crate::error::Result;
use crate::model::scale::{shift, times_power};
use crate::model::{Blocks, ByRow, Lanewise, Statistic, Summary, Sums, as_f64};
use crate::run::{Entry, Inputs, Plan, Shape, Then, Window};
use crate::spec::{Arguments, Kind, Literal, Parameter};
use crate::values::{Input, NO_FIELD, Number, Output, Persist, field};

/// The part of a predictor's sum of squares that the earlier predictors do not explain must be more than this.
const LEAST_LEFT: f64 = 1e-10;

/// The maximum number of predictors.
const MAX_PREDICTORS: usize = 8;

/// Coefficients, their standard errors and the coefficient of determination of y on `K` predictors.
///
/// `ROW` is K + 2: y, the predictors and the weight; `SUMS` is 1 + (K + 1) + (K + 1)(K + 2) / 2; `OUT` is 2 (K + 1) + 1.
#[derive(Debug, Clone)]
pub struct Ols<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize> {
    /// Whether there is an intercept.
    pub intercept: bool,
    /// Whether to compute the standard errors.
    pub errors: bool,
}

/// The index of the sum of products of the columns i <= j; column 0 is y.
const fn place(columns: usize, i: usize, j: usize) -> usize {
    1 + columns + i * columns - i * i.saturating_sub(1) / 2 + (j - i)
}

/// The sums of some windows, and what the products of columns about their means follow from.
struct Products<'a, N, const ROW: usize, const SUMS: usize> {
    sums: &'a [N; SUMS],
    anchor: &'a [N; ROW],
    over_weight: N,
    intercept: bool,
}

impl<N: Number, const ROW: usize, const SUMS: usize> Products<'_, N, ROW, SUMS> {
    /// The sum of products of two columns about the mean, or about 0 without an intercept; column 0 is y.
    #[inline(always)]
    fn about(&self, i: usize, j: usize) -> N {
        let (i, j) = if i <= j { (i, j) } else { (j, i) };
        let (sums, anchor) = (self.sums, self.anchor);
        let (weight, si, sj, product) = (sums[0], sums[1 + i], sums[1 + j], sums[place(ROW - 1, i, j)]);
        if self.intercept {
            product - si * sj * self.over_weight
        } else {
            product + anchor[i] * sj + anchor[j] * si + anchor[i] * anchor[j] * weight
        }
    }

    /// The mean of a column.
    #[inline(always)]
    fn mean(&self, column: usize) -> N {
        self.anchor[column] + self.sums[1 + column] / self.sums[0]
    }
}

/// A field of the result, with one NaN for all NaNs.
#[inline(always)]
fn one_nan<N: Number>(x: N) -> N {
    x.or(!(x.above(0.0) | x.at_most(0.0)), x.like(f64::NAN))
}

impl<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize> Statistic for Ols<K, ROW, SUMS, OUT>
where
    [f64; ROW]: Input,
    [f64; OUT]: Output,
    [f64; SUMS]: Summary + Persist,
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

    const DEGREE: u32 = 4;

    fn unscale(&self, answer: [f64; OUT], exponents: &[i32]) -> [f64; OUT] {
        // The intercept, then the coefficients, and the same for their errors.
        let unit = |at: usize| exponents[0] - if at == 0 { 0 } else { exponents[at] };
        std::array::from_fn(|i| if i == OUT - 1 { answer[i] } else { times_power(answer[i], unit(i % (K + 1))) })
    }

    fn rescale(&self, sums: &mut [f64; SUMS], exponents: &[i32]) {
        let weight = exponents[K + 1];
        let mut powers = [weight; SUMS];
        for i in 0..=K {
            powers[1 + i] += exponents[i];
            (i..=K).for_each(|j| powers[place(K + 1, i, j)] += exponents[i] + exponents[j]);
        }
        shift(sums, powers);
    }

    fn empty(&self) -> [f64; SUMS] {
        [0.0; SUMS]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; SUMS], row: [f64; ROW], anchor: [f64; ROW]) {
        self.add(sums, row, anchor);
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
        self.answer_one(*sums, count, anchor)
    }

    fn answer_blocks(&self, blocks: Blocks<[f64; ROW]>, answers: &mut [[f64; OUT]], valid: &mut [bool]) -> bool {
        // More predictors have more sums than there are vectors.
        K <= 3 && rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize> Sums<ROW, SUMS, OUT>
    for Ols<K, ROW, SUMS, OUT>
{
    #[inline(always)]
    fn relative<N: Number>(row: [N; ROW], anchor: [N; ROW]) -> [N; ROW] {
        let weight = row[K + 1];
        let no_weight = weight.at_most(0.0) & !weight.below(0.0);
        let mut relative = row;
        for i in 0..=K {
            // A row of weight 0 adds nothing, whatever the anchor, except for a NaN or an infinity.
            relative[i] = (row[i] - anchor[i]).or(no_weight, row[i] * 0.0);
        }
        relative
    }

    #[inline(always)]
    fn terms<N: Number>(&self, row: [N; ROW]) -> [N; SUMS] {
        let weight = row[K + 1];
        let mut terms = [weight; SUMS];
        for i in 0..=K {
            let di = weight * row[i];
            terms[1 + i] = di;
            for j in i..=K {
                terms[place(K + 1, i, j)] = di * row[j];
            }
        }
        terms
    }

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "rows and columns of triangles")]
    fn of_sums<N: Number>(&self, sums: [N; SUMS], count: N, anchor: [N; ROW]) -> ([N; OUT], N::Flag) {
        let zero = count.like(0.0);
        let products = Products {
            sums: &sums,
            anchor: &anchor,
            over_weight: count.like(1.0) / sums[0],
            intercept: self.intercept,
        };
        let estimated = K + usize::from(self.intercept);
        let mut defined = !count.below(as_f64(estimated)) & !sums[0].at_most(0.0);
        // lower[i][j] for j < i, the pivots, and 1 over each.
        let (mut lower, mut pivots, mut over) = ([[zero; K]; K], [zero; K], [zero; K]);
        for i in 0..K {
            let whole = products.about(i + 1, i + 1);
            let mut left = whole;
            for j in 0..i {
                let mut entry = products.about(i + 1, j + 1);
                for k in 0..j {
                    entry = entry - lower[i][k] * lower[j][k] * pivots[k];
                }
                lower[i][j] = entry * over[j];
                left = left - entry * lower[i][j];
            }
            defined = defined & !left.is_at_most(whole * LEAST_LEFT);
            (pivots[i], over[i]) = (left, count.like(1.0) / left);
        }
        let mut slopes = [zero; K];
        let mut explained = zero;
        for i in 0..K {
            let mut entry = products.about(0, i + 1);
            for j in 0..i {
                entry = entry - lower[i][j] * slopes[j];
            }
            slopes[i] = entry;
        }
        for i in (0..K).rev() {
            explained = explained + slopes[i] * slopes[i] * over[i];
            slopes[i] = slopes[i] * over[i];
        }
        for i in (0..K).rev() {
            for j in i + 1..K {
                slopes[i] = slopes[i] - lower[j][i] * slopes[j];
            }
        }

        // An infinity in the window makes everything NaN, whichever row is the anchor.
        let nothing = count.like(-0.0);
        let mut nan_or_0 = nothing;
        for i in 0..=K {
            nan_or_0 = nan_or_0 + sums[1 + i] * 0.0;
        }
        let mut means = [zero; K];
        for i in 0..K {
            slopes[i] = slopes[i] + nan_or_0;
            means[i] = products.mean(i + 1);
        }
        let no_field = count.like(NO_FIELD);
        let mut out = [no_field; OUT];
        if self.intercept {
            let mut reached = nothing;
            for i in 0..K {
                reached = reached + slopes[i] * means[i];
            }
            out[0] = one_nan(products.mean(0) - reached);
        }
        for i in 0..K {
            out[1 + i] = one_nan(slopes[i]);
        }
        let total = products.about(0, 0);
        // Rounding may leave a negative trace; NaN must stay.
        let residual = (total - explained).no_less_than(0.0);
        let r2 = one_nan(count.like(1.0) - residual / total + nan_or_0);
        out[OUT - 1] = r2.or(total.at_most(0.0), no_field);
        if self.errors {
            let freedom = count - as_f64(estimated);
            let too_few = freedom.at_most(0.0);
            let variance = residual / freedom;
            // Rows of the inverse of L, from which come the diagonal of the inverse and the intercept's part.
            let mut inverse = [[zero; K]; K];
            for i in 0..K {
                inverse[i][i] = count.like(1.0);
                for j in 0..i {
                    let mut entry = nothing;
                    for k in j..i {
                        entry = entry + lower[i][k] * inverse[k][j];
                    }
                    inverse[i][j] = entry * -1.0;
                }
            }
            for j in 0..K {
                let mut diagonal = nothing;
                for i in j..K {
                    diagonal = diagonal + inverse[i][j] * inverse[i][j] * over[i];
                }
                out[K + 2 + j] = one_nan((variance * diagonal).sqrt()).or(too_few, no_field);
            }
            if self.intercept {
                let mut reached = nothing;
                for i in 0..K {
                    let mut part = nothing;
                    for j in 0..=i {
                        part = part + inverse[i][j] * means[j];
                    }
                    reached = reached + part * part * over[i];
                }
                let variance_of = count.like(1.0) / sums[0] + reached;
                out[K + 1] = one_nan((variance * variance_of).sqrt()).or(too_few, no_field);
            }
        }
        (out, defined)
    }
}

/// A field of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The number of the fit at this index.
    Fit(usize),
    Prediction,
    Residual,
}

/// The chosen fields, some of which depend on the current row.
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

/// The chosen parts, with the names of their fields.
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
        Some((name, _)) => Err(arguments
            .refuse("fields", format!("two fields are called '{name}'"))
            .with_help("list each field once, and rename a predictor of that name")),
        None => Ok(parts),
    }
}

/// Results of up to this many fields share one size.
const NARROW: usize = 4;

fn plan(arguments: &Arguments) -> Result<Plan> {
    let predictors = arguments.columns("x")?;
    match predictors.len() {
        1 => plan_for::<1, 3, 6, 5, 7>(arguments, &predictors),
        2 => plan_for::<2, 4, 10, 7, 9>(arguments, &predictors),
        3 => plan_for::<3, 5, 15, 9, 11>(arguments, &predictors),
        4 => plan_for::<4, 6, 21, 11, 13>(arguments, &predictors),
        5 => plan_for::<5, 7, 28, 13, 15>(arguments, &predictors),
        6 => plan_for::<6, 8, 36, 15, 17>(arguments, &predictors),
        7 => plan_for::<7, 9, 45, 17, 19>(arguments, &predictors),
        8 => plan_for::<8, 10, 55, 19, 21>(arguments, &predictors),
        many => Err(arguments.refuse("x", format!("must be at most {MAX_PREDICTORS} predictors, got {many}"))),
    }
}

/// `WIDTH` is the maximum number of fields: those of `OUT`, the prediction and the residual.
fn plan_for<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize, const WIDTH: usize>(
    arguments: &Arguments,
    predictors: &[String],
) -> Result<Plan>
where
    [f64; ROW]: Input,
    [f64; OUT]: Output,
    [f64; WIDTH]: Output,
    [f64; SUMS]: Summary + Persist,
{
    const {
        assert!(K <= MAX_PREDICTORS);
        assert!(ROW == K + 2);
        assert!(SUMS == place(K + 1, K, K) + 1);
        assert!(SUMS == 1 + (K + 1) + (K + 1) * (K + 2) / 2);
        assert!(OUT == 2 * (K + 1) + 1);
        assert!(WIDTH == OUT + 2);
        assert!(NARROW <= WIDTH);
    }
    let parts = parts(arguments, predictors, arguments.flag("add_intercept")?)?;
    if parts.len() <= NARROW {
        plan_as::<K, ROW, SUMS, OUT, NARROW>(arguments, predictors, parts)
    } else {
        plan_as::<K, ROW, SUMS, OUT, WIDTH>(arguments, predictors, parts)
    }
}

fn plan_as<const K: usize, const ROW: usize, const SUMS: usize, const OUT: usize, const WIDTH: usize>(
    arguments: &Arguments,
    predictors: &[String],
    parts: Vec<(String, Part)>,
) -> Result<Plan>
where
    [f64; ROW]: Input,
    [f64; OUT]: Output,
    [f64; WIDTH]: Output,
    [f64; SUMS]: Summary + Persist,
{
    let window = Window::of(arguments)?;
    let inputs = Inputs::columns(std::iter::once(arguments.column("y")?).chain(predictors.iter().cloned()));
    let inputs = match arguments.optional_column("weights")? {
        Some(weights) => inputs.with_column(weights).typed_by(K + 2),
        None => inputs.with_constant(1.0),
    };
    let errors = parts.iter().any(|(_, part)| matches!(part, Part::Fit(at) if (K + 1..2 * (K + 1)).contains(at)));
    let statistic = Ols::<K, ROW, SUMS, OUT> { intercept: arguments.flag("add_intercept")?, errors };
    let (names, parts): (Vec<String>, Vec<Part>) = parts.into_iter().unzip();
    let step = Fields::<K, ROW, OUT, WIDTH> { parts: parts.into() };
    Ok(window.plan(move |window, binding| {
        let number = inputs.computed_type(binding)?;
        let fields: Vec<Field> = names.iter().map(|name| Field::new(name, number.clone(), true)).collect();
        let inputs = inputs.clone().returning(DataType::Struct(fields.into()));
        let wiring = inputs.bind::<[f64; ROW], [f64; WIDTH]>(binding)?;
        window.statistic(binding, wiring, statistic.clone(), Then(step.clone()))
    }))
}

const Y: Parameter = Parameter::required("y", Kind::Column, "The dependent variable.");

const X: Parameter = Parameter::required("x", Kind::Columns, "The predictors: one to eight columns.");

const INTERCEPT: Parameter =
    Parameter::optional("add_intercept", Kind::Flag, Literal::Flag(true), "Whether the fit has an intercept.");

const WEIGHTS: Parameter = Parameter::optional(
    "weights",
    Kind::Column,
    Literal::Omitted,
    "A column of non-negative weights of the squared residuals. Default: all weights are 1.",
);

const FIELDS: Parameter = Parameter::optional(
    "fields",
    Kind::Words(&["coefficients", "errors", "prediction", "residual", "r2"]),
    Literal::Omitted,
    "The fields of the struct: 'coefficients' (`intercept`, and one field per predictor under its name), 'errors' (their standard \
     errors, with the prefix `se_`), 'prediction', 'residual' (of the current row), 'r2'. Default: all of them.",
);

const NOTES: &str = "Returns a struct. A row counts if y, all predictors and the weight are valid; for any other row prediction and \
    residual are null. The struct is null if there are fewer rows than coefficients, if the sum of the weights is not positive, and if \
    the predictors are collinear: if the earlier ones (and the intercept) explain a predictor except for at most 1e-10 of its sum of \
    squares. Standard errors are null if there are no more rows than coefficients; rows of weight 0 count as rows. r2 is null if y is \
    constant; without an intercept it is the uncentered r2. With `closed='left'` the prediction is for a row that the fit has not seen. \
    A window with a NaN or an infinity gives NaN, and no other window does. Solved from sums of products of differences to a row of the \
    same window, so huge means cost nothing. The error of a coefficient is about eps times the variance inflation factor of its \
    predictor, relative to the size of the fit.";

pub(crate) const OLS: Entry = Entry {
    names: &["rolling_ols", "expanding_ols"],
    shape: Shape::Windowed,
    summary: "Least squares fit of y on one to eight predictors {in a moving window|over all rows so far}: coefficients, errors, \
              prediction, residual, r2.",
    formula: "b minimizes sum(w[j] * (y[j] - b0 - b1 * x1[j] - ... - bk * xk[j])^2) over the {window of row i|rows up to row i}",
    notes: NOTES,
    source: "statsmodels {RollingOLS and RollingWLS|RollingOLS with `expanding=True`}; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[Y, X, INTERCEPT, WEIGHTS, FIELDS],
    example: &[
        ("y", Literal::Text("x")),
        ("x", Literal::Texts(&["z"])),
        ("window", Literal::Count(4)),
        ("min_samples", Literal::Count(3)),
        ("fields", Literal::Texts(&["coefficients", "r2"])),
    ],
    plan,
    #[cfg(test)]
    reference: reference::ols,
};

/// Two passes over each window.  If a fit is so badly conditioned that the reference itself has no digits left, every result is
/// right.
#[cfg(test)]
mod reference {
    use crate::reference::{EPS, Slow, Table, bounded, constant, exact, flag, largest, list, spread, text, windows_of};
    use crate::{KernelSpec, Value};

    pub fn ols(spec: &KernelSpec, table: &Table, name: Option<&str>) -> Vec<Slow> {
        let name = name.expect("the result is a struct");
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
                let fit = least_squares(&window, flag(spec, "add_intercept", true));
                let current = rows[i].as_deref();
                let slow = field(fit.as_ref(), name, &predictors, current);
                if wild { Slow { error: f64::INFINITY, ..slow } } else { slow }
            })
            .collect()
    }

    /// A fit: the coefficients, their errors and r2.
    struct Fit {
        slopes: Vec<f64>,
        intercept: Option<f64>,
        errors: Option<Vec<f64>>,
        r2: Option<f64>,
        /// The relative error that the condition of the predictors leaves.
        condition: f64,
        /// The size of the numbers that a fitted value is made of.
        scale: f64,
    }

    /// Weighted least squares; a row holds y, the predictors and the weight.  `None`: no fit; a condition of infinity: any result
    /// is right.
    fn least_squares(rows: &[Vec<f64>], intercept: bool) -> Option<Fit> {
        let k = rows.first().map_or(0, |row| row.len() - 2);
        let weight: Vec<f64> = rows.iter().map(|row| row[k + 1]).collect();
        let whole: f64 = weight.iter().sum();
        let estimated = k + usize::from(intercept);
        if rows.is_empty() || rows.len() < estimated || whole <= 0.0 {
            return None;
        }
        let column = |i: usize| -> Vec<f64> { rows.iter().map(|row| row[i]).collect() };
        let means: Vec<f64> =
            (0..=k)
                .map(|i| {
                    if intercept { column(i).iter().zip(&weight).map(|(x, w)| x * w).sum::<f64>() / whole } else { 0.0 }
                })
                .collect();
        let product = |i: usize, j: usize| -> f64 {
            rows.iter().zip(&weight).map(|(row, w)| w * (row[i] - means[i]) * (row[j] - means[j])).sum()
        };
        let n = rows.len() as f64;
        let mut condition: f64 = 0.0;
        // Gauss-Jordan on the normal equations of the standardized predictors, beside the identity.
        let size: Vec<f64> = (1..=k).map(|i| product(i, i).sqrt()).collect();
        let mut table: Vec<Vec<f64>> = (0..k)
            .map(|i| {
                let entry = |j: usize| product(i + 1, j + 1) / size[i] / size[j];
                (0..k).map(entry).chain((0..k).map(|j| f64::from(i == j))).collect()
            })
            .collect();
        for (i, size) in size.iter().enumerate() {
            let values = column(i + 1);
            if intercept && constant(&values) {
                return None;
            }
            if *size == 0.0 || !size.is_finite() || !(1e-70..1e70).contains(size) {
                condition = f64::INFINITY;
            }
            let reach = if intercept { spread(&values) } else { largest(&values) };
            let lost = EPS * n * (reach * reach + largest(&values) * reach) * whole / (size * size);
            condition = condition.max(if lost.is_nan() { f64::INFINITY } else { lost });
        }
        let mut least: f64 = 1.0;
        for i in 0..k {
            let pivot = table[i][i];
            least = least.min(pivot);
            table[i].iter_mut().for_each(|entry| *entry /= pivot);
            let own = table[i].clone();
            for row in (0..k).filter(|row| *row != i) {
                let factor = table[row][i];
                table[row].iter_mut().zip(&own).for_each(|(entry, own)| *entry -= factor * own);
            }
        }
        condition = (condition + 8.0 * n * EPS) / (least * least);
        let sound = least > 1e-6 && weight.iter().all(|w| *w >= 0.0) && (1e-100..1e100).contains(&whole);
        if !sound || condition.is_nan() {
            condition = f64::INFINITY;
        }
        let inverse = |i: usize, j: usize| table[i][k + j] / size[i] / size[j];
        let slopes: Vec<f64> = (0..k).map(|i| (0..k).map(|j| inverse(i, j) * product(0, j + 1)).sum()).collect();
        let reached: f64 = (0..k).map(|i| slopes[i] * means[i + 1]).sum();
        let constant_term = intercept.then(|| means[0] - reached);
        let fitted = |row: &[f64]| constant_term.unwrap_or(0.0) + (0..k).map(|i| slopes[i] * row[1 + i]).sum::<f64>();
        let residual: f64 = rows.iter().zip(&weight).map(|(row, w)| w * (row[0] - fitted(row)).powi(2)).sum();
        let total = product(0, 0);
        let flat = if intercept { constant(&column(0)) } else { column(0).iter().all(|y| *y == 0.0) };
        let errors = (rows.len() > estimated).then(|| {
            let variance = residual / (n - estimated as f64);
            let spread: f64 =
                (0..k).map(|i| (0..k).map(|j| means[i + 1] * inverse(i, j) * means[j + 1]).sum::<f64>()).sum();
            let first = intercept.then(|| (variance * (1.0 / whole + spread)).sqrt());
            first.into_iter().chain((0..k).map(|i| (variance * inverse(i, i)).sqrt())).collect()
        });
        let terms: f64 = (0..k).map(|i| (slopes[i] * largest(&column(i + 1))).abs()).sum();
        let scale = terms + largest(&column(0));
        if !scale.is_finite() || scale > 1e100 || rows.iter().flatten().any(|x| !x.is_finite() || x.abs() > 1e100) {
            condition = f64::INFINITY;
        }
        Some(Fit {
            slopes,
            intercept: constant_term,
            errors,
            r2: (!flat).then(|| 1.0 - residual / total),
            condition,
            scale,
        })
    }

    /// A field of the fit, for a current row that is valid.
    fn field(fit: Option<&Fit>, name: &str, predictors: &[String], current: Option<&[f64]>) -> Slow {
        let Some(fit) = fit else { return exact(None) };
        let lost = !fit.condition.is_finite() || fit.condition > 1e-4;
        let within = |answer: Option<f64>, error: f64| match answer {
            _ if lost => Slow { answer, error: f64::INFINITY },
            None => exact(None),
            Some(answer) => bounded(answer, error),
        };
        let unit = 64.0 * fit.condition;
        let predict = |row: &[f64]| {
            fit.intercept.unwrap_or(0.0) + fit.slopes.iter().zip(&row[1..]).map(|(b, x)| b * x).sum::<f64>()
        };
        // A row outside of the window may be far away from it.
        let reach = |row: &[f64]| {
            let size = row.iter().fold(0.0f64, |a, x| a.max(x.abs()));
            let steep: f64 = fit.slopes.iter().map(|b| b.abs()).sum();
            if size.is_finite() && size < 1e100 { unit * (fit.scale + steep * size + size) } else { f64::INFINITY }
        };
        match name {
            "intercept" => within(fit.intercept, unit * fit.scale),
            "r2" => within(fit.r2, if fit.condition < 1e-9 { 1e3 * fit.condition.sqrt() } else { f64::INFINITY }),
            "prediction" => current.map_or(exact(None), |row| within(Some(predict(row)), reach(row))),
            "residual" => current.map_or(exact(None), |row| within(Some(row[0] - predict(row)), reach(row))),
            _ => {
                let (errors, name) = match name.strip_prefix("se_") {
                    Some(name) => (true, name),
                    None => (false, name),
                };
                let first = usize::from(fit.intercept.is_some());
                let place = if name == "intercept" {
                    0
                } else {
                    first + predictors.iter().position(|p| p == name).expect("a predictor")
                };
                if errors {
                    let answer = fit.errors.as_ref().map(|errors| errors[place]);
                    // The residuals of a perfect fit are rounding alone.
                    let least = fit.errors.iter().flatten().fold(0.0f64, |a, x| a.max(*x));
                    let error = 1e3 * fit.condition.sqrt() * (least + fit.scale);
                    return within(answer, if fit.condition < 1e-9 { error } else { f64::INFINITY });
                }
                let slope = fit.slopes[place - first];
                within(Some(slope), unit * (fit.scale + slope.abs() + fit.slopes.iter().map(|b| b.abs()).sum::<f64>()))
            }
        }
    }
}
