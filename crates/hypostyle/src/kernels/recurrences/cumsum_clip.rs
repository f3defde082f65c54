//! A running sum that is kept between two bounds: inventories, budgets, buckets, position limits.

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, NumberOrColumn, Parameter};

/// y = clip(y' + x, lower, upper)
#[derive(Debug, Clone)]
pub struct CumsumClip {
    initial: f64,
}

impl Recurrence for CumsumClip {
    /// The value, the lower and the upper bound.
    type Input = [f64; 3];
    type Output = f64;
    type State = f64;

    fn start(&self) -> f64 {
        self.initial
    }

    #[inline]
    fn step(&self, sum: &mut f64, [x, lower, upper]: [f64; 3]) -> Option<f64> {
        let mut y = *sum + x;
        if y < lower {
            y = lower;
        }
        if y > upper {
            y = upper;
        }
        *sum = y;
        Some(y)
    }

    #[inline]
    fn skip(&self, sum: &mut f64) -> Option<f64> {
        Some(*sum)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let number = |parameter: &str| -> Result<Option<f64>> {
        Ok(match arguments.number_or_column(parameter)? {
            NumberOrColumn::Number(x) => Some(x),
            NumberOrColumn::Column(_) => None,
        })
    };
    let (lower, upper, initial) = (number("lower")?, number("upper")?, arguments.number("initial")?);
    if let (Some(lower), Some(upper)) = (lower, upper)
        && lower > upper
    {
        return Err(arguments.refuse("lower", format!("must be at most upper={upper}, got {lower}")));
    }
    for (parameter, x) in [("lower", lower), ("upper", upper), ("initial", Some(initial))] {
        if x.is_some_and(f64::is_nan) {
            return Err(arguments.refuse(parameter, "must not be NaN"));
        }
    }
    let inputs = Inputs::of(arguments, &["column", "lower", "upper"])?.typed_by(1);
    Ok(Plan::recurrence_of_numbers(inputs, CumsumClip { initial }))
}

pub(crate) const CUMSUM_CLIP: Entry = Entry {
    names: &["cumsum_clip"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Running sum that is clipped to two bounds at every row.",
    formula: "y[i] = min(max(y[i-1] + x[i], lower[i]), upper[i]), y[-1] = initial",
    notes: "The bounds are numbers (infinities too) or columns. If the lower bound of a row is above its upper bound, the upper \
            bound wins. A row with a null in any input keeps the sum and returns it. A NaN stays in the sum; a bound that is NaN \
            in a row does not clip in that row.",
    source: "Requested in pandas#27935; as `numpy.clip` at every step.",
    parameters: &[
        COLUMN,
        Parameter::required("lower", Kind::NumberOrColumn, "The lower bound: a number or a column."),
        Parameter::required("upper", Kind::NumberOrColumn, "The upper bound: a number or a column."),
        Parameter::optional("initial", Kind::Number, Literal::Number(0.0), "The sum before the first row."),
    ],
    example: &[("column", Literal::Text("x")), ("lower", Literal::Count(0)), ("upper", Literal::Count(4))],
    plan,
    #[cfg(test)]
    reference: reference::cumsum_clip,
};

/// The formula, row by row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, number, operand, recurrence};

    pub fn cumsum_clip(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let inputs = [column(spec, table), operand(spec, table, "lower"), operand(spec, table, "upper")];
        recurrence(inputs, number(spec, "initial").unwrap_or(0.0), |y, [x, lower, upper]| {
            let y = y + x;
            let y = if y < lower { lower } else { y };
            if y > upper { upper } else { y }
        })
    }
}
