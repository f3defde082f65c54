//! A token bucket: whether each row is within a rate limit.

use arrow::datatypes::DataType;

use super::time::{UNIT, elapsed, steps_of, unit_of};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, NumberOrColumn, Parameter};

/// See the module.
#[derive(Debug, Clone)]
struct TokenBucket {
    rate: f64,
    capacity: f64,
    /// Steps of the time column in a unit.
    steps: f64,
}

impl Recurrence for TokenBucket {
    /// The cost, and the time.
    type Input = (f64, i64);
    type Output = i64;
    /// The tokens that were left, the time, and the result of the last row.
    type State = ((f64, i64), Option<i64>);

    fn start(&self) -> Self::State {
        ((self.capacity, 0), None)
    }

    #[inline]
    fn step(&self, ((tokens, last), allowed): &mut Self::State, (cost, time): (f64, i64)) -> Option<i64> {
        if allowed.is_some() {
            *tokens += self.rate * elapsed(*last, time) / self.steps;
        }
        if *tokens > self.capacity {
            *tokens = self.capacity;
        }
        let enough = *tokens >= cost;
        if enough {
            *tokens -= cost;
        }
        (*last, *allowed) = (time, Some(i64::from(enough)));
        *allowed
    }

    #[inline]
    fn skip(&self, (_, allowed): &mut Self::State) -> Option<i64> {
        *allowed
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (time, unit) = (arguments.column("time")?, unit_of(arguments)?);
    let (rate, capacity) = (arguments.number("rate")?, arguments.number("capacity")?);
    for (parameter, x) in [("rate", rate), ("capacity", capacity)] {
        if !(x > 0.0 && x.is_finite()) {
            return Err(arguments.refuse(parameter, format!("must be positive and finite, got {x}")));
        }
    }
    if let NumberOrColumn::Number(cost) = arguments.number_or_column("cost")?
        && !(cost >= 0.0 && cost <= capacity)
    {
        return Err(arguments.refuse("cost", format!("must be from 0 to capacity={capacity}, got {cost}")));
    }
    let inputs = Inputs::of(arguments, &["cost"])?.with_column(&time).sorted_by(&time).returning(DataType::Boolean);
    Ok(Plan::recurrence_of(inputs, move |binding| {
        Ok(TokenBucket { rate, capacity, steps: steps_of(unit, binding, &time)? })
    }))
}

pub(crate) const TOKEN_BUCKET: Entry = Entry {
    names: &["token_bucket"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Token bucket: whether each row is within a rate limit.",
    formula: "n[i] = min(capacity, n[i-1] + rate * (time[i] - time[i-1]) / unit); y[i] = n[i] >= cost[i]; if y[i], n[i] = n[i] - \
              cost[i]; n starts at capacity",
    notes: "A boolean, to filter by. Tokens come continuously, `rate` per second by default; a row that is refused takes none. A \
            row with a null cost returns the last result, and null before the first; it takes no tokens. A NaN cost is refused; a \
            negative one gives tokens back. Three roundings per row, so that a limit that is met exactly may be missed by one \
            rounding unless the numbers are integers. The time column must be sorted within each key and have no nulls.",
    source: "The token bucket of network traffic policing (RFC 2697).",
    parameters: &[
        Parameter::required("time", Kind::Time("unit"), "The time column."),
        Parameter::required("rate", Kind::Number, "The tokens that come per unit of time, above 0."),
        Parameter::required("capacity", Kind::Number, "The most tokens that are kept, above 0: the size of a burst."),
        Parameter::optional(
            "cost",
            Kind::NumberOrColumn,
            Literal::Number(1.0),
            "The tokens that a row takes: a number or a column.",
        ),
        UNIT,
    ],
    example: &[
        ("time", Literal::Text("t")),
        ("rate", Literal::Count(1)),
        ("capacity", Literal::Count(2)),
        ("unit", Literal::Text("1h")),
    ],
    plan,
    #[cfg(test)]
    reference: reference::token_bucket,
};

/// The formula, row by row.
#[cfg(test)]
mod reference {
    use super::super::time::reference::steps;
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, number, operand, text};

    pub fn token_bucket(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let times = table.times(&text(spec, "time"));
        let costs = match spec.parameters.get("cost") {
            Some(_) => operand(spec, table, "cost"),
            None => vec![Some(1.0); times.len()],
        };
        let (rate, capacity) = (number(spec, "rate").unwrap(), number(spec, "capacity").unwrap());
        let (mut tokens, mut last, mut allowed) = (capacity, None, None);
        let row = |(cost, time): (Option<f64>, i64)| {
            if let Some(cost) = cost {
                let passed = last.map_or(0, |last| time - last) as f64;
                tokens = f64::min(capacity, tokens + rate * passed / steps(spec, "time"));
                allowed = Some(f64::from(tokens >= cost));
                tokens -= if tokens >= cost { cost } else { 0.0 };
                last = Some(time);
            }
            exact(allowed)
        };
        costs.into_iter().zip(times).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec() -> KernelSpec {
        KernelSpec::new("token_bucket").with("time", "t").with("rate", 1).with("capacity", 2)
    }

    #[test]
    fn worked_values() {
        let times: &[f64] = &[0.0, 0.0, 0.5, 1.0, 1.0, 9.0, 9.0, 9.0];
        check(spec(), &[("t", times)], "", &[1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
        check(spec().with("unit", "500ms"), &[("t", times)], "", &[1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
        check(spec().with("time", "n"), &[("n", &[0.0, 0.0, 0.0, 1.0])], "", &[1.0, 1.0, 0.0, 1.0]);
        let costs: [(&str, &[f64]); 2] = [("t", &times[..5]), ("c", &[NULL, 2.0, NULL, f64::NAN, 1.0])];
        check(spec().with("cost", "c"), &costs, "", &[NULL, 1.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn what_is_refused() {
        for (parameter, x) in [("rate", 0.0), ("capacity", -1.0), ("rate", f64::NAN), ("capacity", f64::INFINITY)] {
            refused(spec().with(parameter, x), "must be positive and finite, got");
        }
        for cost in [-1.0, 2.5, f64::NAN] {
            refused(spec().with("cost", cost), "must be from 0 to capacity=2, got");
        }
    }
}
