//! Spearman's correlation of many windows at once.
//!
//! Twice the average rank of each row of the window is a number of 16 bits.  The row that enters has a standing among the others
//! (`block_rank.rs`), and the row that leaves has a rank: both say which other ranks move, without a look at the values.  So a
//! row of the result is one pass over two rings of small numbers, without a branch.

use super::block_rank::{Standing, by_blocks, count_through};
use super::sorted::SHORT;
use crate::kernels::value::Value;
use crate::values::{Arrays, SHORTS, ShortVectors, arch};

/// Ranks of as many rows fit, and so does what a row changes of the sum of their products.
pub(super) const MOST: usize = 1 << 13;

/// Above all ranks: no rank moves.
const NO_ROW: i16 = i16::MAX;

/// What the rank correlation is computed from: the number of rows, and the sums of the squares and of the products of twice their
/// average ranks.
#[derive(Debug, Clone, Copy)]
pub(super) struct RankSums {
    pub(super) rows: i64,
    pub(super) xx: i64,
    pub(super) yy: i64,
    pub(super) xy: i64,
}

/// One column: the ranks of the window's rows, and how the rows to come will stand.
struct Ranks {
    /// Filled up with zeros, which are below all ranks.
    ring: Vec<[i16; SHORTS]>,
    /// For each row behind the first window, the number that parts the ranks below its own from those above; equal values have it.
    parting: Vec<i16>,
    /// Whether values are equal in any window.
    ties: bool,
    /// The sum of the squares in the lowest bits, and all of it.
    squares: Sum,
}

/// A sum whose lowest 32 bits are known, and that changes by less than 2^31.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    low: i32,
    whole: i64,
}

impl Sum {
    fn of(numbers: impl Iterator<Item = (i16, i16)>) -> Self {
        let whole: i64 = numbers.map(|(a, b)| i64::from(a) * i64::from(b)).sum();
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits")]
        Self { low: whole as i32, whole }
    }

    #[inline(always)]
    fn becomes(&mut self, low: i32) {
        self.whole += i64::from(low.wrapping_sub(self.low));
        self.low = low;
    }
}

impl Ranks {
    /// Of the values in rows that count; the first `len` are a window.
    fn new<T: Value>(values: &[T], counts: Option<&[bool]>, len: usize) -> Self {
        let mut ring = vec![[0; SHORTS]; len.div_ceil(SHORTS)];
        let mut order: Vec<usize> = (0..len).filter(|row| counts.is_none_or(|counts| counts[*row])).collect();
        order.sort_unstable_by(|a, b| values[*a].partial_cmp(&values[*b]).unwrap_or(std::cmp::Ordering::Equal));
        let mut ties = false;
        let mut below = 0;
        for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
            equal.iter().for_each(|row| ring.as_flattened_mut()[*row] = parting(below, equal.len()) + 1);
            ties |= equal.len() > 1;
            below += equal.len();
        }
        let mut parts = Vec::with_capacity(values.len() - len);
        let mut enter = |standing: Option<Standing>| {
            ties |= standing.is_some_and(|standing| standing.equal > 1);
            parts.push(standing.map_or(NO_ROW, |standing| parting(standing.below, standing.equal)));
        };
        if len <= SHORT && (counts.is_none() || T::NEITHER.is_some()) {
            count_through(values, counts, len, |_, standing| enter(standing));
        } else {
            by_blocks(
                values,
                counts,
                len,
                #[inline(always)]
                |within| enter(within.standing()),
            );
        }
        let squares = Sum::of(ring.as_flattened().iter().map(|rank| (*rank, *rank)));
        Self { ring, parting: parts, ties, squares }
    }

    /// Takes out the row in this slot; returns the numbers above which ranks move down by one each.
    #[inline(always)]
    fn leave(&mut self, slot: usize) -> [i16; 2] {
        match std::mem::take(&mut self.ring.as_flattened_mut()[slot]) {
            0 => [NO_ROW; 2],
            rank => [rank, rank - 1],
        }
    }

    /// The numbers above which ranks move up by one each for a row that enters, and its own rank, 0 if it does not count.
    #[inline(always)]
    fn enter(&self, row: usize) -> ([i16; 2], i16) {
        match self.parting[row] {
            NO_ROW => ([NO_ROW; 2], 0),
            parting => ([parting, parting - 1], parting + 1),
        }
    }
}

/// Twice the average rank that a value would have between those below and those equal to it (itself included), minus one.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "up to twice the rows of a window")]
fn parting(below: usize, equal: usize) -> i16 {
    (2 * below + equal) as i16
}

/// Calls `answer` for each window of `len` rows, at most [`MOST`], that ends at or after position `len`.  Rows that do not count,
/// and only those, may hold a NaN.
pub(super) fn rank_windows<A: Value, B: Value>(
    x: &[A],
    y: &[B],
    counts: Option<&[bool]>,
    len: usize,
    answer: impl FnMut(RankSums),
) {
    let rows = x.len().saturating_sub(len);
    if rows == 0 || len == 0 {
        return;
    }
    let (x, y) = (Ranks::new(x, counts, len), Ranks::new(y, counts, len));
    let windows = Windows { x, y, rows, len, answer };
    match arch() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(simd) => pulp::Simd::vectorize(simd, With(simd, windows)),
        _ => windows.run(Arrays),
    }
}

struct Windows<F> {
    x: Ranks,
    y: Ranks,
    rows: usize,
    len: usize,
    answer: F,
}

/// The loop as a value that pulp compiles for an instruction set.
struct With<V, F>(V, Windows<F>);

impl<V: ShortVectors, F: FnMut(RankSums)> pulp::NullaryFnOnce for With<V, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.1.run(self.0);
    }
}

/// What moves the ranks of a column: the numbers above which they go down, and those above which they go up.
struct Moves<V: ShortVectors>([V::Shorts; 2], [V::Shorts; 2]);

impl<V: ShortVectors> Moves<V> {
    #[inline(always)]
    fn new(vectors: V, gone: [i16; 2], entered: [i16; 2]) -> Self {
        Self(gone.map(|number| vectors.all(number)), entered.map(|number| vectors.all(number)))
    }

    #[inline(always)]
    fn of(&self, vectors: V, ranks: V::Shorts) -> V::Shorts {
        let [a, b] = self.0.map(|gone| vectors.above(ranks, gone));
        let ranks = vectors.plus(vectors.plus(ranks, a), b);
        let [a, b] = self.1.map(|entered| vectors.above(ranks, entered));
        vectors.minus(vectors.minus(ranks, a), b)
    }
}

/// Sum of the squares of twice the ranks 1 to `rows`.
#[inline(always)]
fn squares(rows: i64) -> i64 {
    2 * rows * (rows + 1) * (2 * rows + 1) / 3
}

impl<F: FnMut(RankSums)> Windows<F> {
    #[inline(always)]
    fn run<V: ShortVectors>(self, vectors: V) {
        if self.x.ties || self.y.ties {
            self.pass::<V, true>(vectors);
        } else {
            self.pass::<V, false>(vectors);
        }
    }

    #[inline(always)]
    fn pass<V: ShortVectors, const TIES: bool>(mut self, vectors: V) {
        let (x, y) = (&mut self.x, &mut self.y);
        let pairs = x.ring.as_flattened().iter().copied().zip(y.ring.as_flattened().iter().copied());
        let mut products = Sum::of(pairs);
        let mut count: i64 = x.ring.as_flattened().iter().map(|rank| i64::from(*rank > 0)).sum();
        let mut slot = 0;
        for row in 0..self.rows {
            count -= i64::from(x.ring.as_flattened()[slot] > 0);
            let (x_gone, y_gone) = (x.leave(slot), y.leave(slot));
            let ((x_parting, x_new), (y_parting, y_new)) = (x.enter(row), y.enter(row));
            let (of_x, of_y) = (Moves::new(vectors, x_gone, x_parting), Moves::new(vectors, y_gone, y_parting));
            let [mut xx, mut yy, mut xy] = [vectors.none(); 3];
            for (xs, ys) in x.ring.iter_mut().zip(&mut y.ring) {
                let (a, b) = (of_x.of(vectors, vectors.load(xs)), of_y.of(vectors, vectors.load(ys)));
                (*xs, *ys) = (vectors.store(a), vectors.store(b));
                xy = vectors.add_products(xy, a, b);
                if TIES {
                    xx = vectors.add_products(xx, a, a);
                    yy = vectors.add_products(yy, b, b);
                }
            }
            (x.ring.as_flattened_mut()[slot], y.ring.as_flattened_mut()[slot]) = (x_new, y_new);
            let (a, b) = (i32::from(x_new), i32::from(y_new));
            count += i64::from(x_new > 0);
            products.becomes(vectors.total(xy).wrapping_add(a * b));
            let (xx, yy) = if TIES {
                x.squares.becomes(vectors.total(xx).wrapping_add(a * a));
                y.squares.becomes(vectors.total(yy).wrapping_add(b * b));
                (x.squares.whole, y.squares.whole)
            } else {
                (squares(count), squares(count))
            };
            (self.answer)(RankSums { rows: count, xx, yy, xy: products.whole });
            slot = if slot + 1 == self.len { 0 } else { slot + 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Twice the average rank of each value.
    fn twice_ranks(values: &[f64]) -> Vec<i64> {
        let rank = |x: &f64| values.iter().map(|y| 2 * i64::from(y < x) + i64::from(y == x)).sum::<i64>() + 1;
        values.iter().map(rank).collect()
    }

    fn expected(window: &[(f64, f64)]) -> [i64; 4] {
        let (x, y): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
        let (x, y) = (twice_ranks(&x), twice_ranks(&y));
        let dot = |a: &[i64], b: &[i64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        [x.len() as i64, dot(&x, &x), dot(&y, &y), dot(&x, &y)]
    }

    proptest! {
        #[test]
        fn they_are_those_of_the_ranks(
            drawn in proptest::collection::vec((-9i32..9, -5i32..5, 0u32..100), 0..400),
            len in prop_oneof![1usize..9, 1usize..70, 60usize..150],
            (ties, nulls) in (any::<bool>(), prop_oneof![Just(0u32), Just(10), Just(90)]),
        ) {
            let apart = |i: usize| if ties { 0.0 } else { i as f64 / 1000.0 };
            let rows: Vec<(f64, f64)> = drawn
                .iter()
                .enumerate()
                .map(|(i, (x, y, _))| (f64::from(*x) + apart(i), f64::from(*y) - apart(i * 7919 % 1000)))
                .collect();
            let flags: Vec<bool> = drawn.iter().map(|(_, _, drawn)| *drawn >= nulls).collect();
            let (x, y): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
            let mut end = len;
            rank_windows(&x, &y, (nulls > 0).then_some(&flags), len, |sums| {
                let window = (end + 1 - len..=end).filter(|row| nulls == 0 || flags[*row]).map(|row| rows[row]);
                let window: Vec<(f64, f64)> = window.collect();
                assert_eq!([sums.rows, sums.xx, sums.yy, sums.xy], expected(&window), "row {end}");
                end += 1;
            });
            prop_assert_eq!(end, rows.len().max(len));
        }
    }

    #[test]
    fn the_longest_windows_fit() {
        // From one order to its opposite, and from different values to equal ones.
        let rows = 2 * MOST + 1;
        let x: Vec<i64> = (0..rows as i64).map(|i| if i < MOST as i64 { i } else { 7 }).collect();
        let y: Vec<i64> = (0..rows as i64).map(|i| if i < MOST as i64 { -i } else { i }).collect();
        let mut sums = Vec::new();
        rank_windows(&x, &y, None, MOST, |found| sums.push(found));
        for row in [0, MOST / 2, MOST - 1] {
            let rows = row + 1..row + 1 + MOST;
            let window: Vec<(f64, f64)> = rows.map(|row| (x[row] as f64, y[row] as f64)).collect();
            let RankSums { rows, xx, yy, xy } = sums[row];
            assert_eq!([rows, xx, yy, xy], expected(&window), "row {row}");
        }
    }
}
