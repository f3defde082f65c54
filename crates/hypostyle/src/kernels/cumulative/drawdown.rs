//! How far a value is below its high-water mark, and for how long.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::kernels::fields::of_fields;
use crate::model::{Recurrence, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Literal};
use crate::values::field;

/// See the module.
#[derive(Debug, Clone)]
struct Drawdown;

/// The drawdown, the worst one and the peak; the rows under water, -1 before the first value.
type State = ([f64; 3], i64);

impl Drawdown {
    #[inline]
    fn answer(([drawdown, worst, peak], rows): &State) -> Option<[f64; 4]> {
        let count = usize::try_from(*rows).ok()?;
        Some([field(*drawdown), field(*worst), as_f64(count), field(*peak)])
    }
}

impl Recurrence for Drawdown {
    type Input = f64;
    type Output = [f64; 4];
    type State = State;

    fn start(&self) -> State {
        ([0.0, 0.0, f64::NEG_INFINITY], -1)
    }

    #[inline]
    fn step(&self, state: &mut State, x: f64) -> Option<[f64; 4]> {
        let ([drawdown, worst, peak], rows) = state;
        if x >= *peak || *rows < 0 {
            (*peak, *rows) = (x, 0);
            *drawdown = if x.is_nan() { x } else { 0.0 };
        } else {
            if x.is_nan() {
                *peak = x;
            }
            *rows += 1;
            *drawdown = x / *peak - 1.0;
        }
        if *drawdown < *worst || drawdown.is_nan() {
            *worst = *drawdown;
        }
        Self::answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut State) -> Option<[f64; 4]> {
        Self::answer(state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let inputs = Inputs::of(arguments, &["column"])?;
    Ok(Plan::new(move |binding| {
        let number = inputs.computed_type(binding)?;
        let fields = of_fields([
            ("drawdown", number.clone()),
            ("worst", number.clone()),
            ("rows", DataType::Int64),
            ("peak", number),
        ]);
        Plan::recurrence(inputs.clone().returning(fields), Drawdown).bind(binding)
    }))
}

pub(crate) const DRAWDOWN: Entry = Entry {
    names: &["drawdown"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Drawdown from the high-water mark so far: current, worst, rows under water, and the mark.",
    formula: "peak[i] = max of x[j], j <= i; drawdown[i] = x[i] / peak[i] - 1; worst[i] = min of drawdown[j], j <= i; rows[i] = \
              number of rows since the last with x[j] = peak[j]",
    notes: "For values above 0, such as prices or an equity curve. A struct of `drawdown` and `worst` (fractions, at most 0), \
            `rows` (an integer, 0 at the mark) and `peak`. At the mark the drawdown is 0, also for a mark of 0. A null row returns \
            the last result and does not count; rows before the first value are null. A NaN stays in `drawdown`, `worst` and \
            `peak`, and `rows` counts on. Two roundings.",
    source: "pandas `x / x.cummax() - 1`, and its `cummin()`; there 0 / 0 is NaN, and null rows are null.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z"))],
    plan,
    #[cfg(test)]
    reference: reference::drawdown,
};

/// All values so far, for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact};

    pub fn drawdown(spec: &KernelSpec, table: &Table, name: Option<&str>) -> Vec<Slow> {
        let (mut values, mut worst) = (Vec::new(), 0.0f64);
        let row = |x: Option<f64>| {
            let x = x?;
            values.push(x);
            let nan = values.iter().position(|x| x.is_nan());
            let peak = if nan.is_some() { f64::NAN } else { values.iter().copied().fold(f64::NEG_INFINITY, f64::max) };
            let drawdown = if x == peak { 0.0 } else { x / peak - 1.0 };
            worst = if worst.is_nan() || drawdown.is_nan() { f64::NAN } else { worst.min(drawdown) };
            // The last mark was set before the first NaN, or by it if it is the first value.
            let sound = &values[..nan.unwrap_or(values.len())];
            let top = sound.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mark = sound.iter().rposition(|x| *x == top);
            let rows = values.len() - 1 - mark.unwrap_or(0);
            Some([drawdown, worst, rows as f64, peak])
        };
        let field = ["drawdown", "worst", "rows", "peak"].into_iter().position(|field| Some(field) == name).unwrap();
        let mut last = None;
        let rows: Vec<Option<[f64; 4]>> = column(spec, table).into_iter().map(row).collect();
        let kept = rows.into_iter().map(|row| {
            last = row.or(last);
            exact(last.map(|last| last[field]))
        });
        kept.collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check};

    #[test]
    fn worked_values() {
        let x: &[f64] = &[NULL, 100.0, 80.0, NULL, 90.0, 120.0, 60.0, 120.0, f64::NAN, 130.0];
        let nan = f64::NAN;
        let expected: [(&str, [f64; 10]); 4] = [
            ("drawdown", [NULL, 0.0, -0.2, -0.2, -0.1, 0.0, -0.5, 0.0, nan, nan]),
            ("worst", [NULL, 0.0, -0.2, -0.2, -0.2, -0.2, -0.5, -0.5, nan, nan]),
            ("rows", [NULL, 0.0, 1.0, 1.0, 2.0, 0.0, 1.0, 0.0, 1.0, 2.0]),
            ("peak", [NULL, 100.0, 100.0, 100.0, 100.0, 120.0, 120.0, 120.0, nan, nan]),
        ];
        for (field, expected) in expected {
            let near = expected.map(|x| {
                if x == -0.2 {
                    80.0 / 100.0 - 1.0
                } else if x == -0.1 {
                    90.0 / 100.0 - 1.0
                } else {
                    x
                }
            });
            check(KernelSpec::new("drawdown").with("column", "x"), &[("x", x)], field, &near);
        }
        check(KernelSpec::new("drawdown").with("column", "x"), &[("x", &[0.0, 0.0])], "worst", &[0.0, 0.0]);
    }
}
