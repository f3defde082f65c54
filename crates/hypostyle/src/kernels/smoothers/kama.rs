//! Kaufman's adaptive moving average: a mean that follows fast where the values go one way, and slowly where they waver.
//!
//! The way that the values went in the window, a sum of the last `window` distances, is never updated by a subtraction: the
//! distances are cut into blocks of `window`, and the sum is a suffix of the block before plus the prefix of this one (see
//! docs/architecture.md, drivers).  Distances and suffixes share one buffer, which grows with the rows that come.

use std::fmt::Display;

use super::seeded::count_from;
use crate::error::{Error, Result};
use crate::model::{Recurrence, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{Persist, StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct Kama {
    window: usize,
    /// The weight of a value if the values waver, and how much larger it is if they go one way.
    slow: f64,
    faster: f64,
}

/// The last steps, and the mean.
#[derive(Debug, Clone)]
pub struct Steps {
    /// How many values there were, at most `window` + 1.
    seen: usize,
    last: f64,
    mean: f64,
    /// The sum of the distances of this block.
    prefix: f64,
    /// Where the next step goes.
    at: usize,
    /// For each step the value that it begins at, and its distance; in places from `at` on the sum of the distances from there
    /// to the end of the block before.
    steps: Vec<[f64; 2]>,
}

impl Kama {
    /// Takes a step in: the value `window` rows ago, and the way since then; only right once the buffer is full.
    #[inline]
    fn way(&self, state: &mut Steps, x: f64) -> (f64, f64) {
        let distance = (x - state.last).abs();
        let step = [state.last, distance];
        match state.steps.get_mut(state.at) {
            Some(slot) => *slot = step,
            None => state.steps.push(step),
        }
        state.prefix += distance;
        state.at += 1;
        if state.at < self.window {
            let [begin, suffix] = state.steps.get(state.at).copied().unwrap_or_default();
            return (begin, suffix + state.prefix);
        }
        let whole = (state.steps[0][0], state.prefix);
        let mut suffix = 0.0;
        for step in state.steps.iter_mut().rev() {
            suffix += step[1];
            step[1] = suffix;
        }
        (state.at, state.prefix) = (0, 0.0);
        whole
    }
}

impl Recurrence for Kama {
    type Input = f64;
    type Output = f64;
    type State = Steps;

    fn start(&self) -> Steps {
        Steps { seen: 0, last: 0.0, mean: 0.0, prefix: 0.0, at: 0, steps: Vec::new() }
    }

    #[inline(always)]
    fn step(&self, state: &mut Steps, x: f64) -> Option<f64> {
        if state.seen == 0 {
            (state.seen, state.last) = (1, x);
            return None;
        }
        let (begin, way) = self.way(state, x);
        if state.seen < self.window {
            (state.seen, state.last) = (state.seen + 1, x);
            return None;
        }
        if state.seen == self.window {
            (state.seen, state.mean) = (state.seen + 1, state.last);
        }
        state.last = x;
        // Rounding may make the way shorter than the change; NaN must stay.
        let efficiency = if way == 0.0 { 1.0 } else { (x - begin).abs() / way };
        let weight = self.slow + self.faster * if efficiency > 1.0 { 1.0 } else { efficiency };
        state.mean += (x - state.mean) * (weight * weight);
        Some(state.mean)
    }

    #[inline]
    fn skip(&self, state: &mut Steps) -> Option<f64> {
        (state.seen > self.window).then_some(state.mean)
    }
}

impl Persist for Steps {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.count(format_args!("{name}.seen"), self.seen);
        to.float(format_args!("{name}.last"), self.last);
        to.float(format_args!("{name}.mean"), self.mean);
        to.float(format_args!("{name}.prefix"), self.prefix);
        to.count(format_args!("{name}.at"), self.at);
        to.rows(format_args!("{name}.steps"), self.steps.iter().copied().map(Some));
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        let state = Self {
            seen: from.count(format_args!("{name}.seen"))?,
            last: from.float(format_args!("{name}.last"))?,
            mean: from.float(format_args!("{name}.mean"))?,
            prefix: from.float(format_args!("{name}.prefix"))?,
            at: from.count(format_args!("{name}.at"))?,
            steps: from.rows(format_args!("{name}.steps"))?.into_iter().flatten().collect(),
        };
        if state.at > state.steps.len() {
            return Err(Error::state(format!("'{name}.at' is beyond the steps, got {}", state.at)));
        }
        Ok(state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let window = count_from(arguments, "window", 1)?;
    let (fast, slow) = (count_from(arguments, "fast", 1)?, count_from(arguments, "slow", 1)?);
    if fast >= slow {
        return Err(arguments.refuse("fast", format!("must be below slow={slow}, got {fast}")));
    }
    let weight = |length: usize| 2.0 / (as_f64(length) + 1.0);
    let kama = Kama { window, slow: weight(slow), faster: weight(fast) - weight(slow) };
    Ok(Plan::recurrence(Inputs::of(arguments, &["column"])?, kama))
}

pub(crate) const KAMA: Entry = Entry {
    names: &["kama"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Kaufman's adaptive moving average: fast where the values go one way, slow where they waver.",
    formula: "y[i] = y[i-1] + w^2 * (x[i] - y[i-1]), y[window-1] = x[window-1], with w = e * 2 / (fast + 1) + (1 - e) * 2 / \
              (slow + 1) and e = abs(x[i] - x[i-window]) / (sum of abs(x[j] - x[j-1]) for the last `window` j)",
    notes: "Null before the first `window` + 1 values. A null row is not counted and returns the last result. e is 1 if the last \
            values are all equal. A NaN stays in every later result of its key. The sum of distances does not drift: it is never \
            updated by a subtraction, as TA-Lib's is. TA-Lib has fast=2 and slow=30 built in.",
    source: "TA-Lib `KAMA`; Kaufman, Smarter Trading (1995).",
    parameters: &[
        COLUMN,
        Parameter::required("window", Kind::Rows, "The number of steps whose direction counts."),
        Parameter::usual("fast", Kind::Rows, Literal::Count(2), "The window of the fastest mean, below `slow`."),
        Parameter::usual("slow", Kind::Rows, Literal::Count(30), "The window of the slowest mean."),
    ],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan,
    #[cfg(test)]
    reference: reference::kama,
};

/// The way of each window from scratch.
#[cfg(test)]
mod reference {
    use super::super::plain::{held, scale, window};
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact, number};

    pub fn kama(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, n) = (column(spec, table), window(spec) as usize);
        let (fast, slow) = (number(spec, "fast").unwrap_or(2.0), number(spec, "slow").unwrap_or(30.0));
        let (mut seen, mut mean) = (Vec::new(), 0.0);
        held(&values, |i| {
            let x = values[i].unwrap();
            seen.push(x);
            let Some(start) = seen.len().checked_sub(n + 1) else { return exact(None) };
            if start == 0 {
                mean = seen[n - 1];
            }
            let recent: &[f64] = &seen[start..];
            let way: f64 = recent.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
            let e = if way == 0.0 { 1.0 } else { (x - recent[0]).abs() / way };
            let e = if e > 1.0 { 1.0 } else { e };
            let w = e * 2.0 / (fast + 1.0) + (1.0 - e) * 2.0 / (slow + 1.0);
            mean += w * w * (x - mean);
            let memory = (slow + 1.0) * (slow + 1.0) / 4.0;
            bounded(mean, 64.0 * (n as f64 + 4.0) * memory * EPS * scale(&values[..=i]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, huge_windows_are_cheap, of_z, result, table_of};
    use crate::KernelSpec;

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("kama").with("column", "z").with("window", 3);
        let expected = [2.651_327_706_478_590_5, 2.697_459_191_195_364, 3.750_086_818_832_155, 3.827_045_347_623_540_6];
        assert_close(&of_z(&spec), 3, &expected);
        assert_refused(&spec.clone().with("window", 0), "parameter 'window': must be at least 1, got 0");
        assert_refused(&spec.clone().with("fast", 30), "parameter 'fast': must be below slow=30, got 30");
        assert_refused(&spec.clone().with("fast", 0), "parameter 'fast': must be at least 1, got 0");
        huge_windows_are_cheap(&spec, "window");
    }

    #[test]
    fn a_spike_that_has_left_the_window_leaves_no_trace_in_the_way() {
        // After the spike the mean is far away, so the weight shows as the share of the distance that is left.
        let x = |i: i32| Some(if i == 10 { 1e17 } else { f64::from(i % 2) / 1024.0 });
        let spec = KernelSpec::new("kama").with("column", "x").with("window", 4);
        let means = result(&spec, &table_of(&[("x", (0..50).map(x).collect())]), None);
        // Without a direction the weight is that of the slow mean, squared.
        let left = 1.0 - (2.0f64 / 31.0) * (2.0 / 31.0);
        let shares = means.windows(2).skip(15).map(|pair| pair[1].unwrap() / pair[0].unwrap());
        shares.for_each(|share| assert!((share - left).abs() < 1e-9, "{share} {left}"));
    }
}
