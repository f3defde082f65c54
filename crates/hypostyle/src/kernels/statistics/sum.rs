//! The sum.  Summing by blocks bounds the error: it grows with the window's length as in a plain sum, but never with the
//! number of rows before the window.

use super::whole;
use crate::drive::rolling_lanes;
use crate::error::Result;
use crate::model::{Blocks, Statistic, Sums, always};
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Entry, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Literal};
use crate::values::Number;

/// The sum of the values.
#[derive(Debug, Clone)]
pub struct Sum;

impl Statistic for Sum {
    type Input = f64;
    type Output = f64;
    type State = f64;

    const TOTAL: bool = true;

    fn empty(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn push(&self, sum: &mut f64, x: f64, _anchor: f64) {
        *sum += x;
    }

    #[inline(always)]
    fn push_front(&self, sum: &mut f64, x: f64, anchor: f64) {
        // Addition commutes, and no sum is -0.
        self.push(sum, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &f64, later: &f64) -> f64 {
        earlier + later
    }

    #[inline(always)]
    fn finish(&self, sum: &f64, _count: usize, _anchor: f64) -> Option<f64> {
        Some(*sum)
    }

    fn finish_empty(&self) -> Option<f64> {
        Some(0.0)
    }

    fn answer_blocks(&self, blocks: Blocks<f64>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<1, 1, 1> for Sum {
    #[inline(always)]
    fn relative<N: Number>(row: [N; 1], _anchor: [N; 1]) -> [N; 1] {
        row
    }

    #[inline(always)]
    fn terms<N: Number>(&self, row: [N; 1]) -> [N; 1] {
        row
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, sums: [N; 1], _count: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        (sums, always(sums[0]))
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    let column = arguments.column("column")?;
    Ok(window.plan(move |window, binding| match whole::sum(window, &inputs, binding, &column)? {
        Some(exact) => Ok(exact),
        None => window.statistic(binding, inputs.bind::<f64, f64>(binding)?, Sum, Bare),
    }))
}

pub(crate) const SUM: Entry = Entry {
    names: &["rolling_sum", "expanding_sum"],
    shape: Shape::Windowed,
    summary: "Sum of {the values in a moving window|all values so far}.",
    formula: "y[i] = sum of x[j] for j {in the window of row i|<= i}",
    notes: "Nulls are skipped and do not count for `min_samples`. NaN and infinities follow IEEE 754{ in the windows that hold them \
            and in no other|}. The sum of no values (with `min_samples=0`) is 0. Relative error at most {w|(1024 + w / 1024)} * eps * \
            sum(|x|) / |sum(x)| for w values, eps = 1.1e-16{, whatever came before the window|}. Decimals give decimals and \
            durations a duration, exactly; null if the sum is outside 64 bits.",
    source: "{van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time|pandas \
             `Series.expanding().sum()`; sums by blocks of 1,024 rows}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(2))],
    plan,
    #[cfg(test)]
    reference: reference::sum,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{self, Slow, Table, of_column};

    pub fn sum(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, reference::sum)
    }
}
