//! MACD: the difference of a fast and a slow exponential mean, and the exponential mean of that difference.

use super::seeded::{SeededMean, count_from};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{NO_FIELD, field};

/// Both means begin in the row in which the slow one can.
#[derive(Debug, Clone)]
pub struct Macd {
    fast: SeededMean,
    slow: SeededMean,
    signal: SeededMean,
}

impl Recurrence for Macd {
    type Input = f64;
    type Output = [f64; 3];
    /// How many values there were, and the fast mean, the slow mean and the signal.
    type State = (i64, [f64; 3]);

    fn start(&self) -> Self::State {
        (0, [0.0; 3])
    }

    #[inline(always)]
    fn step(&self, state: &mut Self::State, x: f64) -> Option<[f64; 3]> {
        let (seen, [fast, slow, signal]) = state;
        *seen += 1;
        self.slow.step(slow, *seen, x);
        let late = *seen - (self.slow.window - self.fast.window);
        if late > 0 {
            self.fast.step(fast, late, x);
        }
        if *seen >= self.slow.window {
            self.signal.step(signal, *seen - self.slow.window + 1, *fast - *slow);
        }
        self.skip(state)
    }

    #[inline]
    fn skip(&self, (seen, [fast, slow, signal]): &mut Self::State) -> Option<[f64; 3]> {
        let macds = *seen - self.slow.window + 1;
        if macds < 1 {
            return None;
        }
        let macd = *fast - *slow;
        Some(if macds < self.signal.window {
            [field(macd), NO_FIELD, NO_FIELD]
        } else {
            [field(macd), field(*signal), field(macd - *signal)]
        })
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let [fast, slow, signal] = ["fast", "slow", "signal"].map(|parameter| count_from(arguments, parameter, 1));
    let (fast, slow, signal) = (fast?, slow?, signal?);
    if fast >= slow {
        return Err(arguments.refuse("fast", format!("must be below slow={slow}, got {fast}")));
    }
    let macd = Macd { fast: SeededMean::ema(fast), slow: SeededMean::ema(slow), signal: SeededMean::ema(signal) };
    let inputs = Inputs::of(arguments, &["column"])?;
    Ok(Plan::recurrence_of_fields(inputs, &["macd", "signal", "histogram"], macd))
}

pub(crate) const MACD: Entry = Entry {
    names: &["macd"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Moving average convergence/divergence: fast minus slow mean, its own mean, and the difference of the two.",
    formula: "macd = ema(x, fast) - ema(x, slow), signal = ema(macd, signal), histogram = macd - signal",
    notes: "A struct of `macd`, `signal` and `histogram`. Both means begin at value number `slow`, each with the mean of its last \
            values there; the signal begins `signal` - 1 values later with the mean of the first ones of `macd`. A field is null \
            until then; TA-Lib returns `macd` only from the first signal on. A null row is not counted and returns the last \
            result. A NaN stays in every later result of its key. The error is relative to the largest value, not to the \
            difference: about `slow` eps of it.",
    source: "TA-Lib `MACD`.",
    parameters: &[
        COLUMN,
        Parameter::usual("fast", Kind::Rows, Literal::Count(12), "The window of the fast mean, below `slow`."),
        Parameter::usual("slow", Kind::Rows, Literal::Count(26), "The window of the slow mean."),
        Parameter::usual("signal", Kind::Rows, Literal::Count(9), "The window of the signal."),
    ],
    example: &[
        ("column", Literal::Text("z")),
        ("fast", Literal::Count(1)),
        ("slow", Literal::Count(2)),
        ("signal", Literal::Count(2)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::macd,
};

/// Each mean as a column of its own; the fast one without the values that come too early for it.
#[cfg(test)]
mod reference {
    use super::super::plain::{held, scale, seeded};
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact, number};

    pub fn macd(spec: &KernelSpec, table: &Table, field: Option<&str>) -> Vec<Slow> {
        let values = column(spec, table);
        let window = |name: &str, default: f64| number(spec, name).unwrap_or(default);
        let (fast, slow, signal) = (window("fast", 12.0), window("slow", 26.0), window("signal", 9.0));
        let mut early = slow - fast;
        let late = values.iter().map(|x| {
            let x = (*x)?;
            early -= 1.0;
            (early < 0.0).then_some(x)
        });
        let late: Vec<Option<f64>> = late.collect();
        let mean = |values: &[Option<f64>], n: f64| seeded(values, n, 2.0 / (n + 1.0));
        let (fast, slow_mean) = (mean(&late, fast), mean(&values, slow));
        let macd: Vec<Option<f64>> =
            fast.iter().zip(&slow_mean).map(|(fast, slow)| Some((*fast)? - (*slow)?)).collect();
        let line = mean(&macd, signal);
        held(&values, |i| {
            let answer = match field {
                Some("macd") => macd[i],
                Some("signal") => line[i],
                _ => line[i].map(|line| macd[i].unwrap() - line),
            };
            let error = 64.0 * (slow + signal + 2.0) * EPS * scale(&values[..=i]);
            answer.map_or(exact(None), |answer| bounded(answer, error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, field_of_z, huge_windows_are_cheap};
    use crate::KernelSpec;

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("macd").with("column", "z").with("fast", 3).with("slow", 5).with("signal", 2);
        assert_close(&field_of_z(&spec, "macd"), 4, &[2.0 / 3.0, 1.0]);
        assert_close(&field_of_z(&spec, "signal"), 5, &[0.833_333_333_333_333_3]);
        assert_close(&field_of_z(&spec, "histogram"), 5, &[1.0 - 0.833_333_333_333_333_3]);
        assert_refused(&spec.clone().with("fast", 5), "parameter 'fast': must be below slow=5, got 5");
        assert_refused(&spec.clone().with("signal", 0), "parameter 'signal': must be at least 1, got 0");
        assert_refused(&spec.clone().with("slow", 0), "parameter 'slow': must be at least 1, got 0");
        huge_windows_are_cheap(&spec, "slow");
    }
}
