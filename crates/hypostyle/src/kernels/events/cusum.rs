//! Page's CUSUM: sums of deviations from a target in both directions, and whether one is above a threshold.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::kernels::fields::of_fields;
use crate::model::{Recurrence, rarely};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, NumberOrColumn, Parameter};
use crate::values::field;

/// See the module.
#[derive(Debug, Clone)]
struct Cusum {
    drift: f64,
    threshold: f64,
    reset: bool,
}

/// The sums, and whether there was a value.
type State = ([f64; 2], bool);

/// The sum, or 0 if it is negative; a NaN stays.
#[inline]
fn above_0(sum: f64) -> f64 {
    if sum < 0.0 { 0.0 } else { sum }
}

impl Cusum {
    #[inline]
    fn hit(&self, [high, low]: &[f64; 2]) -> bool {
        *high > self.threshold || *low > self.threshold
    }

    #[inline]
    fn answer(&self, (sums, seen): &State) -> Option<[f64; 3]> {
        seen.then(|| [field(sums[0]), field(sums[1]), f64::from(self.hit(sums))])
    }
}

impl Recurrence for Cusum {
    /// The value, and the target.
    type Input = [f64; 2];
    type Output = [f64; 3];
    type State = State;

    fn start(&self) -> State {
        ([0.0; 2], false)
    }

    #[inline]
    fn step(&self, state: &mut State, [x, target]: [f64; 2]) -> Option<[f64; 3]> {
        let (sums, seen) = state;
        if self.reset && self.hit(sums) {
            *sums = rarely([0.0; 2]);
        }
        let [high, low] = *sums;
        // A target of 0 changes no bit of sums, which are never -0.0; and a row waits for each step of the one before.
        let [up, down] = if target == 0.0 { [high + x, low - x] } else { [high + x - target, low - x + target] };
        *sums = [above_0(up - self.drift), above_0(down - self.drift)];
        *seen = true;
        self.answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut State) -> Option<[f64; 3]> {
        self.answer(state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (drift, threshold) = (arguments.number("drift")?, arguments.number("threshold")?);
    for (parameter, x) in [("drift", drift), ("threshold", threshold)] {
        if !(x >= 0.0 && x.is_finite()) {
            return Err(arguments.refuse(parameter, format!("must be at least 0 and finite, got {x}")));
        }
    }
    if let NumberOrColumn::Number(target) = arguments.number_or_column("target")?
        && !target.is_finite()
    {
        return Err(arguments.refuse("target", format!("must be finite, got {target}")));
    }
    let inputs = Inputs::of(arguments, &["column", "target"])?.typed_by(1);
    let cusum = Cusum { drift, threshold, reset: arguments.flag("reset")? };
    Ok(Plan::new(move |binding| {
        let number = inputs.computed_type(binding)?;
        let fields = of_fields([("high", number.clone()), ("low", number), ("hit", DataType::Boolean)]);
        Plan::recurrence_of_numbers(inputs.clone().returning(fields), cusum.clone()).bind(binding)
    }))
}

pub(crate) const CUSUM: Entry = Entry {
    names: &["cusum"],
    shape: Shape::Single(Family::Recurrence),
    summary: "CUSUM: sums of deviations above and below a target, and whether one of them is above a threshold.",
    formula: "high[i] = max(0, high[i-1] + x[i] - target - drift); low[i] = max(0, low[i-1] - x[i] + target - drift); hit[i] = \
              high[i] > threshold or low[i] > threshold; after a hit both start at 0 again",
    notes: "A struct of `high`, `low` and the boolean `hit`. The row of a hit has the sums that hit; with `reset=True` the next row \
            starts at 0, with `reset=False` the sums go on. A row with a null in any input returns the last result, and null before \
            the first value. A NaN stays in the sums, and there is no hit from there. Three roundings per row.",
    source: "Page (1954), in the two-sided form that Montgomery, Introduction to Statistical Quality Control, calls tabular.",
    parameters: &[
        COLUMN,
        Parameter::required(
            "drift",
            Kind::Number,
            "The deviation that is tolerated in every row, at least 0; also called slack or k.",
        ),
        Parameter::required("threshold", Kind::Number, "The sum that is too large, at least 0; also called h."),
        Parameter::optional(
            "target",
            Kind::NumberOrColumn,
            Literal::Number(0.0),
            "The value that is expected: a number or a column.",
        ),
        Parameter::optional(
            "reset",
            Kind::Flag,
            Literal::Flag(true),
            "Whether both sums start at 0 again after a hit.",
        ),
    ],
    example: &[
        ("column", Literal::Text("z")),
        ("drift", Literal::Number(0.5)),
        ("threshold", Literal::Count(4)),
        ("target", Literal::Count(2)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::cusum,
};

/// The formula, row by row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, flag, number, operand};

    pub fn cusum(spec: &KernelSpec, table: &Table, name: Option<&str>) -> Vec<Slow> {
        let values = column(spec, table);
        let targets = match spec.parameters.get("target") {
            Some(_) => operand(spec, table, "target"),
            None => vec![Some(0.0); values.len()],
        };
        let (drift, threshold) = (number(spec, "drift").unwrap(), number(spec, "threshold").unwrap());
        let (mut high, mut low, mut last) = (0.0f64, 0.0f64, None);
        let row = |(x, target): (Option<f64>, Option<f64>)| {
            if let (Some(x), Some(target)) = (x, target) {
                let up = high + x - target - drift;
                let down = low - x + target - drift;
                (high, low) = (if up < 0.0 { 0.0 } else { up }, if down < 0.0 { 0.0 } else { down });
                let hit = high > threshold || low > threshold;
                last = Some(match name {
                    Some("high") => high,
                    Some("low") => low,
                    _ => f64::from(hit),
                });
                if hit && flag(spec, "reset", true) {
                    (high, low) = (0.0, 0.0);
                }
            }
            exact(last)
        };
        values.into_iter().zip(targets).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec() -> KernelSpec {
        KernelSpec::new("cusum").with("column", "x").with("drift", 0.5).with("threshold", 10)
    }

    #[test]
    fn worked_values() {
        let x: [(&str, &[f64]); 1] = [("x", &[0.0, 1.0, 3.0, 2.0, -1.0, -4.0, -3.0, 0.0])];
        check(spec(), &x, "high", &[0.0, 0.5, 3.0, 4.5, 3.0, 0.0, 0.0, 0.0]);
        check(spec(), &x, "low", &[0.0, 0.0, 0.0, 0.0, 0.5, 4.0, 6.5, 6.0]);
        check(spec(), &x, "hit", &[0.0; 8]);
        let hit = spec().with("threshold", 4);
        check(hit.clone(), &x, "high", &[0.0, 0.5, 3.0, 4.5, 0.0, 0.0, 0.0, 0.0]);
        check(hit.clone(), &x, "low", &[0.0, 0.0, 0.0, 0.0, 0.5, 4.0, 6.5, 0.0]);
        check(hit.clone(), &x, "hit", &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        check(hit.with("reset", false), &x, "low", &[0.0, 0.0, 0.0, 0.0, 0.5, 4.0, 6.5, 6.0]);
        let columns: [(&str, &[f64]); 2] = [("x", &[NULL, 1.0, 2.0, f64::NAN]), ("level", &[0.0, NULL, 1.0, 1.0])];
        check(spec().with("target", "level"), &columns, "high", &[NULL, NULL, 0.5, f64::NAN]);
    }

    #[test]
    fn what_is_refused() {
        for (parameter, x) in [("drift", -0.5), ("threshold", f64::NAN), ("threshold", -1.0), ("drift", f64::INFINITY)]
        {
            refused(spec().with(parameter, x), "must be at least 0 and finite, got");
        }
        refused(spec().with("target", f64::NAN), "must be finite, got NaN");
    }
}
