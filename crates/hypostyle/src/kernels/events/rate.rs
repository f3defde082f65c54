//! Change per time from one value to the next: the derivative, and the rate of a counter.

use super::counter::{WRAP, growth, wrap_of};
use super::time::{BY, UNIT, elapsed, steps_of, unit_of};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Literal};

/// How a value changed from the last one.
trait Change: Clone + Send + Sync + 'static {
    fn between(&self, last: f64, x: f64) -> f64;
}

/// The difference.
#[derive(Debug, Clone)]
struct Difference;

impl Change for Difference {
    #[inline]
    fn between(&self, last: f64, x: f64) -> f64 {
        x - last
    }
}

/// What a counter grew by.
#[derive(Debug, Clone)]
struct Growth {
    wrap: Option<f64>,
}

impl Change for Growth {
    #[inline]
    fn between(&self, last: f64, x: f64) -> f64 {
        growth(last, x, self.wrap)
    }
}

/// The change per unit of time.
#[derive(Debug, Clone)]
struct Rate<C> {
    change: C,
    /// Steps of the time column in a unit.
    steps: f64,
}

impl<C: Change> Recurrence for Rate<C> {
    /// The value, and its time.
    type Input = (f64, i64);
    type Output = f64;
    /// The last value with its time, and the last result.
    type State = (Option<(f64, i64)>, Option<f64>);

    fn start(&self) -> Self::State {
        (None, None)
    }

    #[inline]
    fn step(&self, (last, rate): &mut Self::State, (x, time): (f64, i64)) -> Option<f64> {
        if let Some((before, then)) = *last {
            *rate = Some(self.change.between(before, x) / (elapsed(then, time) / self.steps));
        }
        *last = Some((x, time));
        *rate
    }

    #[inline]
    fn skip(&self, (_, rate): &mut Self::State) -> Option<f64> {
        *rate
    }
}

fn plan<C: Change>(arguments: &Arguments, change: C) -> Result<Plan> {
    let (by, unit) = (arguments.column("by")?, unit_of(arguments)?);
    let inputs = Inputs::of(arguments, &["column"])?.with_column(&by).sorted_by(&by);
    Ok(Plan::recurrence_of(inputs, move |binding| {
        Ok(Rate { change: change.clone(), steps: steps_of(unit, binding, &by)? })
    }))
}

pub(crate) const DERIVATIVE: Entry = Entry {
    names: &["derivative"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Change per unit of time from the last value to this one.",
    formula: "y[i] = (x[i] - x[j]) / ((by[i] - by[j]) / unit), where j < i is the last row with a value",
    notes: "Null up to the first value. A null row returns the last result, and the next value is compared with the last one. Two \
            values at one time give an infinity, or NaN if they are equal. A NaN makes its own result and the next one NaN. Time \
            differences are exact; three roundings. The time column must be sorted within each key and have no nulls.",
    source: "Flux `derivative`; numpy `np.diff(x) / np.diff(t)`. A null row is null there.",
    parameters: &[COLUMN, BY, UNIT],
    example: &[("column", Literal::Text("z")), ("by", Literal::Text("t")), ("unit", Literal::Text("1h"))],
    plan: |arguments| plan(arguments, Difference),
    #[cfg(test)]
    reference: reference::derivative,
};

pub(crate) const COUNTER_RATE: Entry = Entry {
    names: &["counter_rate"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Increase of a counter per unit of time since its last value; a fall means that it started over.",
    formula: "y[i] = g / ((by[i] - by[j]) / unit), where j < i is the last row with a value; g = x[i] - x[j] if x[i] >= x[j] else \
              x[i], or x[i] + wrap - x[j] if it wraps",
    notes: "Per second by default. Null up to the first value. A null row returns the last result, and the next value is compared \
            with the last one. Growth within no time gives an infinity, no growth within no time NaN. A NaN makes its own result \
            and the next one NaN. The time column must be sorted within each key and have no nulls.",
    source: "Prometheus `irate`, for each value rather than the last two of a range; Flux `derivative(nonNegative: true)` is null \
             after a fall.",
    parameters: &[COLUMN, BY, UNIT, WRAP],
    example: &[("column", Literal::Text("z")), ("by", Literal::Text("t")), ("unit", Literal::Text("1h"))],
    plan: |arguments| {
        let wrap = wrap_of(arguments)?;
        plan(arguments, Growth { wrap })
    },
    #[cfg(test)]
    reference: reference::counter_rate,
};

/// The last two values, for each row.
#[cfg(test)]
mod reference {
    use super::super::time::reference::steps;
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, number, text};

    fn rates(spec: &KernelSpec, table: &Table, change: impl Fn(f64, f64) -> f64) -> Vec<Slow> {
        let (values, times) = (column(spec, table), table.times(&text(spec, "by")));
        let rate = |i: usize| {
            let now = (0..=i).rev().find(|j| values[*j].is_some())?;
            let last = (0..now).rev().find(|j| values[*j].is_some())?;
            let units = (times[now] - times[last]) as f64 / steps(spec, "by");
            Some(change(values[last]?, values[now]?) / units)
        };
        (0..values.len()).map(|i| exact(rate(i))).collect()
    }

    pub fn derivative(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        rates(spec, table, |last, x| x - last)
    }

    pub fn counter_rate(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let wrap = number(spec, "wrap");
        rates(spec, table, |last, x| match wrap {
            Some(wrap) if x < last => x + wrap - last,
            None if x < last => x,
            _ => x - last,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, frame, refused};

    const COLUMNS: [(&str, &[f64]); 3] = [
        ("x", &[NULL, 10.0, 14.0, NULL, 2.0, 2.0, 5.0]),
        ("t", &[0.0, 0.0, 2.0, 3.0, 4.0, 4.0, 4.0]),
        ("n", &[0.0, 0.0, 2.0, 3.0, 4.0, 4.0, 4.0]),
    ];

    fn spec(name: &str) -> KernelSpec {
        KernelSpec::new(name).with("column", "x").with("by", "t")
    }

    #[test]
    fn worked_values() {
        let (nan, infinity) = (f64::NAN, f64::INFINITY);
        check(spec("derivative"), &COLUMNS, "", &[NULL, NULL, 2.0, 2.0, -6.0, nan, infinity]);
        check(spec("derivative").with("unit", "1m"), &COLUMNS, "", &[NULL, NULL, 120.0, 120.0, -360.0, nan, infinity]);
        check(
            spec("derivative").with("by", "n").with("unit", 2),
            &COLUMNS,
            "",
            &[NULL, NULL, 4.0, 4.0, -12.0, nan, infinity],
        );
        check(spec("counter_rate"), &COLUMNS, "", &[NULL, NULL, 2.0, 2.0, 1.0, nan, infinity]);
        check(spec("counter_rate").with("wrap", 16), &COLUMNS, "", &[NULL, NULL, 2.0, 2.0, 2.0, nan, infinity]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec("derivative").with("unit", 0), "must be positive");
        refused(spec("counter_rate").with("wrap", 0), "must be positive and finite");
        for (by, unit) in [("t", "2i"), ("n", "1s")] {
            let spec = spec("derivative").with("by", by).with("unit", unit);
            let error = crate::evaluate(&frame(&COLUMNS), &[spec], Some(1)).unwrap_err().to_string();
            assert!(error.contains("parameter 'unit'"), "{error}");
        }
    }
}
