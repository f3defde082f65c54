//! The building block of this family: an exponential mean whose first value is the mean of the first `window` values, as in
//! TA-Lib.  Its state is a number, the sum of the values until the window is full and the mean from then on; how many values
//! there were is counted once by the kernel, as several means often begin together.
//!
//! The mean moves by `alpha` of its distance to the value.  So a constant stays exactly constant, and the error is at most
//! about `EPS / alpha` of the largest value.

use crate::error::Result;
use crate::model::as_f64;
use crate::run::parameters::COLUMN;
use crate::run::{Inputs, Plan};
use crate::spec::{Arguments, Kind, Parameter};

/// An exponential mean that begins with the mean of its first values.
#[derive(Debug, Clone, Copy)]
pub struct SeededMean {
    /// How many values the first mean has.
    pub window: i64,
    /// The weight of a new value.
    alpha: f64,
    length: f64,
}

impl SeededMean {
    /// The exponential moving average: a value weighs 2 / (window + 1).
    pub fn ema(window: usize) -> Self {
        let length = as_f64(window);
        Self { window: rows(window), alpha: 2.0 / (length + 1.0), length }
    }

    /// Wilder's mean: a value weighs 1 / window.
    pub fn wilder(window: usize) -> Self {
        let length = as_f64(window);
        Self { window: rows(window), alpha: 1.0 / length, length }
    }

    /// Reads the value that is number `seen`, from 1; `mean` is a mean if `seen` is at least `window`.
    #[inline(always)]
    pub fn step(&self, mean: &mut f64, seen: i64, x: f64) {
        if self.window == 1 {
            *mean = x;
        } else if seen > self.window {
            *mean += (x - *mean) * self.alpha;
        } else {
            *mean += x;
            if seen == self.window {
                *mean /= self.length;
            }
        }
    }
}

/// A number of rows as values are counted.
pub fn rows(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A parameter that counts rows, and is at least `least`.
pub fn count_from(arguments: &Arguments, parameter: &str, least: usize) -> Result<usize> {
    let count = arguments.count(parameter)?;
    if count < least {
        return Err(arguments.refuse(parameter, format!("must be at least {least}, got {count}")));
    }
    Ok(count)
}

/// A plan for the column of the parameter `column`, from `window`.
pub fn plan_of_window<R: crate::model::Recurrence>(
    arguments: &Arguments,
    least: usize,
    make: impl FnOnce(usize) -> R,
) -> Result<Plan> {
    let window = count_from(arguments, "window", least)?;
    Ok(Plan::recurrence(Inputs::of(arguments, &["column"])?, make(window)))
}

/// The number of values of the first mean.
pub const WINDOW: Parameter = Parameter::required(
    "window",
    Kind::Rows,
    "The number of values of the first mean, and the length of the smoothing.",
);

/// The parameters of most smoothers.
pub const COLUMN_AND_WINDOW: &[Parameter] = &[COLUMN, WINDOW];

/// A parameter that is a weight: at most 1, and at least 0 or above it.
pub fn share(arguments: &Arguments, parameter: &str, with_zero: bool) -> Result<f64> {
    let x = arguments.number(parameter)?;
    if (0.0..=1.0).contains(&x) && (with_zero || x > 0.0) {
        return Ok(x);
    }
    let range = if with_zero { "from 0 to 1" } else { "above 0 and at most 1" };
    Err(arguments.refuse(parameter, format!("must be {range}, got {x}")))
}
