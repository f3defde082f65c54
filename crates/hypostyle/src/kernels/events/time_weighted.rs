//! The integral of values over time, and their mean weighted by time.
//!
//! Between two values the column is taken to be the earlier one (`step`) or the line from one to the other (`linear`).

use super::time::{BY, UNIT, elapsed, steps_of, unit_of};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// See the module.
#[derive(Debug, Clone)]
struct TimeWeighted<const MEAN: bool> {
    linear: bool,
    /// Steps of the time column in a unit.
    steps: f64,
}

/// The last value and its time; the integral in steps of the time column, and the time at which it begins.  None before the first
/// value.
type State = Option<((f64, i64), (f64, i64))>;

impl<const MEAN: bool> TimeWeighted<MEAN> {
    #[inline]
    fn answer(&self, state: &State) -> Option<f64> {
        let ((x, time), (sum, start)) = (*state)?;
        Some(match elapsed(start, time) {
            0.0 if MEAN => x,
            whole if MEAN => sum / whole,
            _ => sum / self.steps,
        })
    }
}

impl<const MEAN: bool> Recurrence for TimeWeighted<MEAN> {
    /// The value, and its time.
    type Input = (f64, i64);
    type Output = f64;
    type State = State;

    fn start(&self) -> State {
        None
    }

    #[inline]
    fn step(&self, state: &mut State, (x, time): (f64, i64)) -> Option<f64> {
        if let Some(((last, then), (sum, _))) = state {
            // Within no time nothing is added, not even of an infinity.
            if time != *then {
                let height = if self.linear { (*last + x) / 2.0 } else { *last };
                *sum += height * elapsed(*then, time);
            }
            (*last, *then) = (x, time);
        } else {
            *state = Some(((x, time), (0.0, time)));
        }
        self.answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut State) -> Option<f64> {
        self.answer(state)
    }
}

fn plan<const MEAN: bool>(arguments: &Arguments) -> Result<Plan> {
    let by = arguments.column("by")?;
    let unit = if MEAN { None } else { unit_of(arguments)? };
    let linear = arguments.choice("method", &[("linear", true), ("step", false)])?;
    let inputs = Inputs::of(arguments, &["column"])?.with_column(&by).sorted_by(&by);
    Ok(Plan::recurrence_of(inputs, move |binding| {
        Ok(TimeWeighted::<MEAN> { linear, steps: steps_of(unit, binding, &by)? })
    }))
}

const METHOD: Parameter = Parameter::optional(
    "method",
    Kind::Choice(&["linear", "step"]),
    Literal::Text("linear"),
    "What the column is between two values: the line between them ('linear'), or the earlier one ('step').",
);

pub(crate) const TIME_WEIGHTED_MEAN: Entry = Entry {
    names: &["time_weighted_mean"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Mean of all values so far, each weighted by the time that it holds.",
    formula: "y[i] = sum of h[j] * (by[j] - by[j-1]) / (by[i] - by[0]), j <= i; h[j] = (x[j-1] + x[j]) / 2, or x[j-1] with \
              method='step'",
    notes: "From the first value on, over rows with a value: a null row returns the last result, and the value before it holds on or \
            leads to the next one. While no time has passed since the first value, the last value. Values at the same time: the last \
            one counts from there. With method='step' a value counts from the next row on. A NaN or an infinity that has held for \
            some time stays. Relative error about n eps. The time column must be sorted within each key and have no nulls.",
    source: "Flux `timeWeightedAvg` (linear); TimescaleDB `time_weight('Linear' | 'LOCF', ...)`.",
    parameters: &[COLUMN, BY, METHOD],
    example: &[("column", Literal::Text("z")), ("by", Literal::Text("t")), ("method", Literal::Text("step"))],
    plan: plan::<true>,
    #[cfg(test)]
    reference: reference::time_weighted_mean,
};

pub(crate) const INTEGRAL: Entry = Entry {
    names: &["integral"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Integral of the values over time so far.",
    formula: "y[i] = sum of h[j] * (by[j] - by[j-1]) / unit, j <= i; h[j] = (x[j-1] + x[j]) / 2, or x[j-1] with method='step'",
    notes: "0 at the first value, over rows with a value: a null row returns the last result, and the value before it holds on or leads \
            to the next one. Values at the same time: the last one counts from there. A NaN or an infinity that has held for some \
            time stays. Relative error about n eps of the sum of absolute values. The time column must be sorted within each key and \
            have no nulls.",
    source: "Flux and InfluxQL `integral`, `scipy.integrate.cumulative_trapezoid(x, t, initial=0)`.",
    parameters: &[COLUMN, BY, UNIT, METHOD],
    example: &[("column", Literal::Text("z")), ("by", Literal::Text("t")), ("unit", Literal::Text("1h"))],
    plan: plan::<false>,
    #[cfg(test)]
    reference: reference::integral,
};

/// All values so far, for each row.
#[cfg(test)]
mod reference {
    use super::super::time::reference::steps;
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, choice, column, exact, text};

    /// The times and values so far, and the integral over them, for each row.
    fn areas(spec: &KernelSpec, table: &Table, answer: impl Fn(&[(i64, f64)], f64) -> f64) -> Vec<Slow> {
        let (values, times) = (column(spec, table), table.times(&text(spec, "by")));
        let linear = choice(spec, "method", "linear") == "linear";
        let at = |i: usize| {
            let so_far: Vec<(i64, f64)> = (0..=i).filter_map(|j| Some((times[j], values[j]?))).collect();
            let pieces = so_far.windows(2).filter(|pair| pair[0].0 < pair[1].0);
            let height = |pair: &[(i64, f64)]| if linear { (pair[0].1 + pair[1].1) / 2.0 } else { pair[0].1 };
            let area = pieces.fold(0.0, |sum, pair| sum + height(pair) * (pair[1].0 - pair[0].0) as f64);
            (!so_far.is_empty()).then(|| answer(&so_far, area))
        };
        (0..values.len()).map(|i| exact(at(i))).collect()
    }

    pub fn integral(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        areas(spec, table, |_, area| area / steps(spec, "by"))
    }

    pub fn time_weighted_mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        areas(spec, table, |so_far, area| {
            let ((first, _), (last, x)) = (so_far[0], so_far[so_far.len() - 1]);
            if first == last { x } else { area / (last - first) as f64 }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    const COLUMNS: [(&str, &[f64]); 3] = [
        ("x", &[NULL, 1.0, 3.0, 4.0, NULL, 6.0, 0.0]),
        ("t", &[0.0, 10.0, 10.0, 12.0, 13.0, 14.0, 20.0]),
        ("n", &[0.0, 10.0, 10.0, 12.0, 13.0, 14.0, 20.0]),
    ];

    fn spec(name: &str) -> KernelSpec {
        KernelSpec::new(name).with("column", "x").with("by", "t")
    }

    #[test]
    fn worked_values() {
        check(spec("integral"), &COLUMNS, "", &[NULL, 0.0, 0.0, 7.0, 7.0, 17.0, 35.0]);
        let step = |name: &str| spec(name).with("method", "step");
        check(step("integral"), &COLUMNS, "", &[NULL, 0.0, 0.0, 6.0, 6.0, 14.0, 50.0]);
        check(step("integral").with("unit", "2s"), &COLUMNS, "", &[NULL, 0.0, 0.0, 3.0, 3.0, 7.0, 25.0]);
        check(step("integral").with("by", "n").with("unit", 2), &COLUMNS, "", &[NULL, 0.0, 0.0, 3.0, 3.0, 7.0, 25.0]);
        check(spec("time_weighted_mean"), &COLUMNS, "", &[NULL, 1.0, 3.0, 3.5, 3.5, 4.25, 3.5]);
        check(step("time_weighted_mean"), &COLUMNS, "", &[NULL, 1.0, 3.0, 3.0, 3.0, 3.5, 5.0]);
        // An infinity that held for no time leaves no trace.
        let columns: [(&str, &[f64]); 2] = [("x", &[f64::INFINITY, 1.0, 1.0]), ("t", &[0.0, 0.0, 1.0])];
        check(spec("integral"), &columns, "", &[0.0, 0.0, 1.0]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec("integral").with("method", "cubic"), "unknown value \"cubic\"");
        refused(spec("integral").with("unit", "0s"), "must be positive");
        refused(spec("time_weighted_mean").with("unit", "1s"), "unit");
    }
}
