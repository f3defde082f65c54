//! Linear filters with feedback, given by the coefficients of a rational transfer function: Butterworth filters, exponential
//! means, differences.  In the transposed direct form II, like scipy.

use std::fmt::Display;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{Persist, StateReader, StateWriter};

/// The highest order.
const HIGHEST: usize = 64;

/// See the module.
#[derive(Debug, Clone)]
pub struct Lfilter<const FEEDBACK: bool> {
    /// The weight of the value itself.
    direct: f64,
    /// The weights of the value and of the result in each delayed sum.
    weights: Arc<[[f64; 2]]>,
    initial: Arc<[f64]>,
}

/// The sums that later results begin with, and the last result.
#[derive(Debug, Clone)]
pub struct Delays {
    sums: Box<[f64]>,
    last: Option<f64>,
}

impl<const FEEDBACK: bool> Recurrence for Lfilter<FEEDBACK> {
    type Input = f64;
    type Output = f64;
    type State = Delays;

    fn start(&self) -> Delays {
        Delays { sums: self.initial.iter().copied().collect(), last: None }
    }

    #[inline]
    fn step(&self, state: &mut Delays, x: f64) -> Option<f64> {
        let begun = state.sums.first().copied();
        let y = begun.map_or(self.direct * x, |begun| begun + self.direct * x);
        let last = self.weights.len().saturating_sub(1);
        for (k, [b, a]) in self.weights.iter().enumerate() {
            let moved = if k < last { state.sums[k + 1] + x * b } else { x * b };
            state.sums[k] = if FEEDBACK { moved - y * a } else { moved };
        }
        state.last = Some(y);
        state.last
    }

    #[inline]
    fn skip(&self, state: &mut Delays) -> Option<f64> {
        state.last
    }
}

impl Persist for Delays {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.rows(format_args!("{name}.sums"), self.sums.iter().copied().map(Some));
        self.last.write(&format_args!("{name}.last"), to);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok(Self {
            sums: from.rows(format_args!("{name}.sums"))?.into_iter().flatten().collect(),
            last: Option::read(&format_args!("{name}.last"), from)?,
        })
    }
}

/// A filter with feedback of a low order, whose sums stay in registers.
#[derive(Debug, Clone)]
pub struct Short<const N: usize> {
    direct: f64,
    weights: [[f64; 2]; N],
    initial: [f64; N],
}

/// As [`Delays`], and saved alike.
#[derive(Debug, Clone)]
pub struct ShortDelays<const N: usize> {
    sums: [f64; N],
    last: Option<f64>,
}

impl<const N: usize> Short<N> {
    fn of(direct: f64, weights: &[[f64; 2]], initial: &[f64]) -> Self {
        Self { direct, weights: std::array::from_fn(|k| weights[k]), initial: std::array::from_fn(|k| initial[k]) }
    }
}

impl<const N: usize> Recurrence for Short<N> {
    type Input = f64;
    type Output = f64;
    type State = ShortDelays<N>;

    fn start(&self) -> ShortDelays<N> {
        ShortDelays { sums: self.initial, last: None }
    }

    #[inline(always)]
    fn step(&self, state: &mut ShortDelays<N>, x: f64) -> Option<f64> {
        let y = state.sums[0] + self.direct * x;
        state.sums = std::array::from_fn(|k| {
            let [b, a] = self.weights[k];
            let moved = if k + 1 < N { state.sums[k + 1] + x * b } else { x * b };
            moved - y * a
        });
        state.last = Some(y);
        state.last
    }

    #[inline]
    fn skip(&self, state: &mut ShortDelays<N>) -> Option<f64> {
        state.last
    }
}

impl<const N: usize> Persist for ShortDelays<N> {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        Delays { sums: self.sums.into(), last: self.last }.write(name, to);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        let Delays { sums, last } = Delays::read(name, from)?;
        let sums =
            (*sums).try_into().map_err(|_| Error::state(format!("a filter of order {N} has {} sums", sums.len())))?;
        Ok(Self { sums, last })
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let coefficients = |parameter: &str| -> Result<Vec<f64>> {
        let numbers = arguments.numbers(parameter)?;
        if let Some(x) = numbers.iter().find(|x| !x.is_finite()) {
            return Err(arguments.refuse(parameter, format!("must be finite numbers, got {x}")));
        }
        Ok(numbers)
    };
    let (mut b, mut a) = (coefficients("b")?, coefficients("a")?);
    for (parameter, numbers) in [("b", &b), ("a", &a)] {
        if numbers.is_empty() || numbers.len() > HIGHEST + 1 {
            let count = numbers.len();
            return Err(arguments.refuse(parameter, format!("must be 1 to {} numbers, got {count}", HIGHEST + 1)));
        }
    }
    let first = a[0];
    if first == 0.0 {
        return Err(arguments.refuse("a", "the first number must not be 0"));
    }
    let feedback = a.len() > 1;
    let order = b.len().max(a.len()) - 1;
    for numbers in [&mut b, &mut a] {
        numbers.resize(order + 1, 0.0);
        numbers.iter_mut().for_each(|x| *x /= first);
    }
    let initial = if arguments.has("zi")? { coefficients("zi")? } else { vec![0.0; order] };
    if initial.len() != order {
        let problem = format!("must be {order} numbers, as many as the filter's order, got {}", initial.len());
        return Err(arguments
            .refuse("zi", problem)
            .with_help("scipy.signal.lfilter_zi(b, a) makes those of a constant 1"));
    }
    let (inputs, direct) = (Inputs::of(arguments, &["column"])?, b[0]);
    let weights: Vec<[f64; 2]> = b[1..].iter().zip(&a[1..]).map(|(b, a)| [*b, *a]).collect();
    Ok(match (feedback, order) {
        (true, 1) => Plan::recurrence(inputs, Short::<1>::of(direct, &weights, &initial)),
        (true, 2) => Plan::recurrence(inputs, Short::<2>::of(direct, &weights, &initial)),
        (true, 3) => Plan::recurrence(inputs, Short::<3>::of(direct, &weights, &initial)),
        (true, 4) => Plan::recurrence(inputs, Short::<4>::of(direct, &weights, &initial)),
        (true, _) => {
            let (weights, initial) = (weights.into(), initial.into());
            Plan::recurrence(inputs, Lfilter::<true> { direct, weights, initial })
        }
        (false, _) => {
            let (weights, initial) = (weights.into(), initial.into());
            Plan::recurrence(inputs, Lfilter::<false> { direct, weights, initial })
        }
    })
}

pub(crate) const LFILTER: Entry = Entry {
    names: &["lfilter"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Linear filter with feedback (IIR), or without (FIR), from its coefficients.",
    formula: "a[0] * y[i] = b[0] * x[i] + b[1] * x[i-1] + ... - a[1] * y[i-1] - a[2] * y[i-2] - ...",
    notes: "Of order up to 64, computed in the transposed direct form II, with the state `zi` before the first row. A null row is \
            left out and returns the last result, null before the first value. A NaN stays in the results of a filter with \
            feedback; without feedback it leaves after as many rows as `b` has numbers. Integers are filtered as floats. A \
            filter that is not stable grows without limit, as its formula says.",
    source: "scipy `signal.lfilter(b, a, x, zi=zi)`.",
    parameters: &[
        COLUMN,
        Parameter::required("b", Kind::Numbers, "The coefficients of the values."),
        Parameter::required("a", Kind::Numbers, "The coefficients of the results; all are divided by the first."),
        Parameter::optional(
            "zi",
            Kind::Numbers,
            Literal::Omitted,
            "The state before the first row, as many numbers as the filter's order: the larger number of coefficients, minus 1. \
             Default: zeros.",
        ),
    ],
    example: &[("column", Literal::Text("z")), ("b", Literal::Numbers(&[0.5])), ("a", Literal::Numbers(&[1.0, -0.5]))],
    plan,
    #[cfg(test)]
    reference: reference::lfilter,
};

/// The formula over all values and results so far.
#[cfg(test)]
mod reference {
    use super::super::plain::held;
    use crate::reference::{EPS, Slow, Table, bounded, column, list};
    use crate::{KernelSpec, Value};

    fn numbers(spec: &KernelSpec, name: &str) -> Vec<f64> {
        let number = |value: Value| match value {
            Value::Int(x) => x as f64,
            Value::Float(x) => x,
            other => panic!("{other}"),
        };
        list(spec, name).into_iter().map(number).collect()
    }

    pub fn lfilter(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, b, a) = (column(spec, table), numbers(spec, "b"), numbers(spec, "a"));
        let initial = if spec.parameters.contains_key("zi") { numbers(spec, "zi") } else { vec![] };
        let order = b.len().max(a.len());
        // How an error in a result goes on, and what one may be.
        let (mut echo, mut size): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        held(&values, |row| {
            x.push(values[row].unwrap());
            let i = x.len() - 1;
            let past = |terms: &[f64], of: &[f64]| -> Vec<f64> {
                (0..order).filter(|k| *k <= i && *k < terms.len()).map(|k| terms[k] * of[i - k]).collect()
            };
            y.push(0.0);
            let (values, results) = (past(&b, &x), past(&a, &y));
            let begun = initial.get(i).copied().unwrap_or(0.0);
            y[i] = begun + (values.iter().sum::<f64>() - results.iter().skip(1).sum::<f64>()) / a[0];
            echo.push(0.0);
            let faded: f64 = past(&a, &echo).iter().skip(1).sum();
            echo[i] = if i == 0 { 1.0 } else { -faded / a[0] };
            let all = values.iter().chain(&results).map(|x| x.abs()).sum::<f64>() / a[0].abs() + begun.abs();
            size.push(all + initial.iter().fold(0.0f64, |all, x| all.max(x.abs())) + y[i].abs());
            let recent = |j: usize| size[j.saturating_sub(order)..=j].iter().sum::<f64>();
            let error: f64 = (0..=i).map(|j| echo[i - j].abs() * recent(j)).sum();
            bounded(y[i], 64.0 * EPS * error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, result, table_of};
    use crate::KernelSpec;

    fn lfilter(b: &[f64], a: &[f64]) -> KernelSpec {
        KernelSpec::new("lfilter").with("column", "x").with("b", b.to_vec()).with("a", a.to_vec())
    }

    fn of(spec: &KernelSpec) -> Vec<Option<f64>> {
        let x = [1.0, 3.0, 2.0, 5.0, 4.0].map(Some).to_vec();
        result(spec, &table_of(&[("x", x)]), None)
    }

    #[test]
    fn worked_values() {
        let half = lfilter(&[0.5], &[1.0, -0.5]);
        assert_close(&of(&half), 0, &[0.5, 1.75, 1.875, 3.437_5, 3.718_75]);
        assert_close(&of(&half.with("zi", vec![0.5])), 0, &[1.0, 2.0, 2.0, 3.5, 3.75]);
        // All coefficients are divided by the first of `a`.
        assert_close(&of(&lfilter(&[1.0], &[2.0, -1.0])), 0, &[0.5, 1.75, 1.875, 3.437_5, 3.718_75]);
        // butter(2, 0.25), and its lfilter_zi.
        let (b, a) = ([0.097_631_072_937_817_49, 0.195_262_145_875_634_98, 0.097_631_072_937_817_49], BUTTER_A);
        let butter = [
            0.097_631_072_937_817_49,
            0.580_202_822_994_219_8,
            1.393_156_432_931_472_7,
            2.291_652_415_561_744,
            3.258_302_306_916_243_6,
        ];
        assert_close(&of(&lfilter(&b, &a)), 0, &butter);
    }

    const BUTTER_A: [f64; 3] = [1.0, -0.942_809_041_582_063_3, 0.333_333_333_333_333_2];

    #[test]
    fn a_null_row_is_left_out_and_a_nan_leaves_a_filter_without_feedback() {
        let x = vec![None, Some(1.0), None, Some(f64::NAN), Some(2.0), Some(4.0)];
        let rows = table_of(&[("x", x)]);
        let sum = result(&lfilter(&[1.0, 1.0], &[1.0]), &rows, None);
        assert_eq!(sum[..3], [None, Some(1.0), Some(1.0)]);
        assert!(sum[3].unwrap().is_nan() && sum[4].unwrap().is_nan());
        assert_eq!(sum[5], Some(6.0));
        let feedback = result(&lfilter(&[1.0], &[1.0, -0.5]), &rows, None);
        assert!(feedback[3..].iter().all(|x| x.unwrap().is_nan()));
    }

    #[test]
    fn invalid_parameters() {
        assert_refused(&lfilter(&[], &[1.0]), "parameter 'b'");
        assert_refused(&lfilter(&[1.0], &[0.0, 1.0]), "parameter 'a': the first number must not be 0");
        assert_refused(&lfilter(&[f64::NAN], &[1.0]), "parameter 'b': must be finite numbers, got NaN");
        assert_refused(&lfilter(&[1.0; 66], &[1.0]), "parameter 'b': must be 1 to 65 numbers, got 66");
        assert!(lfilter(&[1.0; 65], &[1.0]).validate().is_ok());
        assert_refused(&lfilter(&[1.0], &[1.0, 2.0]).with("zi", vec![1.0, 2.0]), "parameter 'zi': must be 1 numbers");
    }
}
