//! The exponentially weighted mean, with the meanings of `adjust` and `ignore_nulls` that pandas and Polars share.

use std::fmt::Display;

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::{COLUMN, FROM_ONE};
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{Persist, StateReader, StateWriter};

/// The exponentially weighted mean.
///
/// Adjusted, it is the quotient of two sums that decay by `1 - alpha` per row.  Not adjusted, it is a mean of the old mean and
/// the new value; the weight of the old mean decays with the nulls in between.
///
/// ```
/// use hypostyle::ewm_mean;
/// assert!(ewm_mean("price").with("span", 20).validate().is_ok());
/// assert_eq!(
///     ewm_mean("price").with("alpha", 1.5).validate().unwrap_err().to_string(),
///     "ewm_mean, parameter 'alpha': must be above 0 and at most 1, got 1.5"
/// );
/// ```
#[derive(Debug, Clone)]
pub struct EwmMean<const ADJUST: bool> {
    alpha: f64,
    decay: f64,
    ignore_nulls: bool,
    min_samples: i64,
}

/// The weighted sum and the sum of weights (adjusted), or the mean.
#[derive(Debug, Clone)]
pub struct Weighted {
    sum: f64,
    weight: f64,
    /// The factor of the weights so far when the next value comes: `1 - alpha` to the number of rows since the last one.  Kept
    /// apart so that the mean is bit-identical over nulls.
    fade: f64,
    count: i64,
}

impl<const ADJUST: bool> EwmMean<ADJUST> {
    #[inline(always)]
    fn answer(&self, state: &Weighted) -> Option<f64> {
        if state.count < self.min_samples || state.count == 0 {
            None
        } else if ADJUST {
            Some(state.sum / state.weight)
        } else {
            Some(state.sum)
        }
    }
}

impl<const ADJUST: bool> Recurrence for EwmMean<ADJUST> {
    type Input = f64;
    type Output = f64;
    type State = Weighted;

    fn start(&self) -> Weighted {
        Weighted { sum: 0.0, weight: 0.0, fade: self.decay, count: 0 }
    }

    #[inline]
    fn step(&self, state: &mut Weighted, x: f64) -> Option<f64> {
        if ADJUST {
            state.sum = state.sum * state.fade + x;
            state.weight = state.weight * state.fade + 1.0;
        } else if state.count == 0 {
            state.sum = x;
        } else if state.fade == self.decay {
            // No null in between: the weights are `decay` and `alpha`, whose sum is 1.
            state.sum = state.sum * self.decay + x * self.alpha;
        } else {
            state.sum = (state.sum * state.fade + x * self.alpha) / (state.fade + self.alpha);
        }
        state.fade = self.decay;
        state.count += 1;
        self.answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut Weighted) -> Option<f64> {
        if state.count > 0 && !self.ignore_nulls {
            state.fade *= self.decay;
        }
        self.answer(state)
    }
}

impl Persist for Weighted {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.float(format_args!("{name}.sum"), self.sum);
        to.float(format_args!("{name}.weight"), self.weight);
        to.float(format_args!("{name}.fade"), self.fade);
        to.integer(format_args!("{name}.count"), self.count);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok(Self {
            sum: from.float(format_args!("{name}.sum"))?,
            weight: from.float(format_args!("{name}.weight"))?,
            fade: from.float(format_args!("{name}.fade"))?,
            count: from.integer(format_args!("{name}.count"))?,
        })
    }
}

/// The smoothing factor from the one of `com`, `span`, `half_life` and `alpha` that is given.
fn smoothing(arguments: &Arguments) -> Result<f64> {
    let mut given = Vec::new();
    for name in ["com", "span", "half_life", "alpha"] {
        given.extend(arguments.optional_number(name)?.map(|x| (name, x)));
    }
    let [(name, x)] = given[..] else {
        let (name, count) = (given.first().map_or("alpha", |(name, _)| *name), given.len());
        return Err(arguments
            .refuse(name, format!("exactly one of com, span, half_life and alpha is required, got {count}"))
            .with_help("set one of them, such as span=20, and remove the others"));
    };
    let (fits, range, alpha) = match name {
        "com" => (x >= 0.0, "at least 0", 1.0 / (1.0 + x)),
        "span" => (x >= 1.0, "at least 1", 2.0 / (x + 1.0)),
        "half_life" => (x > 0.0, "above 0", -libm::expm1(-std::f64::consts::LN_2 / x)),
        _ => (x > 0.0 && x <= 1.0, "above 0 and at most 1", x),
    };
    if fits && x.is_finite() { Ok(alpha) } else { Err(arguments.refuse(name, format!("must be {range}, got {x}"))) }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let alpha = smoothing(arguments)?;
    let inputs = Inputs::of(arguments, &["column"])?;
    let (decay, ignore_nulls) = (1.0 - alpha, arguments.flag("ignore_nulls")?);
    let min_samples = i64::try_from(arguments.count("min_samples")?).unwrap_or(i64::MAX);
    Ok(if arguments.flag("adjust")? {
        Plan::recurrence(inputs, EwmMean::<true> { alpha, decay, ignore_nulls, min_samples })
    } else {
        Plan::recurrence(inputs, EwmMean::<false> { alpha, decay, ignore_nulls, min_samples })
    })
}

pub(crate) const EWM_MEAN: Entry = Entry {
    names: &["ewm_mean"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Exponentially weighted mean of all values so far.",
    formula: "y[i] = sum of (1 - alpha)^(i - j) * x[j] / sum of (1 - alpha)^(i - j), j <= i; \
              with adjust=False: y[i] = (1 - alpha) * y[i-1] + alpha * x[i]",
    notes: "Exactly one of `com` (alpha = 1 / (1 + com)), `span` (2 / (span + 1)), `half_life` (1 - exp(-ln 2 / half_life)) and \
            `alpha` is required. A null row returns the mean so far; with `ignore_nulls=False` the weights decay over it, with \
            `ignore_nulls=True` they do not. Rows before the first value are null. A NaN or an infinity stays in every later mean \
            of its key, as all rows so far are in the window. Relative error a few eps / alpha.",
    source: "pandas `Series.ewm().mean()`, polars `Expr.ewm_mean`.",
    parameters: &[
        COLUMN,
        Parameter::optional("com", Kind::Number, Literal::Omitted, "Center of mass, at least 0."),
        Parameter::optional("span", Kind::Number, Literal::Omitted, "Span, at least 1."),
        Parameter::optional(
            "half_life",
            Kind::Number,
            Literal::Omitted,
            "Rows after which a weight is halved, above 0.",
        ),
        Parameter::optional("alpha", Kind::Number, Literal::Omitted, "Smoothing factor, in (0, 1]."),
        Parameter::optional("adjust", Kind::Flag, Literal::Flag(true), "Whether to divide by the sum of the weights."),
        Parameter::optional(
            "ignore_nulls",
            Kind::Flag,
            Literal::Flag(false),
            "Whether null rows leave the weights as they are.",
        ),
        FROM_ONE,
    ],
    example: &[("column", Literal::Text("x")), ("alpha", Literal::Number(0.5))],
    plan,
    #[cfg(test)]
    reference: reference::ewm_mean,
};

/// The weights of all values so far, for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, column, exact, flag, min_samples, number};

    pub fn ewm_mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let values = column(spec, table);
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
                let error = if error.is_nan() || answer.is_nan() { f64::INFINITY } else { error };
                Slow { answer: Some(answer), error }
            })
            .collect()
    }
}
