//! One result for all rows.
//!
//! Blocks of a fixed length are summarized separately, on any number of threads, and merged in order: the result is
//! bit-identical for any number of threads.

use rayon::prelude::*;

use super::expanding::BLOCK;
use crate::model::Statistic;
use crate::model::scale::{UNSCALED, any_wild, exponents, join, scaled, settled};
use crate::values::Input;

/// A statistic of all rows; `None` if it is undefined.
///
/// ```
/// use hypostyle::{Mean, aggregate};
/// assert_eq!(aggregate(&Mean, &[1.0, 2.0, 6.0]), Some(3.0));
/// assert_eq!(aggregate(&Mean, &[]), None);
/// ```
pub fn aggregate<S: Statistic>(statistic: &S, rows: &[S::Input]) -> Option<S::Output> {
    let Some(anchor) = rows.iter().find(|x| S::can_anchor(**x)).or(rows.first()).copied() else {
        return statistic.finish_empty();
    };
    if any_wild::<S>(rows) {
        let mut all = vec![UNSCALED; S::Input::LANES];
        rows.iter().for_each(|row| join(&mut all, &exponents::<S>(*row)));
        let all = settled(&all);
        let rows: Vec<S::Input> = rows.iter().map(|row| scaled(*row, &all)).collect();
        let answer = of_scale(statistic, &rows, scaled(anchor, &all))?;
        return Some(statistic.unscale(answer, &all));
    }
    of_scale(statistic, rows, anchor)
}

/// From rows that are of one scale.
fn of_scale<S: Statistic>(statistic: &S, rows: &[S::Input], anchor: S::Input) -> Option<S::Output> {
    let blocks: Vec<S::State> = rows
        .par_chunks(BLOCK)
        .map(|block| {
            let mut summary = statistic.empty();
            block.iter().for_each(|x| statistic.push(&mut summary, *x, anchor));
            summary
        })
        .collect();
    let all = blocks.iter().fold(statistic.empty(), |all, block| statistic.merge(&all, block));
    statistic.finish(&all, rows.len(), anchor)
}
