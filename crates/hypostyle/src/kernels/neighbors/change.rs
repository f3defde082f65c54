//! The relative change to another row, as a fraction and as a logarithm.
//!
//! The difference is taken first, and exactly for integers: where the values are close, no digit is lost.

use arrow::datatypes::DataType;

use super::PARAMETERS;
use crate::error::Result;
use crate::model::Neighbors;
use crate::run::{Away, Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Literal};

/// A function of two values, the row's own and the other, and of their difference.
trait OfPair: Clone + Send + Sync + 'static {
    fn of(&self, difference: f64, own: f64, other: f64) -> f64;
}

/// The change relative to the other value.
#[derive(Debug, Clone)]
struct Change;

impl OfPair for Change {
    #[inline(always)]
    fn of(&self, difference: f64, _: f64, other: f64) -> f64 {
        difference / other
    }
}

/// The logarithm of the quotient.
#[derive(Debug, Clone)]
struct LogReturn;

impl OfPair for LogReturn {
    #[inline(always)]
    fn of(&self, difference: f64, own: f64, other: f64) -> f64 {
        let change = difference / other;
        if change.abs() < 0.5 { libm::log1p(change) } else { libm::log(own / other) }
    }
}

/// A function of floats.
#[derive(Debug, Clone)]
struct OfFloats<F>(F);

impl<F: OfPair> Neighbors for OfFloats<F> {
    type Input = f64;
    type Output = f64;

    #[inline(always)]
    fn pair(&self, own: f64, other: f64) -> f64 {
        self.0.of(own - other, own, other)
    }
}

/// The same of integers of 64 bits, whose difference is exact before it becomes a float.
#[derive(Debug, Clone)]
struct OfIntegers<F> {
    function: F,
    unsigned: bool,
}

impl<F> OfIntegers<F> {
    /// The number, rounded; unsigned ones come with their top bit flipped.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "only the difference has to be exact")]
    fn float(&self, x: i64) -> f64 {
        if self.unsigned { (x ^ i64::MIN).cast_unsigned() as f64 } else { x as f64 }
    }
}

impl<F: OfPair> Neighbors for OfIntegers<F> {
    type Input = i64;
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "the only rounding")]
    fn pair(&self, own: i64, other: i64) -> f64 {
        let difference = (i128::from(own) - i128::from(other)) as f64;
        self.function.of(difference, self.float(own), self.float(other))
    }
}

fn plan<F: OfPair>(arguments: &Arguments, function: F) -> Result<Plan> {
    let (inputs, column) = (Inputs::of(arguments, &["column"])?, arguments.column("column")?);
    Ok(Away::of(arguments)?.plan(inputs, move |away, inputs, binding| {
        let function = function.clone();
        if inputs.has_long_integer(binding)? {
            let unsigned = *binding.column(&column)?.1 == DataType::UInt64;
            away.kernel(binding, inputs.bind::<i64, f64>(binding)?, OfIntegers { function, unsigned })
        } else {
            away.kernel(binding, inputs.bind::<f64, f64>(binding)?, OfFloats(function))
        }
    }))
}

pub(crate) const PCT_CHANGE: Entry = Entry {
    names: &["pct_change"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Change relative to the value some rows or some time ago, as a fraction.",
    formula: "y[i] = (x[i] - x[i - n]) / x[i - n]",
    notes: "A row is null if either value is null or missing. Divided by 0 the change is infinite, or NaN for 0 / 0. The \
            difference is exact for integers, and for floats within a factor of 2; then the relative error is 1 eps.",
    source: "pandas `Series.pct_change`, polars `Expr.pct_change`; `n` as in `shift`.",
    parameters: PARAMETERS,
    example: &[("column", Literal::Text("z"))],
    plan: |arguments| plan(arguments, Change),
    #[cfg(test)]
    reference: reference::pct_change,
};

pub(crate) const LOG_RETURN: Entry = Entry {
    names: &["log_return"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Logarithm of the quotient of the value and that some rows or some time ago.",
    formula: "y[i] = ln(x[i] / x[i - n])",
    notes: "A row is null if either value is null or missing. Values of different signs give NaN, 0 an infinity. Relative error \
            a few eps, also where the values are close.",
    source: "Continuously compounded returns; `numpy.log(x / x.shift())`; `n` as in `shift`.",
    parameters: PARAMETERS,
    example: &[("column", Literal::Text("z"))],
    plan: |arguments| plan(arguments, LogReturn),
    #[cfg(test)]
    reference: reference::log_return,
};

#[cfg(test)]
mod reference {
    use super::super::reference::others;
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, exact, text};

    /// The value and the other one, each as its nearest float, and their difference.
    fn pairs(spec: &KernelSpec, table: &Table) -> Vec<Option<(f64, f64, f64)>> {
        let name = text(spec, "column");
        let (values, integers) = (table.numbers(&name), table.whole_numbers(&name));
        let pair = |i: usize, j: usize| {
            let (own, other) = (values[i]?, values[j]?);
            let difference = match &integers {
                Some(integers) => (integers[i]? - integers[j]?) as f64,
                None => own - other,
            };
            Some((own, other, difference))
        };
        others(spec, table).into_iter().enumerate().map(|(i, j)| j.and_then(|j| pair(i, j))).collect()
    }

    fn within(answer: Option<f64>) -> Slow {
        answer.map_or(exact(None), |y| bounded(y, 16.0 * EPS * y.abs()))
    }

    pub fn pct_change(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let change = |(_, other, difference): (f64, f64, f64)| difference / other;
        pairs(spec, table).into_iter().map(|pair| within(pair.map(change))).collect()
    }

    pub fn log_return(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let log = |(own, other, difference): (f64, f64, f64)| {
            let change = difference / other;
            if change.abs() < 0.5 { change.ln_1p() } else { (own / other).ln() }
        };
        pairs(spec, table).into_iter().map(|pair| within(pair.map(log))).collect()
    }
}
