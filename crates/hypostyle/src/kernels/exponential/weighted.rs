//! Exponentially weighted statistics as one recurrence: the weights here, what is summarized in a [`Summary`].
//!
//! With W the sum of the weights so far, f the factor by which a row ages them and w the weight of its value, the row's share of
//! the new sum is r = w / (f W + w), and that of all before it q = f W / (f W + w).  Each summary is a mean by such shares, so that
//! nothing grows with the number of rows, and neither q nor r is a difference: q is accurate where r is close to 1.
//!
//! The correction of variances is kept as u = 1 - (sum of w^2) / (sum of w)^2, which follows u' = q (2 r + q u), all terms of which
//! are positive.

use std::fmt::Display;

use super::pace::{ByFactor, Given, Pace};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::{Binding, Inputs, Plan, Running};
use crate::spec::Arguments;
use crate::values::{Input, Persist, StateReader, StateWriter};

/// The shares of a row's value and of all values before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    /// Of the value.
    pub(super) new: f64,
    /// Of those before.
    pub(super) old: f64,
}

/// What is summarized of the values.
pub(super) trait Summary: Clone + Send + Sync + 'static {
    /// The values of a row.
    type Values: Input;
    /// The summary.
    type State: Clone + Send + Sync + Persist + Default;

    /// Whether a row without values has the result so far.
    const STAYS: bool = true;

    /// Adds a row.
    fn add(&self, state: &mut Self::State, values: Self::Values, shares: Shares, is_first: bool);

    /// The result; `correction` is 1 without one.
    fn result(&self, state: &Self::State, correction: f64) -> Option<f64>;
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Weighted<S, P> {
    summary: S,
    pace: P,
    adjust: bool,
    bias: bool,
    min_samples: i64,
}

/// What is remembered of all rows so far.
#[derive(Debug, Clone)]
pub(super) struct SoFar<S, P> {
    /// The sum of the weights; 1 if they are not adjusted.
    total: f64,
    correction: f64,
    count: i64,
    summary: S,
    pace: P,
    settled: Settled,
}

/// The shares of the last row, once another row of the same weight that ages those before by the same factor has the same ones and changes neither the
/// sum of the weights nor the correction: after some 40 / alpha rows in regular steps.
#[derive(Debug, Clone, Copy)]
struct Settled {
    shares: Shares,
    /// The factor; NaN if it is not so far.
    fade: f64,
    weight: f64,
}

impl Settled {
    const NOT_YET: Self = Self { shares: Shares { new: 0.0, old: 0.0 }, fade: f64::NAN, weight: 0.0 };
}

impl<S: Summary, P: Pace> Weighted<S, P> {
    /// The shares of a row, which ages the weights so far.
    #[inline(always)]
    fn age(&self, state: &mut SoFar<S::State, P::State>, fade: f64, weight: f64) -> Shares {
        if fade == state.settled.fade && weight == state.settled.weight {
            return state.settled.shares;
        }
        let before = state.total * fade;
        let total = before + weight;
        let part = 1.0 / total;
        let shares = Shares { new: weight * part, old: before * part };
        let total = if self.adjust { total } else { 1.0 };
        let correction = shares.old * (2.0 * shares.new + shares.old * state.correction);
        let same = total == state.total && correction == state.correction;
        (state.total, state.correction) = (total, correction);
        state.settled = Settled { shares, fade: if same { fade } else { f64::NAN }, weight };
        shares
    }

    /// The shares and the correction of all next rows if none is without a value, once they are the same for all of them.
    #[inline(always)]
    fn settled(&self, state: &SoFar<S::State, P::State>) -> Option<(Shares, f64)> {
        let (fade, alpha) = self.pace.steady(&state.pace)?;
        let weight = if self.adjust { 1.0 } else { alpha };
        let is_settled = fade == state.settled.fade && weight == state.settled.weight;
        let answers = state.count > 0 && state.count >= self.min_samples;
        (is_settled && answers).then_some((state.settled.shares, if self.bias { 1.0 } else { state.correction }))
    }

    #[inline(always)]
    fn result(&self, state: &SoFar<S::State, P::State>) -> Option<f64> {
        if state.count == 0 || state.count < self.min_samples {
            return None;
        }
        self.summary.result(&state.summary, if self.bias { 1.0 } else { state.correction })
    }
}

impl<S: Summary, P: Pace> Recurrence for Weighted<S, P> {
    type Input = (S::Values, P::Mark);
    type Output = f64;
    type State = SoFar<S::State, P::State>;

    fn start(&self) -> Self::State {
        let (summary, pace) = (S::State::default(), self.pace.start());
        SoFar { total: 0.0, correction: 0.0, count: 0, summary, pace, settled: Settled::NOT_YET }
    }

    #[inline(always)]
    fn step(&self, state: &mut Self::State, (values, mark): Self::Input) -> Option<f64> {
        let is_first = state.count == 0;
        let (fade, alpha) = self.pace.step(&mut state.pace, mark, is_first);
        let weight = if self.adjust || is_first { 1.0 } else { alpha };
        let shares = self.age(state, fade, weight);
        self.summary.add(&mut state.summary, values, shares, is_first);
        state.count += 1;
        self.result(state)
    }

    #[inline(always)]
    fn steps(
        &self,
        state: &mut Self::State,
        mut rows: impl Iterator<Item = Self::Input>,
        mut answer: impl FnMut(Option<f64>),
    ) {
        let (shares, correction) = loop {
            if let Some(settled) = self.settled(state) {
                break settled;
            }
            let Some(row) = rows.next() else { return };
            answer(self.step(state, row));
        };
        // In places of their own, where the compiler can keep them in registers.
        let (mut summary, mut count) = (state.summary.clone(), state.count);
        for (values, _) in rows {
            self.summary.add(&mut summary, values, shares, false);
            count += 1;
            answer(self.summary.result(&summary, correction));
        }
        (state.summary, state.count) = (summary, count);
    }

    #[inline]
    fn skip(&self, state: &mut Self::State) -> Option<f64> {
        if state.count > 0 {
            self.pace.skip(&mut state.pace);
        }
        if S::STAYS { self.result(state) } else { None }
    }
}

impl<S: Persist, P: Persist> Persist for SoFar<S, P> {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.float(format_args!("{name}.total"), self.total);
        to.float(format_args!("{name}.correction"), self.correction);
        to.integer(format_args!("{name}.count"), self.count);
        self.summary.write(name, to);
        self.pace.write(&format_args!("{name}.pace"), to);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok(Self {
            total: from.float(format_args!("{name}.total"))?,
            correction: from.float(format_args!("{name}.correction"))?,
            count: from.integer(format_args!("{name}.count"))?,
            summary: S::read(name, from)?,
            pace: P::read(&format_args!("{name}.pace"), from)?,
            // It follows from the rest.
            settled: Settled::NOT_YET,
        })
    }
}

/// A plan of a summary of these columns: `floats`, or `integers`, if given, where one of them has integers of 64 bits.
pub(super) fn plan<F: Summary, I: Summary>(
    arguments: &Arguments,
    columns: &[&str],
    floats: F,
    integers: Option<I>,
) -> Result<Plan> {
    let given = Given::of(arguments)?;
    let values = Inputs::of(arguments, columns)?;
    let inputs = given.inputs(values.clone());
    let adjust = arguments.flag("adjust")?;
    let bias = !arguments.accepts("bias") || arguments.flag("bias")?;
    let min_samples = i64::try_from(arguments.count("min_samples")?).unwrap_or(i64::MAX);
    Ok(Plan::new(move |binding| {
        let frame = |exact| Frame { inputs: &inputs, binding, exact, adjust, bias, min_samples };
        match &integers {
            Some(integers) if values.has_long_integer(binding)? => frame(true).kernel(&given, integers.clone()),
            _ => frame(false).kernel(&given, floats.clone()),
        }
    }))
}

/// What a kernel is bound to.
struct Frame<'a> {
    inputs: &'a Inputs,
    binding: &'a Binding<'a>,
    /// Whether the values are read exactly.
    exact: bool,
    adjust: bool,
    bias: bool,
    min_samples: i64,
}

impl Frame<'_> {
    fn kernel<S: Summary>(&self, given: &Given, summary: S) -> Result<Box<dyn Running>> {
        match given {
            Given::Row(pace) => self.with_pace(summary, pace.clone()),
            Given::Factor(_) => self.with_pace(summary, ByFactor),
            Given::Time { half_life, by } => self.with_pace(summary, Given::by_time(*half_life, by, self.binding)?),
        }
    }

    fn with_pace<S: Summary, P: Pace>(&self, summary: S, pace: P) -> Result<Box<dyn Running>> {
        let Self { inputs, binding, adjust, bias, min_samples, .. } = *self;
        let exact = if self.exact { S::Values::LANES } else { 0 };
        Plan::recurrence_exactly(inputs, binding, exact, Weighted { summary, pace, adjust, bias, min_samples })
    }
}
