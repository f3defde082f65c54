//! Whole blocks of a rolling window for statistics whose summaries are numbers, several blocks side by side.
//!
//! A vector holds the same slot of four blocks.  The numbers of a few slots of each block make squares, which are turned so that
//! rows become vectors, and turned back for the results.  Each block is summarized slot by slot, as `rolling_rows` does it, so that
//! the results are bit-identical to those of the loop row by row.

#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX2 has these vectors so far"))]

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
    let walk = Walk {
        statistic,
        len,
        before: R::flat(blocks.before),
        rows: R::flat(blocks.rows),
        valid: blocks.valid,
        min_samples: as_f64(blocks.min_samples),
    };
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
    valid: Option<(&'a [bool], &'a [bool])>,
    min_samples: f64,
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

/// A few blocks side by side, each with the one before it.
struct Group<'a> {
    later: [&'a [f64]; SIDE_BY_SIDE],
    earlier: [&'a [f64]; SIDE_BY_SIDE],
    /// Which rows of the later blocks and of the earlier ones are valid; empty without nulls.
    enter: [&'a [bool]; SIDE_BY_SIDE],
    leave: [&'a [bool]; SIDE_BY_SIDE],
}

impl<'a, T: Lanewise<I, K, O>, const I: usize, const K: usize, const O: usize> Walk<'a, T, I, K, O> {
    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V, answers: &mut [f64], valid: &mut [bool]) {
        let mut suffix = vec![[vectors.load(&[0.0; SIDE_BY_SIDE]); K]; self.len];
        let size = self.len * SIDE_BY_SIDE;
        let (mut blocks_left, mut first) = (valid.len() / self.len, 0);
        for (answers, valid) in answers.chunks_mut(size * O).zip(valid.chunks_mut(size)) {
            let blocks = blocks_left.min(SIDE_BY_SIDE);
            let group = self.group(first, blocks);
            let out = Answers { blocks, values: parts_of(answers, self.len * O), valid: parts_of(valid, self.len) };
            if group.enter.iter().chain(&group.leave).any(|valid| valid.contains(&false)) {
                self.run_group::<V, true>(vectors, &group, out, &mut suffix);
            } else {
                self.run_group::<V, false>(vectors, &group, out, &mut suffix);
            }
            blocks_left -= blocks;
            first += blocks;
        }
    }

    /// At most [`SIDE_BY_SIDE`] blocks; the last one runs several times if there are fewer.
    #[inline(always)]
    fn group(&self, first: usize, blocks: usize) -> Group<'a> {
        let len = self.len;
        let numbers = |block: usize| &self.rows[block * len * I..(block + 1) * len * I];
        let flags = |block: usize| self.valid.map_or(&[][..], |(_, valid)| &valid[block * len..(block + 1) * len]);
        let flags_before = self.valid.map_or(&[][..], |(valid, _)| valid);
        let block = |lane: usize| first + lane.min(blocks - 1);
        Group {
            later: std::array::from_fn(|lane| numbers(block(lane))),
            earlier: std::array::from_fn(|lane| block(lane).checked_sub(1).map_or(self.before, numbers)),
            enter: std::array::from_fn(|lane| flags(block(lane))),
            leave: std::array::from_fn(|lane| block(lane).checked_sub(1).map_or(flags_before, flags)),
        }
    }

    #[inline(always)]
    fn run_group<V: Vectors, const NULLS: bool>(
        &self,
        vectors: V,
        group: &Group,
        mut out: Answers,
        suffix: &mut [[V::Number; K]],
    ) {
        let (len, statistic) = (self.len, self.statistic);
        let suffix = &mut suffix[..len];
        let anchor = if NULLS { group.anchors(vectors) } else { slot_of(vectors, group.later, 0) };
        let zero = vectors.load(&[0.0; SIDE_BY_SIDE]);
        let everywhere = always(zero);
        let squares = len - len % SIDE_BY_SIDE;

        let mut summary = statistic.none(zero);
        for slot in (squares..len).rev() {
            suffix[slot] = summary;
            statistic.add_front(&mut summary, slot_of(vectors, group.earlier, slot), anchor);
            if NULLS {
                summary = chosen(suffix[slot], flags_of(vectors, group.leave, slot), summary);
            }
        }
        for start in (0..squares).step_by(SIDE_BY_SIDE).rev() {
            let rows = square_of(vectors, group.earlier, start);
            let leave = if NULLS { flag_square_of(vectors, group.leave, start) } else { [everywhere; SIDE_BY_SIDE] };
            let suffix = &mut suffix[start..start + SIDE_BY_SIDE];
            for i in (0..SIDE_BY_SIDE).rev() {
                suffix[i] = summary;
                statistic.add_front(&mut summary, rows[i], anchor);
                if NULLS {
                    summary = chosen(suffix[i], leave[i], summary);
                }
            }
        }

        let mut count = if NULLS { group.counts(vectors) } else { zero.like(as_f64(len)) };
        let mut summary = statistic.none(zero);
        for start in (0..squares).step_by(SIDE_BY_SIDE) {
            let rows = square_of(vectors, group.later, start);
            let [mut enter, mut leave] = [[everywhere; SIDE_BY_SIDE]; 2];
            if NULLS {
                enter = flag_square_of(vectors, group.enter, start);
                leave = flag_square_of(vectors, group.leave, start);
            }
            let suffix = &suffix[start..start + SIDE_BY_SIDE];
            let mut results = [[zero; O]; SIDE_BY_SIDE];
            let (mut defined, mut all) = ([everywhere; SIDE_BY_SIDE], everywhere);
            for i in 0..SIDE_BY_SIDE {
                let shorter = summary;
                statistic.add(&mut summary, rows[i], anchor);
                if NULLS {
                    summary = chosen(shorter, enter[i], summary);
                    count = count + zero.count(enter[i]) - zero.count(leave[i]);
                }
                (results[i], defined[i]) = statistic.answer(statistic.join(suffix[i], summary), count, anchor);
                if NULLS {
                    defined[i] = defined[i] & !count.below(self.min_samples);
                }
                all = all & defined[i];
            }
            if !vectors.all(all) {
                for i in 0..SIDE_BY_SIDE {
                    results[i] = chosen([zero; O], defined[i], results[i]);
                }
                out.set_flags(start, vectors.turned_flags(defined).map(|flags| vectors.set(flags)));
            }
            out.set_square(vectors, start, results);
        }
        for (slot, suffix) in suffix.iter().enumerate().skip(squares) {
            let shorter = summary;
            statistic.add(&mut summary, slot_of(vectors, group.later, slot), anchor);
            if NULLS {
                let (enter, leave) = (flags_of(vectors, group.enter, slot), flags_of(vectors, group.leave, slot));
                summary = chosen(shorter, enter, summary);
                count = count + zero.count(enter) - zero.count(leave);
            }
            let (result, mut defined) = statistic.answer(statistic.join(*suffix, summary), count, anchor);
            if NULLS {
                defined = defined & !count.below(self.min_samples);
            }
            for (part, numbers) in chosen([zero; O], defined, result).into_iter().enumerate() {
                out.set_part::<O>(slot, part, vectors.store(numbers));
            }
            out.set_flag(slot, vectors.set(defined));
        }
    }
}

impl Group<'_> {
    /// A row of each block that its windows have in common: the first valid one, or else the last one before the block.
    #[inline(always)]
    fn anchors<V: Vectors, const I: usize>(&self, vectors: V) -> [V::Number; I] {
        let mut rows = [[0.0; I]; SIDE_BY_SIDE];
        for (lane, row) in rows.iter_mut().enumerate() {
            let first = self.enter[lane].iter().position(|valid| *valid).map(|slot| (self.later[lane], slot));
            let last = || self.leave[lane].iter().rposition(|valid| *valid).map(|slot| (self.earlier[lane], slot));
            if let Some((block, slot)) = first.or_else(last) {
                row.copy_from_slice(&block[slot * I..(slot + 1) * I]);
            }
        }
        let mut anchors = [vectors.load(&[0.0; SIDE_BY_SIDE]); I];
        for (i, anchor) in anchors.iter_mut().enumerate() {
            *anchor = vectors.load(&rows.map(|row| row[i]));
        }
        anchors
    }

    /// How many rows of the earlier blocks are valid.
    #[inline(always)]
    fn counts<V: Vectors>(&self, vectors: V) -> V::Number {
        vectors.load(&self.leave.map(|valid| as_f64(valid.iter().filter(|valid| **valid).count())))
    }
}

/// The second numbers where the flag is set, the first ones elsewhere.
#[inline(always)]
fn chosen<N: Number, const K: usize>(mut numbers: [N; K], flag: N::Flag, others: [N; K]) -> [N; K] {
    for k in 0..K {
        numbers[k] = numbers[k].or(flag, others[k]);
    }
    numbers
}

/// The first parts of this length; those beyond the end are empty.
#[inline(always)]
fn parts_of<T>(mut items: &mut [T], len: usize) -> [&mut [T]; SIDE_BY_SIDE] {
    std::array::from_fn(|_| {
        let (part, rest) = std::mem::take(&mut items).split_at_mut_checked(len).unwrap_or_default();
        items = rest;
        part
    })
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

    /// Sets which results of some consecutive slots are defined, block by block.
    #[inline(always)]
    fn set_flags(&mut self, start: usize, defined: [[bool; SIDE_BY_SIDE]; SIDE_BY_SIDE]) {
        for (lane, flags) in defined.into_iter().enumerate().take(self.blocks) {
            self.valid[lane][start..start + SIDE_BY_SIDE].copy_from_slice(&flags);
        }
    }

    /// Sets in which blocks the result of a slot is defined.
    #[inline(always)]
    fn set_flag(&mut self, slot: usize, defined: [bool; SIDE_BY_SIDE]) {
        for (flag, valid) in defined.into_iter().zip(&mut self.valid).take(self.blocks) {
            valid[slot] = flag;
        }
    }
}

/// A row of each block.
#[inline(always)]
fn slot_of<V: Vectors, const I: usize>(vectors: V, blocks: [&[f64]; SIDE_BY_SIDE], slot: usize) -> [V::Number; I] {
    let mut row = [vectors.load(&[0.0; SIDE_BY_SIDE]); I];
    for (i, number) in row.iter_mut().enumerate() {
        *number = vectors.load(&blocks.map(|block| block[slot * I + i]));
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
    let zero = vectors.load(&[0.0; SIDE_BY_SIDE]);
    let mut rows = [[zero; I]; SIDE_BY_SIDE];
    for part in 0..I {
        let from = part * SIDE_BY_SIDE;
        let mut square = [zero; SIDE_BY_SIDE];
        for (numbers, block) in square.iter_mut().zip(blocks) {
            if let Some(next) = block[start * I + from..].first_chunk() {
                *numbers = vectors.load(next);
            }
        }
        let square = vectors.turned(square);
        for k in 0..SIDE_BY_SIDE {
            rows[(from + k) / I][(from + k) % I] = square[k];
        }
    }
    rows
}

/// The flags of a row of each block.
#[inline(always)]
fn flags_of<V: Vectors>(vectors: V, blocks: [&[bool]; SIDE_BY_SIDE], slot: usize) -> <V::Number as Number>::Flag {
    vectors.load_flags(blocks.map(|valid| valid[slot]))
}

/// The flags of some consecutive rows of each block.
#[inline(always)]
fn flag_square_of<V: Vectors>(
    vectors: V,
    blocks: [&[bool]; SIDE_BY_SIDE],
    start: usize,
) -> [<V::Number as Number>::Flag; SIDE_BY_SIDE] {
    let mut square = [vectors.load_flags([true; SIDE_BY_SIDE]); SIDE_BY_SIDE];
    for (flags, valid) in square.iter_mut().zip(blocks) {
        if let Some(next) = valid[start..].first_chunk() {
            *flags = vectors.load_flags(*next);
        }
    }
    vectors.turned_flags(square)
}
