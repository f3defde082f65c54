//! Smallest and largest value.  Exact, so the input's type is kept: integers, booleans, dates and times are read as `i64`.

use crate::drive::rolling_lanes;
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{Blocks, Lanewise, Statistic, always, rarely};
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Entry, Example, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Literal};
use crate::values::{Domain, Number};

/// The smallest value, or the largest.
#[derive(Debug, Clone)]
pub struct Extremum<T, const LARGEST: bool>(std::marker::PhantomData<T>);

impl<T, const LARGEST: bool> Extremum<T, LARGEST> {
    /// The statistic.
    pub fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T, const LARGEST: bool> Default for Extremum<T, LARGEST> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Value, const LARGEST: bool> Extremum<T, LARGEST> {
    /// Whether a later value is more extreme, or NaN.
    #[inline(always)]
    #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
    fn is_news(now: T, x: T) -> bool {
        let beats = if LARGEST { x > now } else { x < now };
        beats || x != x
    }

    /// The later one if it is more extreme or NaN; a NaN stays.
    #[inline(always)]
    pub(super) fn pick(now: T, x: T) -> T {
        if Self::is_news(now, x) { x } else { now }
    }
}

impl<T: Value, const LARGEST: bool> Statistic for Extremum<T, LARGEST> {
    type Input = T;
    type Output = T;
    type State = T;

    const TOTAL: bool = true;

    // A comparison, a look for NaN and a choice.
    const SLOW_PUSH: bool = true;

    fn empty(&self) -> T {
        if LARGEST { T::LOWEST } else { T::HIGHEST }
    }

    #[inline(always)]
    fn push(&self, extreme: &mut T, x: T, _anchor: T) {
        *extreme = Self::pick(*extreme, x);
    }

    /// As a branch, which is foreseen, and not a choice, which the next row would wait for.
    #[inline(always)]
    fn follow(&self, extreme: &mut T, x: T, _anchor: T) {
        if Self::is_news(*extreme, x) {
            *extreme = rarely(x);
        }
    }

    #[inline(always)]
    fn merge(&self, earlier: &T, later: &T) -> T {
        Self::pick(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, extreme: &T, _count: usize, _anchor: T) -> Option<T> {
        Some(*extreme)
    }

    fn answer_blocks(&self, blocks: Blocks<T>, answers: &mut [T], valid: &mut [bool]) -> bool {
        let (before, rows) = (T::floats(blocks.before), T::floats(blocks.rows));
        let (Some((before, rows)), Some(answers)) = (before.zip(rows), T::floats_mut(answers)) else { return false };
        rolling_lanes::answer_blocks(&Extremum::<f64, LARGEST>::new(), blocks.of(before, rows), answers, valid)
    }
}

/// The later one where it is more extreme or NaN.
#[inline(always)]
pub(super) fn picked<N: Number, const LARGEST: bool>(now: N, x: N) -> N {
    let beats = if LARGEST { now.is_below(x) } else { x.is_below(now) };
    now.or(beats | !x.is_at_most(x), x)
}

impl<const LARGEST: bool> Lanewise<1, 1, 1> for Extremum<f64, LARGEST> {
    #[inline(always)]
    fn none<N: Number>(&self, like: N) -> [N; 1] {
        [like.like(self.empty())]
    }

    #[inline(always)]
    fn add<N: Number>(&self, extreme: &mut [N; 1], row: [N; 1], _anchor: [N; 1]) {
        *extreme = self.join(*extreme, row);
    }

    #[inline(always)]
    fn join<N: Number>(&self, [earlier]: [N; 1], [later]: [N; 1]) -> [N; 1] {
        [picked::<N, LARGEST>(earlier, later)]
    }

    #[inline(always)]
    fn answer<N: Number>(&self, extreme: [N; 1], _count: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        (extreme, always(extreme[0]))
    }
}

fn plan<const LARGEST: bool>(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?.with_decimals());
    let column = arguments.column("column")?;
    Ok(window.plan(move |window, binding| match inputs.exact_domain(binding, &column)? {
        Domain::Integer => {
            let wiring = inputs.bind::<i64, i64>(binding)?;
            window.statistic(binding, wiring, Extremum::<i64, LARGEST>::new(), Bare)
        }
        _ => {
            let wiring = inputs.bind::<f64, f64>(binding)?;
            window.statistic(binding, wiring, Extremum::<f64, LARGEST>::new(), Bare)
        }
    }))
}

const EXAMPLE: Example = &[("column", Literal::Text("x")), ("window", Literal::Count(2))];

const NOTES: &str = "Keeps the input's type, including integers, decimals, booleans, dates and times. Nulls are skipped and do not count for \
    `min_samples`. A window with a NaN gives NaN. Exact.";

pub(crate) const MIN: Entry = Entry {
    names: &["rolling_min", "expanding_min"],
    shape: Shape::Windowed,
    summary: "Smallest value {in a moving window|so far}.",
    formula: "y[i] = min of x[j] for j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time|pandas \
             `Series.expanding().min()`}.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<false>,
    #[cfg(test)]
    reference: reference::min,
};

pub(crate) const MAX: Entry = Entry {
    names: &["rolling_max", "expanding_max"],
    shape: Shape::Windowed,
    summary: "Largest value {in a moving window|so far}.",
    formula: "y[i] = max of x[j] for j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time|pandas \
             `Series.expanding().max()`}.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<true>,
    #[cfg(test)]
    reference: reference::max,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, extreme, of_column};

    pub fn min(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| extreme(window, f64::min))
    }

    pub fn max(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| extreme(window, f64::max))
    }
}
