//! The exponentially weighted sum.

use super::pace::{ALPHA, BY, ByFactor, COM, Given, HALF_LIFE, IGNORE_NULLS, Pace, SPAN};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::{COLUMN, FROM_ONE};
use crate::run::{Binding, Entry, Inputs, Plan, Running, Shape};
use crate::spec::{Arguments, Family, Literal};

/// See the module.
#[derive(Debug, Clone)]
struct Sum<P> {
    pace: P,
    min_samples: i64,
}

impl<P: Pace> Sum<P> {
    fn bound(inputs: &Inputs, binding: &Binding, pace: P, min_samples: i64) -> Result<Box<dyn Running>> {
        Plan::recurrence_exactly(inputs, binding, 0, Self { pace, min_samples })
    }
}

impl<P: Pace> Recurrence for Sum<P> {
    type Input = (f64, P::Mark);
    type Output = f64;
    /// The sum, and the number of values; the pace.
    type State = ((f64, i64), P::State);

    fn start(&self) -> Self::State {
        ((0.0, 0), self.pace.start())
    }

    #[inline]
    fn step(&self, ((sum, count), pace): &mut Self::State, (x, mark): Self::Input) -> Option<f64> {
        let (fade, _) = self.pace.step(pace, mark, *count == 0);
        *sum = *sum * fade + x;
        *count += 1;
        (*count >= self.min_samples).then_some(*sum)
    }

    #[inline]
    fn skip(&self, ((sum, count), pace): &mut Self::State) -> Option<f64> {
        if *count > 0 {
            self.pace.skip(pace);
        }
        (*count > 0 && *count >= self.min_samples).then(|| *sum * self.pace.aged(pace))
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let given = Given::of(arguments)?;
    let inputs = given.inputs(Inputs::of(arguments, &["column"])?);
    let min_samples = i64::try_from(arguments.count("min_samples")?).unwrap_or(i64::MAX);
    Ok(Plan::new(move |binding| match &given {
        Given::Row(pace) => Sum::bound(&inputs, binding, pace.clone(), min_samples),
        Given::Factor(_) => Sum::bound(&inputs, binding, ByFactor, min_samples),
        Given::Time { half_life, by } => {
            Sum::bound(&inputs, binding, Given::by_time(*half_life, by, binding)?, min_samples)
        }
    }))
}

pub(crate) const EWM_SUM: Entry = Entry {
    names: &["ewm_sum"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Exponentially weighted sum of all values so far.",
    formula: "y[i] = sum of (1 - alpha)^(i - j) * x[j], j <= i",
    notes: "Exactly one of `com`, `span`, `half_life` and `alpha` is required, as in `ewm_mean`. A null row returns the sum so far, \
            which it ages as any row does, unless `ignore_nulls=True`; by time only rows with a value age it. Rows before the first \
            value are null. A NaN or an infinity stays in every later sum of its key. Relative error a few eps / alpha for values \
            of one sign.",
    source: "pandas `Series.ewm(...).sum()`; pandas has none by time.",
    parameters: &[COLUMN, COM, SPAN, HALF_LIFE, ALPHA, BY, IGNORE_NULLS, FROM_ONE],
    example: &[("column", Literal::Text("x")), ("alpha", Literal::Number(0.5))],
    plan,
    #[cfg(test)]
    reference: super::reference::ewm_sum,
};
