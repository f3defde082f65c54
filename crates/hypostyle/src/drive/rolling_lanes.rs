//! Whole blocks of a rolling window for statistics whose summaries are numbers, several blocks side by side.
//!
//! A vector holds the same slot of four blocks.  The numbers of a few slots of each block make squares, which are turned so that
//! rows become vectors, and turned back for the results.  Each block is summarized slot by slot, as `rolling_rows` does it, so that
//! the results are bit-identical to those of the loop row by row.

use crate::model::{Blocks, Flat, Lanewise, always, as_f64};
use crate::values::{Number, SIDE_BY_SIDE, Vectors, arch};

/// Longer blocks do not stay in cache four at a time.
const LONGEST: usize = 1 << 14;

/// Runs whole blocks as vectors; returns whether it did, which takes a machine that has them.
pub fn answer_blocks<T: Lanewise<I, K, O>, R: Flat, A: Flat, const I: usize, const K: usize, const O: usize>(
    statistic: &T,
    blocks: Blocks<R>,
    answers: &mut [A],
    valid: &mut [bool],
) -> bool {
    let len = blocks.before.len();
    if !(SIDE_BY_SIDE..=LONGEST).contains(&len) {
        return false;
    }
    let walk = Walk { statistic, len, before: R::flat(blocks.before), rows: R::flat(blocks.rows) };
    let answers = A::flat_mut(answers);
    match arch() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(simd) => pulp::Simd::vectorize(simd, With(simd, walk, answers, valid)),
        _ => return false,
    }
    true
}

/// The blocks as numbers: `I` for each row.
struct Walk<'a, T, const I: usize, const K: usize, const O: usize> {
    statistic: &'a T,
    /// The rows of a block.
    len: usize,
    before: &'a [f64],
    rows: &'a [f64],
}

/// The loop as a value that pulp compiles for an instruction set.
struct With<'a, V, W>(V, W, &'a mut [f64], &'a mut [bool]);

impl<V: Vectors, T: Lanewise<I, K, O>, const I: usize, const K: usize, const O: usize> pulp::NullaryFnOnce
    for With<'_, V, Walk<'_, T, I, K, O>>
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.1.run(self.0, self.2, self.3);
    }
}

impl<'a, T: Lanewise<I, K, O>, const I: usize, const K: usize, const O: usize> Walk<'a, T, I, K, O> {
    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V, answers: &mut [f64], valid: &mut [bool]) {
        let mut suffix = vec![[vectors.load([0.0; SIDE_BY_SIDE]); K]; self.len];
        let group = self.len * SIDE_BY_SIDE;
        for ((answers, valid), number) in answers.chunks_mut(group * O).zip(valid.chunks_mut(group)).zip(0..) {
            self.run_group(vectors, number * SIDE_BY_SIDE, answers, valid, &mut suffix);
        }
    }

    /// The numbers of a block.
    #[inline(always)]
    fn block(&self, block: usize) -> &'a [f64] {
        &self.rows[block * self.len * I..(block + 1) * self.len * I]
    }

    /// At most [`SIDE_BY_SIDE`] blocks; the last one runs several times if there are fewer.
    #[inline(always)]
    fn run_group<V: Vectors>(
        &self,
        vectors: V,
        first: usize,
        answers: &mut [f64],
        valid: &mut [bool],
        suffix: &mut [[V::Number; K]],
    ) {
        let (len, statistic) = (self.len, self.statistic);
        let blocks = valid.len() / len;
        let suffix = &mut suffix[..len];
        let block = |lane: usize| first + lane.min(blocks - 1);
        let later: [&[f64]; SIDE_BY_SIDE] = std::array::from_fn(|lane| self.block(block(lane)));
        let earlier: [&[f64]; SIDE_BY_SIDE] = std::array::from_fn(|lane| match block(lane) {
            0 => self.before,
            block => self.block(block - 1),
        });
        let anchor = slot_of(vectors, later, 0);
        let zero = vectors.load([0.0; SIDE_BY_SIDE]);
        let squares = len - len % SIDE_BY_SIDE;

        let mut summary = statistic.none(zero);
        for slot in (squares..len).rev() {
            suffix[slot] = summary;
            statistic.add_front(&mut summary, slot_of(vectors, earlier, slot), anchor);
        }
        for start in (0..squares).step_by(SIDE_BY_SIDE).rev() {
            let rows = square_of(vectors, earlier, start);
            let suffix = &mut suffix[start..start + SIDE_BY_SIDE];
            for i in (0..SIDE_BY_SIDE).rev() {
                suffix[i] = summary;
                statistic.add_front(&mut summary, rows[i], anchor);
            }
        }

        let mut out = Answers { blocks, values: parts_of(answers, len * O), valid: parts_of(valid, len) };
        let count = zero.like(as_f64(len));
        let everywhere = always(zero);
        let mut summary = statistic.none(zero);
        for start in (0..squares).step_by(SIDE_BY_SIDE) {
            let rows = square_of(vectors, later, start);
            let suffix = &suffix[start..start + SIDE_BY_SIDE];
            let mut results = [[zero; O]; SIDE_BY_SIDE];
            let (mut defined, mut all) = ([everywhere; SIDE_BY_SIDE], everywhere);
            for i in 0..SIDE_BY_SIDE {
                statistic.add(&mut summary, rows[i], anchor);
                (results[i], defined[i]) = statistic.answer(statistic.join(suffix[i], summary), count, anchor);
                all = all & defined[i];
            }
            out.set_square(vectors, start, results);
            if vectors.set(all) != [true; SIDE_BY_SIDE] {
                for (slot, defined) in (start..).zip(defined) {
                    out.undefine::<O>(slot, vectors.set(defined));
                }
            }
        }
        for (slot, suffix) in suffix.iter().enumerate().skip(squares) {
            statistic.add(&mut summary, slot_of(vectors, later, slot), anchor);
            let (result, defined) = statistic.answer(statistic.join(*suffix, summary), count, anchor);
            for (part, numbers) in result.into_iter().enumerate() {
                out.set_part::<O>(slot, part, vectors.store(numbers));
            }
            out.undefine::<O>(slot, vectors.set(defined));
        }
    }
}

/// The parts of this length, of which some may be missing.
fn parts_of<T>(items: &mut [T], len: usize) -> [&mut [T]; SIDE_BY_SIDE] {
    let mut parts = items.chunks_exact_mut(len);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The results of a group of blocks.
struct Answers<'a> {
    blocks: usize,
    values: [&'a mut [f64]; SIDE_BY_SIDE],
    valid: [&'a mut [bool]; SIDE_BY_SIDE],
}

impl Answers<'_> {
    /// Sets the results of some consecutive slots of each block, which are `O` squares of numbers.
    #[inline(always)]
    fn set_square<V: Vectors, const O: usize>(
        &mut self,
        vectors: V,
        start: usize,
        results: [[V::Number; O]; SIDE_BY_SIDE],
    ) {
        for part in 0..O {
            let from = part * SIDE_BY_SIDE;
            let mut square = [results[0][0]; SIDE_BY_SIDE];
            for (k, number) in square.iter_mut().enumerate() {
                *number = results[(from + k) / O][(from + k) % O];
            }
            let square = vectors.turned(square);
            let at = start * O + from;
            for (lane, numbers) in square.into_iter().enumerate() {
                if lane < self.blocks {
                    self.values[lane][at..at + SIDE_BY_SIDE].copy_from_slice(&vectors.store(numbers));
                }
            }
        }
    }

    /// Sets a number of the result of one slot of each block.
    #[inline(always)]
    fn set_part<const O: usize>(&mut self, slot: usize, part: usize, numbers: [f64; SIDE_BY_SIDE]) {
        for (number, values) in numbers.into_iter().zip(&mut self.values).take(self.blocks) {
            values[slot * O + part] = number;
        }
    }

    /// Makes the results of a slot null in the blocks where they are not defined.
    fn undefine<const O: usize>(&mut self, slot: usize, defined: [bool; SIDE_BY_SIDE]) {
        for lane in (0..self.blocks).filter(|lane| !defined[*lane]) {
            self.values[lane][slot * O..(slot + 1) * O].fill(0.0);
            self.valid[lane][slot] = false;
        }
    }
}

/// A row of each block.
#[inline(always)]
fn slot_of<V: Vectors, const I: usize>(vectors: V, blocks: [&[f64]; SIDE_BY_SIDE], slot: usize) -> [V::Number; I] {
    let mut row = [vectors.load([0.0; SIDE_BY_SIDE]); I];
    for (i, number) in row.iter_mut().enumerate() {
        *number = vectors.load(blocks.map(|block| block[slot * I + i]));
    }
    row
}

/// Some consecutive rows of each block: as many as blocks, so that their numbers are `I` squares.
#[inline(always)]
fn square_of<V: Vectors, const I: usize>(
    vectors: V,
    blocks: [&[f64]; SIDE_BY_SIDE],
    start: usize,
) -> [[V::Number; I]; SIDE_BY_SIDE] {
    let zero = vectors.load([0.0; SIDE_BY_SIDE]);
    let mut rows = [[zero; I]; SIDE_BY_SIDE];
    for part in 0..I {
        let from = part * SIDE_BY_SIDE;
        let mut square = [zero; SIDE_BY_SIDE];
        for (numbers, block) in square.iter_mut().zip(blocks) {
            let block = &block[start * I + from..start * I + from + SIDE_BY_SIDE];
            *numbers = vectors.load([block[0], block[1], block[2], block[3]]);
        }
        let square = vectors.turned(square);
        for k in 0..SIDE_BY_SIDE {
            rows[(from + k) / I][(from + k) % I] = square[k];
        }
    }
    rows
}
