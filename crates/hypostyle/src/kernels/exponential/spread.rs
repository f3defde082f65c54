//! Exponentially weighted variance, standard deviation and standard score.

use std::fmt::Display;
use std::marker::PhantomData;

use super::number::{Center, Numbers};
use super::pace::{ADJUST, ALPHA, BIAS, BY, COM, HALF_LIFE, IGNORE_NULLS, SPAN};
use super::weighted::{Shares, Summary, plan};
use crate::run::parameters::{COLUMN, FROM_ONE};
use crate::run::{Entry, Plan, Shape};
use crate::spec::{Arguments, Family, Literal, Parameter};
use crate::values::{Exact, Persist, StateReader, StateWriter};

/// What is made of the variance.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Variance,
    Deviation,
    Score,
}

/// See the module.
#[derive(Debug, Clone)]
struct Spread<V, const SCORE: bool> {
    kind: Kind,
    values: PhantomData<V>,
}

/// The mean and the variance so far, and how far the last value is from the mean.
#[derive(Debug, Clone, Default)]
struct SoFar<N> {
    center: Center<N>,
    distance: f64,
}

impl<V: Numbers<1>, const SCORE: bool> Summary for Spread<V, SCORE> {
    type Values = V;
    type State = SoFar<V::Number>;

    const STAYS: bool = !SCORE;

    #[inline(always)]
    fn add(&self, state: &mut Self::State, values: V, Shares { new, old }: Shares, is_first: bool) {
        let [x] = values.numbers();
        state.distance = old * state.center.add(x, new, old, is_first);
    }

    #[inline(always)]
    fn result(&self, state: &Self::State, correction: f64) -> Option<f64> {
        let variance = state.center.variance() / correction;
        match self.kind {
            // One value has no spread, unless it is not corrected.
            _ if correction == 0.0 => None,
            Kind::Variance => Some(variance),
            Kind::Deviation => Some(variance.sqrt()),
            Kind::Score => (variance != 0.0).then(|| state.distance / variance.sqrt()),
        }
    }
}

impl<N: Default> Persist for SoFar<N>
where
    Center<N>: Persist,
{
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        self.center.write(name, to);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> crate::error::Result<Self> {
        // The distance is that of the row whose result it is.
        Ok(Self { center: Center::read(name, from)?, distance: 0.0 })
    }
}

fn plan_of<const SCORE: bool>(arguments: &Arguments, kind: Kind) -> crate::error::Result<Plan> {
    let floats = Spread::<f64, SCORE> { kind, values: PhantomData };
    let integers = Spread::<[Exact; 1], SCORE> { kind, values: PhantomData };
    plan(arguments, &["column"], floats, Some(integers))
}

const PARAMETERS: &[Parameter] = &[COLUMN, COM, SPAN, HALF_LIFE, ALPHA, BY, ADJUST, IGNORE_NULLS, BIAS, FROM_ONE];
const EXAMPLE: &[(&str, Literal)] = &[("column", Literal::Text("x")), ("alpha", Literal::Number(0.5))];
const SOURCE: &str = "pandas `Series.ewm(...).var()` and `.std()` as documented; the update of West (1979). pandas has neither by \
    time.";

pub(crate) const EWM_VAR: Entry = Entry {
    names: &["ewm_var"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Exponentially weighted variance of all values so far.",
    formula: "y[i] = sum of w[j] * (x[j] - mean)^2 / sum of w[j], divided by 1 - (sum of w^2) / (sum of w)^2 unless bias=True; \
              the weights w[j] and the mean are those of `ewm_mean`",
    notes: "A null row returns the variance so far; nulls and times age the weights as in `ewm_mean`. Null for one value, and where \
            the last value has all the weight, 0 with `bias=True`. A NaN or an infinity stays in every later result of its key. \
            Computed from distances to a value near the mean, so a huge mean costs nothing. The squares of the distances must \
            be in the range of a float.",
    source: SOURCE,
    parameters: PARAMETERS,
    example: EXAMPLE,
    plan: |arguments| plan_of::<false>(arguments, Kind::Variance),
    #[cfg(test)]
    reference: super::reference::ewm_var,
};

pub(crate) const EWM_STD: Entry = Entry {
    names: &["ewm_std"],
    summary: "Exponentially weighted standard deviation of all values so far.",
    formula: "y[i] = sqrt(ewm_var)",
    plan: |arguments| plan_of::<false>(arguments, Kind::Deviation),
    #[cfg(test)]
    reference: super::reference::ewm_std,
    ..EWM_VAR
};

pub(crate) const EWM_ZSCORE: Entry = Entry {
    names: &["ewm_zscore"],
    summary: "Standard score of the row's value among all values so far, exponentially weighted.",
    formula: "y[i] = (x[i] - ewm_mean) / ewm_std, both with the row",
    notes: "A row with a null gives null; nulls and times age the weights as in `ewm_mean`. Null for one value and where all values \
            so far are equal. A NaN or an infinity stays in every later result of its key. Computed from distances to a value near \
            the mean, so a huge mean costs nothing. The squares of the distances must be in the range of a float.",
    source: "(x - x.ewm(...).mean()) / x.ewm(...).std() of pandas; the update of West (1979).",
    plan: |arguments| plan_of::<true>(arguments, Kind::Score),
    #[cfg(test)]
    reference: super::reference::ewm_zscore,
    ..EWM_VAR
};
