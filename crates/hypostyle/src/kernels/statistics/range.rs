//! The range: the largest value minus the smallest.

use super::extremum::{Extremum, picked};
use crate::drive::rolling_lanes;
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{Blocks, Lanewise, Statistic, Summary, always};
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Entry, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Literal};
use crate::values::{Domain, Number, Persist};

/// The largest value minus the smallest.
#[derive(Debug, Clone)]
pub struct Range<T>(pub(super) std::marker::PhantomData<T>);

impl<T: Value> Statistic for Range<T>
where
    [T; 2]: Summary + Persist,
{
    type Input = T;
    type Output = f64;
    /// The smallest and the largest value.
    type State = [T; 2];

    const TOTAL: bool = true;

    fn empty(&self) -> [T; 2] {
        [T::HIGHEST, T::LOWEST]
    }

    #[inline(always)]
    fn push(&self, state: &mut [T; 2], x: T, _anchor: T) {
        *state = self.merge(state, &[x, x]);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[T; 2], later: &[T; 2]) -> [T; 2] {
        let smallest = Extremum::<T, false>::pick(earlier[0], later[0]);
        let largest = Extremum::<T, true>::pick(earlier[1], later[1]);
        [smallest, largest]
    }

    #[inline(always)]
    fn finish(&self, [smallest, largest]: &[T; 2], _count: usize, _anchor: T) -> Option<f64> {
        Some(largest.minus(*smallest))
    }

    fn answer_blocks(&self, blocks: Blocks<T>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        let Some((before, rows)) = T::floats(blocks.before).zip(T::floats(blocks.rows)) else { return false };
        let range = Range::<f64>(std::marker::PhantomData);
        rolling_lanes::answer_blocks(&range, blocks.of(before, rows), answers, valid)
    }
}

impl Lanewise<1, 2, 1> for Range<f64> {
    #[inline(always)]
    fn none<N: Number>(&self, like: N) -> [N; 2] {
        [like.like(f64::HIGHEST), like.like(f64::LOWEST)]
    }

    #[inline(always)]
    fn add<N: Number>(&self, state: &mut [N; 2], [x]: [N; 1], _anchor: [N; 1]) {
        *state = self.join(*state, [x, x]);
    }

    #[inline(always)]
    fn join<N: Number>(&self, earlier: [N; 2], later: [N; 2]) -> [N; 2] {
        [picked::<N, false>(earlier[0], later[0]), picked::<N, true>(earlier[1], later[1])]
    }

    #[inline(always)]
    fn answer<N: Number>(&self, [smallest, largest]: [N; 2], _count: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        ([largest - smallest], always(largest))
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    let column = arguments.column("column")?;
    Ok(window.plan(move |window, binding| {
        binding.number_column(&column)?;
        match inputs.exact_domain(binding, &column)? {
            Domain::Integer => {
                let wiring = inputs.bind::<i64, f64>(binding)?;
                window.statistic(binding, wiring, Range::<i64>(std::marker::PhantomData), Bare)
            }
            _ => {
                let wiring = inputs.bind::<f64, f64>(binding)?;
                window.statistic(binding, wiring, Range::<f64>(std::marker::PhantomData), Bare)
            }
        }
    }))
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`. A window with a NaN, or with only infinities of one \
    sign, gives NaN. One rounding.";

pub(crate) const RANGE: Entry = Entry {
    names: &["rolling_range", "expanding_range"],
    shape: Shape::Windowed,
    summary: "Difference between the largest and the smallest value {in a moving window|so far}.",
    formula: "y[i] = max of x[j] - min of x[j] for j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time|numpy `ptp`, over all \
             rows so far}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan,
    #[cfg(test)]
    reference: reference::range,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, extreme, of_column};

    pub fn range(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, &table.exact(), |window| {
            let (smallest, largest) = (extreme(window, f64::min).answer, extreme(window, f64::max).answer);
            exact(largest.zip(smallest).map(|(largest, smallest)| largest - smallest))
        })
    }
}
