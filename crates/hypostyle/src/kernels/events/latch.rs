//! A switch with hysteresis: on above one level, off below another, and as it was in between.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, NumberOrColumn, Parameter};

/// See the module.
#[derive(Debug, Clone)]
struct Latch {
    initial: bool,
}

impl Recurrence for Latch {
    /// The value, and the levels at which it goes on and off.
    type Input = [f64; 3];
    type Output = i64;
    /// Whether it is on, and whether there was a value.
    type State = (bool, bool);

    fn start(&self) -> (bool, bool) {
        (self.initial, false)
    }

    #[inline]
    fn step(&self, (is_on, seen): &mut (bool, bool), [x, on, off]: [f64; 3]) -> Option<i64> {
        // Without branches: which way a value goes is not to be foreseen.
        let (above, below) = (x >= on, x <= off);
        *is_on = above | (*is_on & !below);
        *seen = true;
        Some(i64::from(*is_on))
    }

    #[inline]
    fn skip(&self, (is_on, seen): &mut (bool, bool)) -> Option<i64> {
        seen.then_some(i64::from(*is_on))
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let level = |parameter: &str| -> Result<Option<f64>> {
        match arguments.number_or_column(parameter)? {
            NumberOrColumn::Number(x) if x.is_nan() => Err(arguments.refuse(parameter, "must not be NaN")),
            NumberOrColumn::Number(x) => Ok(Some(x)),
            NumberOrColumn::Column(_) => Ok(None),
        }
    };
    if let (Some(on), Some(off)) = (level("on")?, level("off")?)
        && on <= off
    {
        return Err(arguments.refuse("on", format!("must be above off={off}, got {on}")));
    }
    let inputs = Inputs::of(arguments, &["column", "on", "off"])?.returning(DataType::Boolean);
    Ok(Plan::recurrence_of_numbers(inputs, Latch { initial: arguments.flag("initial")? }))
}

pub(crate) const LATCH: Entry = Entry {
    names: &["latch"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Switch with hysteresis: true from a value of at least `on` until a value of at most `off`.",
    formula: "y[i] = true if x[i] >= on else false if x[i] <= off else y[i-1], y[-1] = initial",
    notes: "A boolean. The levels are numbers or columns. If `off` of a row is not below its `on`, a value beyond both switches on. \
            A row with a null in any input returns the last result, and null before the first value. A NaN is beyond no level, so \
            the switch stays as it is. Exact.",
    source: "A Schmitt trigger; in pandas `np.select` and `ffill`.",
    parameters: &[
        COLUMN,
        Parameter::required("on", Kind::NumberOrColumn, "Switches on at this value and above: a number or a column."),
        Parameter::required(
            "off",
            Kind::NumberOrColumn,
            "Switches off at this value and below: a number, less than `on`, or a column.",
        ),
        Parameter::optional("initial", Kind::Flag, Literal::Flag(false), "Whether it is on before the first row."),
    ],
    example: &[("column", Literal::Text("z")), ("on", Literal::Count(4)), ("off", Literal::Count(2))],
    plan,
    #[cfg(test)]
    reference: reference::latch,
};

/// The last row that was beyond a level, for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, flag, operand};

    pub fn latch(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, on, off) = (column(spec, table), operand(spec, table, "on"), operand(spec, table, "off"));
        let rows: Vec<Option<[f64; 3]>> = (0..values.len()).map(|i| Some([values[i]?, on[i]?, off[i]?])).collect();
        let at = |i: usize| {
            let so_far = rows[..=i].iter().flatten();
            so_far.clone().next()?;
            let decisive = so_far.rev().find(|[x, on, off]| x >= on || x <= off);
            Some(decisive.map_or(flag(spec, "initial", false), |[x, on, _]| x >= on))
        };
        (0..rows.len()).map(|i| exact(at(i).map(f64::from))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec() -> KernelSpec {
        KernelSpec::new("latch").with("column", "x").with("on", 4).with("off", 2)
    }

    #[test]
    fn worked_values() {
        let x: &[f64] = &[NULL, 3.0, 4.0, 3.0, NULL, f64::NAN, 2.0, 3.0, 9.0];
        check(spec(), &[("x", x)], "", &[NULL, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
        check(spec().with("initial", true), &[("x", x)], "", &[NULL, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
        let columns: [(&str, &[f64]); 2] = [("x", &[1.0, 2.0, 3.0]), ("level", &[1.0, NULL, 9.0])];
        check(spec().with("on", "level").with("off", 0), &columns, "", &[1.0, 1.0, 1.0]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec().with("on", 2), "must be above off=2, got 2");
        refused(spec().with("on", f64::NAN), "must not be NaN");
        refused(spec().with("on", "level").with("off", f64::NAN), "must not be NaN");
    }
}
