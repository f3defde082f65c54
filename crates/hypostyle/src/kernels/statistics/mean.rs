//! The arithmetic mean: a sum and a count, divided once per result.

use super::whole;
use crate::drive::rolling_lanes;
use crate::error::Result;
use crate::model::{Blocks, Statistic, Sums, always, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Entry, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Literal};
use crate::values::Number;

/// The arithmetic mean of the values.
///
/// ```
/// use hypostyle::{rolling_mean, evaluate};
/// use arrow::{array::{ArrayRef, AsArray, Float64Array, RecordBatch}, datatypes::Float64Type};
/// use std::sync::Arc;
///
/// let price: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), Some(3.0), None, Some(7.0)]));
/// let batch = RecordBatch::try_from_iter([("price", price)])?;
/// let means = evaluate(&batch, &[rolling_mean("price", 2).min_samples(1)], None)?;
/// let means: Vec<_> = means.column(0).as_primitive::<Float64Type>().iter().collect();
/// assert_eq!(means, [Some(1.0), Some(2.0), Some(3.0), Some(7.0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mean;

impl Statistic for Mean {
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
    fn finish(&self, sum: &f64, count: usize, _anchor: f64) -> Option<f64> {
        Some(sum / as_f64(count))
    }

    fn answer_blocks(&self, blocks: Blocks<f64>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

impl Sums<1, 1, 1> for Mean {
    #[inline(always)]
    fn relative<N: Number>(row: [N; 1], _anchor: [N; 1]) -> [N; 1] {
        row
    }

    #[inline(always)]
    fn terms<N: Number>(&self, row: [N; 1]) -> [N; 1] {
        row
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [sum]: [N; 1], count: N, _anchor: [N; 1]) -> ([N; 1], N::Flag) {
        ([sum / count], always(sum))
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    let column = arguments.column("column")?;
    Ok(window.plan(move |window, binding| match whole::mean(window, &inputs, binding, &column)? {
        Some(exact) => Ok(exact),
        None => window.statistic(binding, inputs.bind::<f64, f64>(binding)?, Mean, Bare),
    }))
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`. NaN and infinities follow IEEE 754{ in the windows that \
    hold them and in no other|}. Relative error at most (w + 1) * eps * mean(|x|) / |mean(x)| for w values, eps = 1.1e-16{, \
    whatever came before the window|}. Durations give a duration, without the fraction of its unit.";

pub(crate) const MEAN: Entry = Entry {
    names: &["rolling_mean", "expanding_mean"],
    shape: Shape::Windowed,
    summary: "Arithmetic mean of {the values in a moving window|all values so far}.",
    formula: "y[i] = mean of x[j] for j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time|pandas \
             `Series.expanding().mean()`; sums by blocks of 1,024 rows}.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(2))],
    plan,
    #[cfg(test)]
    reference: reference::mean,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{self, Slow, Table, of_column};

    pub fn mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, reference::mean)
    }
}
