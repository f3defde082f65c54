//! The affine recurrence y = a * y' + b: loans, decays, first-order filters, reservoirs.

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, NumberOrColumn, Parameter};

/// y = a * y' + b
#[derive(Debug, Clone)]
pub struct AffineScan {
    initial: f64,
}

impl Recurrence for AffineScan {
    /// The factor and the addend.
    type Input = [f64; 2];
    type Output = f64;
    type State = f64;

    fn start(&self) -> f64 {
        self.initial
    }

    #[inline]
    fn step(&self, y: &mut f64, [a, b]: [f64; 2]) -> Option<f64> {
        *y = a * *y + b;
        Some(*y)
    }

    #[inline]
    fn skip(&self, y: &mut f64) -> Option<f64> {
        Some(*y)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let is_number = |parameter: &str| -> Result<bool> {
        Ok(matches!(arguments.number_or_column(parameter)?, NumberOrColumn::Number(_)))
    };
    if is_number("a")? && is_number("b")? {
        return Err(arguments
            .refuse("b", "must be a column, because 'a' is a number")
            .with_help("set a or b to a column"));
    }
    let initial = arguments.number("initial")?;
    Ok(Plan::recurrence_of_numbers(Inputs::of(arguments, &["a", "b"])?, AffineScan { initial }))
}

pub(crate) const AFFINE_SCAN: Entry = Entry {
    names: &["affine_scan"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Affine recurrence: every result is the previous one times a factor plus an addend.",
    formula: "y[i] = a[i] * y[i-1] + b[i], y[-1] = initial",
    notes: "Factor and addend are numbers or columns, at least one of them a column. A row with a null in either keeps the \
            previous result and returns it. NaN and infinities follow IEEE and stay. Each step rounds twice, without fused \
            multiplication, so results are bit-identical on every machine.",
    source: "Requested in polars#12165; the first-order linear recurrence.",
    parameters: &[
        Parameter::required("a", Kind::NumberOrColumn, "The factor: a number or a column."),
        Parameter::required("b", Kind::NumberOrColumn, "The addend: a number or a column."),
        Parameter::optional("initial", Kind::Number, Literal::Number(0.0), "The value before the first row."),
    ],
    example: &[("a", Literal::Number(0.5)), ("b", Literal::Text("x"))],
    plan,
    #[cfg(test)]
    reference: reference::affine_scan,
};

/// The formula, row by row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, number, operand, recurrence};

    pub fn affine_scan(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (a, b) = (operand(spec, table, "a"), operand(spec, table, "b"));
        recurrence([a, b.clone(), b], number(spec, "initial").unwrap_or(0.0), |y, [a, b, _]| a * y + b)
    }
}
