//! One answer for all rows.
//!
//! Blocks of a fixed length are summarised apart, on any number of threads, and merged in order: the bits do not depend on
//! how many threads took part.

use rayon::prelude::*;

use super::expanding::BLOCK;
use crate::model::Statistic;

/// A statistic of all rows; `None` where it is undefined.
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
