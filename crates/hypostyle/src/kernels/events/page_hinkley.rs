//! The test of Page and Hinkley: whether the mean of the values has changed.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::kernels::fields::of_fields;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::field;

/// See the module.
#[derive(Debug, Clone)]
struct PageHinkley {
    min_samples: i64,
    delta: f64,
    threshold: f64,
    alpha: f64,
    up: bool,
    down: bool,
}

/// The mean, the sums for a rise and a fall, the smallest of the first and the largest of the second; the number of values.
type State = ([f64; 5], i64);

const START: State = ([0.0, 0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY], 0);

impl PageHinkley {
    /// The larger of the tests.
    #[inline]
    fn statistic(&self, ([_, rise, fall, least, most], _): &State) -> f64 {
        match (rise - least, most - fall) {
            (up, down) if self.up && !(self.down && down > up) => up,
            (_, down) => down,
        }
    }

    #[inline]
    fn hit(&self, state: &State) -> bool {
        state.1 >= self.min_samples && self.statistic(state) > self.threshold
    }

    #[inline]
    fn answer(&self, state: &State) -> Option<[f64; 2]> {
        (state.1 > 0).then(|| [field(self.statistic(state)), f64::from(self.hit(state))])
    }
}

impl Recurrence for PageHinkley {
    type Input = f64;
    type Output = [f64; 2];
    type State = State;

    fn start(&self) -> State {
        START
    }

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "a count of fewer than 2^53 values")]
    fn step(&self, state: &mut State, x: f64) -> Option<[f64; 2]> {
        if state.1 > 0 && self.hit(state) {
            *state = START;
        }
        let ([mean, rise, fall, least, most], count) = state;
        *count += 1;
        *mean += (x - *mean) / *count as f64;
        let deviation = x - *mean;
        *rise = self.alpha * *rise + deviation - self.delta;
        *fall = self.alpha * *fall + deviation + self.delta;
        if *rise < *least {
            *least = *rise;
        }
        if *fall > *most {
            *most = *fall;
        }
        self.answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut State) -> Option<[f64; 2]> {
        self.answer(state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let number = |parameter: &str| arguments.number(parameter);
    let (delta, threshold, alpha) = (number("delta")?, number("threshold")?, number("alpha")?);
    for (parameter, x) in [("delta", delta), ("threshold", threshold)] {
        if !(x >= 0.0 && x.is_finite()) {
            return Err(arguments.refuse(parameter, format!("must be at least 0 and finite, got {x}")));
        }
    }
    if !(alpha > 0.0 && alpha <= 1.0) {
        return Err(arguments.refuse("alpha", format!("must be above 0 and at most 1, got {alpha}")));
    }
    let min_samples = i64::try_from(arguments.count("min_samples")?).unwrap_or(i64::MAX);
    let (up, down) =
        arguments.choice("mode", &[("both", (true, true)), ("up", (true, false)), ("down", (false, true))])?;
    let test = PageHinkley { min_samples, delta, threshold, alpha, up, down };
    let inputs = Inputs::of(arguments, &["column"])?;
    Ok(Plan::new(move |binding| {
        let fields = of_fields([("statistic", inputs.computed_type(binding)?), ("hit", DataType::Boolean)]);
        Plan::recurrence(inputs.clone().returning(fields), test.clone()).bind(binding)
    }))
}

pub(crate) const PAGE_HINKLEY: Entry = Entry {
    names: &["page_hinkley"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Page-Hinkley test: whether the mean of the values has changed.",
    formula: "d = x[i] - mean of all x so far; u[i] = alpha * u[i-1] + d - delta; v[i] = alpha * v[i-1] + d + delta; statistic[i] = \
              max(u[i] - min of u, max of v - v[i]); hit[i] = statistic[i] > threshold; after a hit all start over",
    notes: "A struct of `statistic` and the boolean `hit`. The mean includes the row. Hits need `min_samples` values since the last \
            one; the statistic is returned from the first. The row after a hit is the first of a new mean and new sums. With \
            mode='up' only the first term of the maximum is tested, with mode='down' only the second. A null row returns the last \
            result and does not count; rows before the first value are null. A NaN stays, and there is no hit from there.",
    source: "river 0.26 `drift.PageHinkley`, whose `min_instances` is `min_samples`; Page (1954).",
    parameters: &[
        COLUMN,
        Parameter::optional(
            "min_samples",
            Kind::Count,
            Literal::Count(30),
            "The minimum number of values since the last hit, for a hit.",
        ),
        Parameter::optional(
            "delta",
            Kind::Number,
            Literal::Number(0.005),
            "The deviation that is tolerated in every row, at least 0.",
        ),
        Parameter::optional(
            "threshold",
            Kind::Number,
            Literal::Number(50.0),
            "The statistic must be above it for a hit; at least 0.",
        ),
        Parameter::optional(
            "alpha",
            Kind::Number,
            Literal::Number(0.9999),
            "The factor of the sums so far in every row, in (0, 1].",
        ),
        Parameter::optional(
            "mode",
            Kind::Choice(&["both", "up", "down"]),
            Literal::Text("both"),
            "Which changes of the mean to detect: 'up', 'down' or 'both'.",
        ),
    ],
    example: &[("column", Literal::Text("z")), ("min_samples", Literal::Count(2)), ("threshold", Literal::Count(1))],
    plan,
    #[cfg(test)]
    reference: reference::page_hinkley,
};

/// All values since the last hit, for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, choice, column, exact, number};

    /// The statistic after these values.
    fn statistic(values: &[f64], delta: f64, alpha: f64, mode: &str) -> f64 {
        let (mut mean, mut rises, mut falls) = (0.0, Vec::new(), Vec::new());
        let (mut rise, mut fall) = (0.0, 0.0);
        for (i, x) in values.iter().enumerate() {
            mean += (x - mean) / (i + 1) as f64;
            rise = alpha * rise + (x - mean) - delta;
            fall = alpha * fall + (x - mean) + delta;
            rises.push(rise);
            falls.push(fall);
        }
        let up = rise - rises.iter().copied().fold(f64::INFINITY, f64::min);
        let down = falls.iter().copied().fold(f64::NEG_INFINITY, f64::max) - fall;
        match mode {
            "up" => up,
            "down" => down,
            _ if up.is_nan() || down.is_nan() => f64::NAN,
            _ => up.max(down),
        }
    }

    pub fn page_hinkley(spec: &KernelSpec, table: &Table, name: Option<&str>) -> Vec<Slow> {
        let given = |parameter: &str, usual: f64| number(spec, parameter).unwrap_or(usual);
        let (delta, threshold, alpha) = (given("delta", 0.005), given("threshold", 50.0), given("alpha", 0.9999));
        let (least, mode) = (given("min_samples", 30.0) as usize, choice(spec, "mode", "both"));
        let (mut values, mut last, mut over) = (Vec::new(), None, false);
        let row = |x: Option<f64>| {
            if let Some(x) = x {
                if over {
                    values.clear();
                }
                values.push(x);
                let statistic = statistic(&values, delta, alpha, &mode);
                over = values.len() >= least && statistic > threshold;
                last = Some(if name == Some("statistic") { statistic } else { f64::from(over) });
            }
            exact(last)
        };
        column(spec, table).into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec() -> KernelSpec {
        KernelSpec::new("page_hinkley").with("column", "x")
    }

    #[test]
    fn worked_values() {
        let small = spec().with("min_samples", 3).with("delta", 0.1).with("threshold", 1).with("alpha", 1);
        let x: &[f64] = &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let statistic = [0.0, 0.0, 0.0, 0.0, 0.7000000000000001, 1.2666666666666666, 0.0, 0.0];
        check(small.clone(), &[("x", x)], "statistic", &statistic);
        check(small.clone(), &[("x", x)], "hit", &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        check(small, &[("x", &[NULL, 0.0, NULL, f64::NAN, 0.0])], "statistic", &[NULL, 0.0, 0.0, f64::NAN, f64::NAN]);
    }

    #[test]
    fn zeros_then_ones_hit_where_river_hits() {
        let x: Vec<f64> = (0..1000).map(|i| f64::from(i >= 500)).collect();
        for (mode, first) in [("both", Some(553)), ("up", Some(553)), ("down", None)] {
            let hits = crate::evaluate(
                &crate::kernels::fields::worked::frame(&[("x", &x)]),
                &[spec().with("mode", mode)],
                Some(1),
            )
            .unwrap();
            let hits = crate::reference::fields(hits.column(0));
            let hit = crate::reference::numbers(&hits[1].1).iter().position(|hit| *hit == Some(1.0));
            assert_eq!(hit, first, "{mode}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (parameter, x) in [("delta", -1.0), ("threshold", f64::INFINITY), ("delta", f64::NAN)] {
            refused(spec().with(parameter, x), "must be at least 0 and finite, got");
        }
        for alpha in [0.0, 1.5, f64::NAN] {
            refused(spec().with("alpha", alpha), "must be above 0 and at most 1, got");
        }
        refused(spec().with("mode", "left"), "unknown value \"left\"");
    }
}
