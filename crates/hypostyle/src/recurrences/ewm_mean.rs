//! The exponentially weighted mean, with the meanings of `adjust` and `ignore_nulls` that pandas and Polars share.

use std::fmt::Display;

use super::Recurrence;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::drive::scan::Scan;
use crate::error::Result;
use crate::kernel::Keyed;
use crate::record::{Reader, Record, Writer};
use crate::windowed::{COLUMN, sources};

/// The exponentially weighted mean.
///
/// Adjusted, it is the quotient of two sums that decay by `1 - alpha` a row.  Not adjusted, it is a mean of the old mean and
/// the new value, where the old mean's weight decays with the nulls in between.
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
    /// What the weights so far are multiplied by when the next value comes: `1 - alpha` to the number of rows since the last
    /// one.  Kept apart so that the mean stays as it is, bit for bit, over nulls.
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

impl Record for Weighted {
    fn write(&self, name: &dyn Display, to: &mut Writer) {
        to.float(format_args!("{name}.sum"), self.sum);
        to.float(format_args!("{name}.weight"), self.weight);
        to.float(format_args!("{name}.fade"), self.fade);
        to.integer(format_args!("{name}.count"), self.count);
    }
    fn read(name: &dyn Display, from: &mut Reader) -> Result<Self> {
        Ok(Self {
            sum: from.float(format_args!("{name}.sum"))?,
            weight: from.float(format_args!("{name}.weight"))?,
            fade: from.float(format_args!("{name}.fade"))?,
            count: from.integer(format_args!("{name}.count"))?,
        })
    }
}

/// The smoothing factor from whichever of `com`, `span`, `half_life` and `alpha` is given.
fn smoothing(arguments: &Arguments) -> Result<f64> {
    let given: Vec<&str> =
        ["com", "span", "half_life", "alpha"].into_iter().filter(|name| arguments.number(name).is_some()).collect();
    let [name] = given[..] else {
        return Err(arguments.refuse(
            given.first().unwrap_or(&"alpha"),
            format!("exactly one of com, span, half_life and alpha must be given, not {}", given.len()),
        ));
    };
    let x = arguments.number(name).unwrap_or_default();
    let (fits, range, alpha) = match name {
        "com" => (x >= 0.0, "at least 0", 1.0 / (1.0 + x)),
        "span" => (x >= 1.0, "at least 1", 2.0 / (x + 1.0)),
        "half_life" => (x > 0.0, "above 0", -f64::exp_m1(-std::f64::consts::LN_2 / x)),
        _ => (x > 0.0 && x <= 1.0, "above 0 and at most 1", x),
    };
    if fits && x.is_finite() { Ok(alpha) } else { Err(arguments.refuse(name, format!("must be {range}, not {x}"))) }
}

pub(crate) const EWM_MEAN: Kernel = Kernel {
    name: "ewm_mean",
    family: Family::Recurrence,
    summary: "Exponentially weighted mean of all values so far.",
    formula: "y[i] = sum of (1 - alpha)^(i - j) * x[j] / sum of (1 - alpha)^(i - j), j <= i; \
              with adjust=False: y[i] = (1 - alpha) * y[i-1] + alpha * x[i]",
    notes: "Give exactly one of `com` (alpha = 1 / (1 + com)), `span` (2 / (span + 1)), `half_life` (1 - exp(-ln 2 / \
            half_life)) and `alpha`. A null row gets the mean so far; with `ignore_nulls=False` the weights decay over it, \
            with `ignore_nulls=True` they don't. Rows before the first value are null. A NaN or an infinity stays in every \
            later mean of its key, as all rows so far are in the window. Relative error a few eps / alpha.",
    source: "pandas `Series.ewm().mean()`, polars `Expr.ewm_mean`.",
    parameters: &[
        COLUMN,
        Parameter::optional("com", Kind::Number, Literal::Omitted, "Centre of mass, at least 0."),
        Parameter::optional("span", Kind::Number, Literal::Omitted, "Span, at least 1."),
        Parameter::optional(
            "half_life",
            Kind::Number,
            Literal::Omitted,
            "Rows after which a weight is halved, above 0.",
        ),
        Parameter::optional("alpha", Kind::Number, Literal::Omitted, "Smoothing factor, in (0, 1]."),
        Parameter::optional("adjust", Kind::Flag, Literal::Flag(true), "Divide by the sum of the weights."),
        Parameter::optional(
            "ignore_nulls",
            Kind::Flag,
            Literal::Flag(false),
            "Whether weights stand still over nulls.",
        ),
        Parameter::optional(
            "min_samples",
            Kind::Count,
            Literal::Count(1),
            "The least number of values for an answer; below it the answer is null.",
        ),
    ],
    example: r#""x", alpha=0.5"#,
    build: |arguments, schema| {
        let alpha = smoothing(arguments)?;
        let (inputs, answer) = sources::<f64>(arguments, schema, &["column"])?;
        let (decay, ignore_nulls) = (1.0 - alpha, arguments.flag("ignore_nulls"));
        let min_samples = i64::try_from(arguments.count("min_samples").unwrap_or(1)).unwrap_or(i64::MAX);
        Ok(if arguments.flag("adjust") {
            Keyed::boxed(Scan(EwmMean::<true> { alpha, decay, ignore_nulls, min_samples }), inputs, None, answer)
        } else {
            Keyed::boxed(Scan(EwmMean::<false> { alpha, decay, ignore_nulls, min_samples }), inputs, None, answer)
        })
    },
};

/// Exponentially weighted mean of all values so far; add one of `com`, `span`, `half_life` and `alpha`.
///
/// ```
/// use hypostyle::ewm_mean;
/// assert!(ewm_mean("price").with("span", 20).validate().is_ok());
/// assert_eq!(
///     ewm_mean("price").with("alpha", 1.5).validate().unwrap_err().to_string(),
///     "ewm_mean: parameter 'alpha': must be above 0 and at most 1, not 1.5"
/// );
/// ```
pub fn ewm_mean(column: impl Into<String>) -> crate::KernelSpec {
    crate::KernelSpec::new("ewm_mean").with("column", column.into())
}
