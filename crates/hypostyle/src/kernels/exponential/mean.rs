//! The exponentially weighted mean, with the meanings of `adjust` and `ignore_nulls` that pandas and Polars share.

use std::fmt::Display;

use super::pace::{ADJUST, ALPHA, BY, ByRow, COM, Given, HALF_LIFE, IGNORE_NULLS, SPAN};
use super::weighted::{self, Shares, Summary};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::{COLUMN, FROM_ONE};
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Literal};
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

/// The mean by shares, for weights that do not age by row.
#[derive(Debug, Clone)]
struct ByShares;

impl Summary for ByShares {
    type Values = f64;
    type State = f64;

    #[inline(always)]
    fn add(&self, mean: &mut f64, x: f64, Shares { new, old }: Shares, is_first: bool) {
        *mean = if is_first { x } else { old * *mean + new * x };
    }

    #[inline(always)]
    fn result(&self, mean: &f64, _: f64) -> Option<f64> {
        Some(*mean)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let Given::Row(ByRow { alpha, ignore_nulls }) = Given::of(arguments)? else {
        return weighted::plan(arguments, &["column"], ByShares, None::<ByShares>);
    };
    let (inputs, decay) = (Inputs::of(arguments, &["column"])?, 1.0 - alpha);
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
            `alpha` is required. With `half_life` as a duration and `by`, weights age by 2^(-time / half_life) instead of by row; \
            then, with adjust=False, a later row of the same time has no weight. `alpha` may be a column: each row ages the weights \
            by 1 - its alpha. A null row returns the mean so far; with `ignore_nulls=False` the weights age over it, with \
            `ignore_nulls=True`, by time and by a column they do not. Rows before the first value are null. A NaN or an infinity \
            stays in every later mean of its key, as all rows so far are in the window. Relative error a few eps / alpha.",
    source: "pandas `Series.ewm().mean()`, also with `times=`, polars `Expr.ewm_mean`, `Expr.ewm_mean_by`.",
    parameters: &[COLUMN, COM, SPAN, HALF_LIFE, ALPHA, BY, ADJUST, IGNORE_NULLS, FROM_ONE],
    example: &[("column", Literal::Text("x")), ("alpha", Literal::Number(0.5))],
    plan,
    #[cfg(test)]
    reference: super::reference::ewm_mean,
};
