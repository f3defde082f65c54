//! What a counter counted: a counter only grows, except when it starts over.

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// By how much a counter grew from one value to the next; `wrap` is where it starts over.
#[inline]
pub(super) fn growth(last: f64, x: f64, wrap: Option<f64>) -> f64 {
    match wrap {
        None if x < last => x,
        Some(wrap) if x < last => x + wrap - last,
        _ => x - last,
    }
}

/// The parameter `wrap`.
pub(super) fn wrap_of(arguments: &Arguments) -> Result<Option<f64>> {
    let wrap = arguments.optional_number("wrap")?;
    match wrap {
        Some(wrap) if !(wrap > 0.0 && wrap.is_finite()) => {
            Err(arguments.refuse("wrap", format!("must be positive and finite, got {wrap}")))
        }
        wrap => Ok(wrap),
    }
}

/// See [`wrap_of`].
pub(super) const WRAP: Parameter = Parameter::optional(
    "wrap",
    Kind::Number,
    Literal::Omitted,
    "The number of values of a counter that wraps around, such as 4294967296. Default: after a fall it counts from 0.",
);

/// The sum of what a counter grew by.
#[derive(Debug, Clone)]
struct Increase {
    wrap: Option<f64>,
}

impl Recurrence for Increase {
    type Input = f64;
    type Output = f64;
    /// The last value and the sum; whether there was a value.
    type State = ((f64, f64), bool);

    fn start(&self) -> Self::State {
        ((0.0, 0.0), false)
    }

    #[inline]
    fn step(&self, ((last, sum), seen): &mut Self::State, x: f64) -> Option<f64> {
        if *seen {
            *sum += growth(*last, x, self.wrap);
        }
        (*last, *seen) = (x, true);
        Some(*sum)
    }

    #[inline]
    fn skip(&self, ((_, sum), seen): &mut Self::State) -> Option<f64> {
        seen.then_some(*sum)
    }
}

pub(crate) const COUNTER_INCREASE: Entry = Entry {
    names: &["counter_increase"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Increase of a counter so far; a fall means that it started over.",
    formula: "y[i] = y[i-1] + (x[i] - x[i-1] if x[i] >= x[i-1] else x[i], or x[i] + wrap - x[i-1] if it wraps); y[0] = 0",
    notes: "0 at the first value. A null row returns the last result, and null before the first value; the next value is compared \
            with the last one. A NaN stays. One rounding per operation; integers above 2^53 are rounded.",
    source: "Flux `increase`. Prometheus' `increase` treats a fall alike, but is over a window and extrapolates to its ends.",
    parameters: &[COLUMN, WRAP],
    example: &[("column", Literal::Text("z"))],
    plan: |arguments| {
        let wrap = wrap_of(arguments)?;
        Ok(Plan::recurrence(Inputs::of(arguments, &["column"])?, Increase { wrap }))
    },
    #[cfg(test)]
    reference: reference::counter_increase,
};

/// The sum over all pairs of values so far.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, number};

    pub fn counter_increase(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, wrap) = (column(spec, table), number(spec, "wrap"));
        let at = |i: usize| {
            let so_far: Vec<f64> = values[..=i].iter().flatten().copied().collect();
            let steps = so_far.windows(2).map(|pair| match (pair[1] < pair[0], wrap) {
                (false, _) => pair[1] - pair[0],
                (true, None) => pair[1],
                (true, Some(wrap)) => pair[1] + wrap - pair[0],
            });
            (!so_far.is_empty()).then(|| steps.fold(0.0, |sum, step| sum + step))
        };
        (0..values.len()).map(|i| exact(at(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("counter_increase").with("column", "x");
        let x: &[f64] = &[10.0, 12.0, 15.0, 3.0, 5.0, NULL, 9.0];
        check(spec.clone(), &[("x", x)], "", &[0.0, 2.0, 5.0, 8.0, 10.0, 10.0, 14.0]);
        check(spec.clone().with("wrap", 16), &[("x", x)], "", &[0.0, 2.0, 5.0, 9.0, 11.0, 11.0, 15.0]);
        check(spec, &[("x", &[NULL, 7.0, f64::NAN, 8.0])], "", &[NULL, 0.0, f64::NAN, f64::NAN]);
    }

    #[test]
    fn what_is_refused() {
        for wrap in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(
                KernelSpec::new("counter_increase").with("column", "x").with("wrap", wrap),
                "must be positive and finite",
            );
        }
    }
}
