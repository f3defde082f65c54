//! A weight for each position in the window: the last `n` rows times a vector, which costs `n` steps per row.
//!
//! Several rows are computed side by side, each summed from its oldest row to its newest, so that the bits of a result depend
//! neither on its neighbors nor on the batch.

use std::sync::Arc;

use super::rolling_rows::ROWS_PER_THREAD;
use super::{Answers, Columns, Driver, Rows, run_split};
use crate::error::{Error, Result};
use crate::model::as_f64;
use crate::values::{StateReader, StateWriter, arch};

/// The statistic of the weighted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirStatistic {
    /// The sum of weight times value.
    Sum,
    /// That sum divided by the sum of the weights.
    Mean,
    /// The weighted mean of the squares of the differences to the weighted mean, times n / (n - ddof).
    Variance {
        /// What is subtracted from the count in the divisor.
        ddof: usize,
    },
    /// Its square root.
    Deviation {
        /// What is subtracted from the count in the divisor.
        ddof: usize,
    },
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The weights, that of the oldest row first.
    pub(crate) weights: Arc<[f64]>,
    pub(crate) statistic: FirStatistic,
    /// Whether the window ends before the current row.
    pub(crate) lagged: bool,
    pub(crate) min_samples: usize,
}

/// The last rows of a key, oldest first; a null is 0.
#[derive(Debug, Clone, Default)]
pub struct Past {
    values: Vec<f64>,
    valid: Vec<bool>,
}

/// How many rows are computed side by side.
const SIDE: usize = 16;

/// Sums `term(k, row)` over the positions `k` of the window, for each row.
#[inline(always)]
fn each(len: usize, term: impl Fn(usize, usize) -> f64) -> [f64; SIDE] {
    let mut sums = [0.0; SIDE];
    for k in 0..len {
        for (row, sum) in sums.iter_mut().enumerate() {
            *sum += term(k, row);
        }
    }
    sums
}

impl Filter {
    /// The rows before the current one that a window may reach.
    fn reach(&self) -> usize {
        self.weights.len() - 1 + usize::from(self.lagged)
    }

    /// Appends rows to the past ones; rows before the first are null.
    fn extend(&self, past: &Past, rows: Rows<f64>) -> Past {
        let missing = self.reach() - past.values.len();
        let mut values = vec![0.0; missing];
        let mut valid = vec![false; missing];
        values.extend_from_slice(&past.values);
        valid.extend_from_slice(&past.valid);
        match rows.valid {
            None => {
                values.extend_from_slice(rows.values);
                valid.resize(values.len(), true);
            }
            Some(flags) => {
                values.extend(rows.values.iter().zip(flags).map(|(x, valid)| if *valid { *x } else { 0.0 }));
                valid.extend_from_slice(flags);
            }
        }
        Past { values, valid }
    }

    fn answer_all(&self, all: &Past, mut answers: Answers<f64>) {
        let (n, len) = (self.weights.len(), answers.values.len());
        let weights = &self.weights;
        let everything: f64 = weights.iter().sum();
        // Weights whose sum is only rounding error have no mean.
        let heavy: f64 = weights.iter().map(|weight| weight.abs()).sum();
        let balanced = everything.abs() <= as_f64(n) * f64::EPSILON * heavy;
        // A last group of less than `SIDE` rows is padded with nulls.
        let (mut values, mut ones): (Vec<f64>, Vec<f64>) =
            (all.values.clone(), all.valid.iter().map(|valid| f64::from(u8::from(*valid))).collect());
        values.resize(values.len() + SIDE, 0.0);
        ones.resize(values.len(), 0.0);
        let spreads = !matches!(self.statistic, FirStatistic::Sum | FirStatistic::Mean);
        // Variances are computed from differences to the last value of the window, so that equal values have none.
        let mut anchors = vec![0.0; if spreads { values.len() } else { 0 }];
        if spreads {
            let mut last = 0.0;
            for (anchor, (x, one)) in anchors.iter_mut().zip(values.iter().zip(&ones)) {
                last = if *one == 1.0 { *x } else { last };
                *anchor = last;
            }
        }
        let mut count = all.valid[..n - 1].iter().filter(|valid| **valid).count();
        for start in (0..len).step_by(SIDE) {
            let (x, one) = (&values[start..start + n + SIDE], &ones[start..start + n + SIDE]);
            let full = all.valid[start..all.valid.len().min(start + n - 1 + SIDE)].iter().all(|valid| *valid);
            let anchor: [f64; SIDE] =
                std::array::from_fn(|row| if spreads { anchors[start + n - 1 + row] } else { 0.0 });
            let sums = if spreads {
                each(n, |k, row| weights[k] * ((x[k + row] - anchor[row]) * one[k + row]))
            } else {
                each(n, |k, row| weights[k] * x[k + row])
            };
            let totals = if full { [everything; SIDE] } else { each(n, |k, row| weights[k] * one[k + row]) };
            let means: [f64; SIDE] = std::array::from_fn(|row| sums[row] / totals[row]);
            let squares = match self.statistic {
                FirStatistic::Sum | FirStatistic::Mean => sums,
                _ => each(n, |k, row| {
                    let d = (x[k + row] - anchor[row] - means[row]) * one[k + row];
                    weights[k] * (d * d)
                }),
            };
            for row in 0..SIDE.min(len - start) {
                count += usize::from(all.valid[start + row + n - 1]);
                // By the row's own window, because its neighbors may differ in another batch.
                let total = if balanced && count == n { 0.0 } else { totals[row] };
                let answer = self.finish(count, sums[row], total, squares[row]);
                answers.set(start + row, answer.filter(|_| count >= self.min_samples));
                count -= usize::from(all.valid[start + row]);
            }
        }
    }

    fn finish(&self, count: usize, sum: f64, total: f64, squares: f64) -> Option<f64> {
        let defined = total != 0.0;
        match self.statistic {
            FirStatistic::Sum => Some(sum),
            FirStatistic::Mean => defined.then_some(sum / total),
            FirStatistic::Variance { ddof } | FirStatistic::Deviation { ddof } => {
                let (n, ddof) = (as_f64(count), as_f64(ddof));
                let variance = squares / total * (n / (n - ddof));
                let root = matches!(self.statistic, FirStatistic::Deviation { .. });
                // Negative weights may make it negative; NaN propagates.
                let negative = variance < 0.0;
                (defined & !negative & (n > ddof)).then_some(if root { variance.sqrt() } else { variance })
            }
        }
    }

    fn keep(&self, mut all: Past) -> Past {
        let gone = all.values.len() - self.reach().min(all.values.len());
        Past { values: all.values.split_off(gone), valid: all.valid.split_off(gone) }
    }
}

/// The loop as a value that pulp compiles for each instruction set.
struct Walk<'a> {
    filter: &'a Filter,
    all: &'a Past,
    answers: Answers<'a, f64>,
}

impl pulp::NullaryFnOnce for Walk<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.filter.answer_all(self.all, self.answers);
    }
}

impl Driver for Filter {
    type Input = f64;
    type Output = f64;
    type State = Past;

    const SPLITS: bool = true;

    fn start(&self) -> Past {
        Past::default()
    }

    fn run(&self, past: &mut Past, rows: Rows<f64>, answers: Answers<f64>) {
        if rows.len() == 0 {
            return;
        }
        let all = self.extend(past, rows);
        arch().dispatch(Walk { filter: self, all: &all, answers });
        *past = self.keep(all);
    }

    fn portion(&self) -> usize {
        super::PORTION.max(self.weights.len())
    }

    fn cost(&self) -> usize {
        2 + self.reach() / 8
    }

    fn state_size(&self) -> usize {
        self.reach() * (size_of::<f64>() + 1)
    }

    fn run_parallel(&self, past: &mut Past, columns: &Columns<f64>, answers: Answers<f64>, threads: usize) {
        let parts = threads.min(columns.len() / (ROWS_PER_THREAD >> 3));
        let after = |rows: Rows<f64>| self.keep(self.extend(&Past::default(), rows));
        run_split(self, past, columns, answers, parts, self.reach(), after);
    }

    fn write(&self, past: &Past, to: &mut StateWriter) {
        to.rows("rows", past.values.iter().zip(&past.valid).map(|(x, valid)| valid.then_some(*x)));
    }

    fn read(&self, from: &mut StateReader) -> Result<Past> {
        let rows: Vec<Option<f64>> = from.rows("rows")?;
        if rows.len() > self.reach() {
            return Err(Error::state(format!("a window needs at most {} rows, got {}", self.reach(), rows.len())));
        }
        Ok(Past {
            values: rows.iter().map(|x| x.unwrap_or_default()).collect(),
            valid: rows.iter().map(Option::is_some).collect(),
        })
    }

    fn heap_bytes(&self, past: &Past) -> usize {
        past.values.capacity() * size_of::<f64>() + past.valid.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_have_no_mean_however_rows_come() {
        let filter = Filter {
            weights: vec![0.1, 0.2, -0.3].into(),
            statistic: FirStatistic::Mean,
            lagged: false,
            min_samples: 1,
        };
        let values: Vec<f64> = (0..40u8).map(f64::from).collect();
        let valid: Vec<bool> = (0..40).map(|row| row != 20).collect();
        let run = |piece: usize| {
            let (mut past, mut found) = (filter.start(), Vec::new());
            for start in (0..values.len()).step_by(piece) {
                let end = values.len().min(start + piece);
                let rows =
                    Rows { values: &values[start..end], valid: Some(&valid[start..end]), times: &[], firsts: &[] };
                let (mut answers, mut answered) = (vec![0.0; end - start], vec![true; end - start]);
                filter.run(&mut past, rows, Answers { values: &mut answers, valid: &mut answered });
                found.extend(answers.into_iter().zip(answered).map(|(x, valid)| valid.then_some(x)));
            }
            found
        };
        let whole = run(40);
        assert_eq!((whole[10], whole[30], whole[21].is_some()), (None, None, true));
        assert!([1, 3, 7, 16].into_iter().all(|piece| run(piece) == whole));
    }
}
