//! Statistics whose summaries are numbers, written for one window at a time and for many side by side: sums, and what is a
//! function of sums (means, variances, correlations), and extremes.
//!
//! What runs for vectors is loops and functions that are always inlined: a closure is a function of its own without the vector
//! instructions of its caller, and so is one that is passed to an iterator.

use super::statistic::as_f64;
use crate::values::{Flag, Number};

/// A statistic of rows of `I` numbers whose summary is `K` numbers and whose result is `O` numbers.
pub trait Lanewise<const I: usize, const K: usize, const O: usize>: Clone + Send + Sync + 'static {
    /// The summary of no rows; `like` is any number.
    fn none<N: Number>(&self, like: N) -> [N; K];

    /// Extends the summary by a later row.
    fn add<N: Number>(&self, summary: &mut [N; K], row: [N; I], anchor: [N; I]);

    /// Extends the summary by an earlier row.
    #[inline(always)]
    fn add_front<N: Number>(&self, summary: &mut [N; K], row: [N; I], anchor: [N; I]) {
        let mut single = self.none(row[0]);
        self.add(&mut single, row, anchor);
        *summary = self.join(single, *summary);
    }

    /// The summary of the earlier rows and the later ones together.
    fn join<N: Number>(&self, earlier: [N; K], later: [N; K]) -> [N; K];

    /// The result for `count` rows, at least one, and where it is defined.
    fn answer<N: Number>(&self, summary: [N; K], count: N, anchor: [N; I]) -> ([N; O], N::Flag);

    /// The result for one window, for [`Statistic::finish`](crate::Statistic::finish).
    #[inline(always)]
    fn answer_one(&self, summary: [f64; K], count: usize, anchor: [f64; I]) -> Option<[f64; O]> {
        let (answer, defined) = self.answer(summary, as_f64(count), anchor);
        defined.then_some(answer)
    }
}

/// A statistic that is a function of sums, of which each row is a term.
pub trait Sums<const I: usize, const K: usize, const O: usize>: Clone + Send + Sync + 'static {
    /// What the terms are of: the differences to the anchor (see [`Statistic`](crate::Statistic)), unless it is something else.
    #[inline(always)]
    fn relative<N: Number>(row: [N; I], anchor: [N; I]) -> [N; I] {
        let mut differences = row;
        for i in 0..I {
            differences[i] = row[i] - anchor[i];
        }
        differences
    }

    /// What a row adds to the sums.
    fn terms<N: Number>(&self, row: [N; I]) -> [N; K];

    /// The result for the sums of `count` rows, at least one, and where it is defined.
    fn of_sums<N: Number>(&self, sums: [N; K], count: N, anchor: [N; I]) -> ([N; O], N::Flag);
}

impl<T: Sums<I, K, O>, const I: usize, const K: usize, const O: usize> Lanewise<I, K, O> for T {
    #[inline(always)]
    fn none<N: Number>(&self, like: N) -> [N; K] {
        [like.like(0.0); K]
    }

    #[inline(always)]
    fn add<N: Number>(&self, sums: &mut [N; K], row: [N; I], anchor: [N; I]) {
        *sums = joined(*sums, self.terms(Self::relative(row, anchor)));
    }

    #[inline(always)]
    fn add_front<N: Number>(&self, sums: &mut [N; K], row: [N; I], anchor: [N; I]) {
        // Addition commutes, and no sum is -0.
        self.add(sums, row, anchor);
    }

    #[inline(always)]
    fn join<N: Number>(&self, earlier: [N; K], later: [N; K]) -> [N; K] {
        joined(earlier, later)
    }

    #[inline(always)]
    fn answer<N: Number>(&self, sums: [N; K], count: N, anchor: [N; I]) -> ([N; O], N::Flag) {
        self.of_sums(sums, count, anchor)
    }
}

/// The sums of two runs of rows.
#[inline(always)]
pub fn joined<N: Number, const K: usize>(earlier: [N; K], later: [N; K]) -> [N; K] {
    let mut sums = earlier;
    for k in 0..K {
        sums[k] = earlier[k] + later[k];
    }
    sums
}

/// A flag that is set everywhere.
#[inline(always)]
pub fn always<N: Number>(number: N) -> N::Flag {
    number.below(0.0).like(true)
}

/// Whether there are more rows than this.
#[inline(always)]
pub fn more_than<N: Number>(count: N, least: usize) -> N::Flag {
    count.above(as_f64(least))
}

/// Rows that are numbers: one, or several one after the other.
pub trait Flat: Sized {
    /// The numbers of rows.
    fn flat(rows: &[Self]) -> &[f64];

    /// The numbers of rows, to be set.
    fn flat_mut(rows: &mut [Self]) -> &mut [f64];
}

impl Flat for f64 {
    #[inline(always)]
    fn flat(rows: &[Self]) -> &[f64] {
        rows
    }

    #[inline(always)]
    fn flat_mut(rows: &mut [Self]) -> &mut [f64] {
        rows
    }
}

impl<const I: usize> Flat for [f64; I] {
    #[inline(always)]
    fn flat(rows: &[Self]) -> &[f64] {
        rows.as_flattened()
    }

    #[inline(always)]
    fn flat_mut(rows: &mut [Self]) -> &mut [f64] {
        rows.as_flattened_mut()
    }
}
