//! Whole blocks of a rolling window at once, as vectors.
//!
//! In `rolling_rows` each addition waits for the one before it.  Here the suffixes and prefixes of several blocks are computed at
//! once, which hides that latency: a few long blocks run side by side, a tile of each at a time; several short blocks fit into a
//! tile and run one after the other, because the processor looks ahead that far.  Steps that do not depend on their neighbors,
//! the merge and the last steps, run for a whole tile.  Nulls need no branch: the summary with the row is always computed, and
//! kept or not.  Summaries of a single number need no tiles: one vector holds those of several blocks, row by row.  The results
//! are bit-identical to those of the loop row by row.

use super::rolling_rows::{Block, LANES, RollingRows};
use super::{Answers, Rows};
use crate::model::{Blocks, Statistic, Summary, TILE, Tile};
use crate::values::arch;

/// Shorter blocks always run one after the other.
const SHORTEST_SIDE_BY_SIDE: usize = 16;

/// Longer blocks run alone, so that their suffixes stay in cache.
const LONGEST_SIDE_BY_SIDE: usize = 1 << 14;

/// The summaries of a tile.
type TileOf<S> = <<S as Statistic>::State as Summary>::Tile;

/// Values and which are valid; without nulls the flags are not read.
struct Flagged<'a, I> {
    values: &'a [I],
    valid: &'a [bool],
}

impl<I> Clone for Flagged<'_, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I> Copy for Flagged<'_, I> {}

impl<I> Flagged<'_, I> {
    #[inline(always)]
    fn slice(&self, start: usize, end: usize) -> Self {
        Self { values: &self.values[start..end], valid: self.valid.get(start..end).unwrap_or_default() }
    }

    #[inline(always)]
    fn has_null(&self) -> bool {
        self.valid.contains(&false)
    }
}

/// Memory that is reused for every group of blocks.
struct Scratch<S: Statistic> {
    suffix: Vec<TileOf<S>>,
    prefix: [TileOf<S>; LANES],
    counts: [[u32; TILE]; LANES],
    anchors: [S::Input; TILE],
    /// The suffixes of several blocks, row by row, for [`RollingRows::walk_abreast`].
    abreast: Vec<[S::State; LANES]>,
}

impl<S: Statistic> RollingRows<S> {
    /// Whether one summary alone does not keep the processor busy.
    const NARROW: bool = size_of::<S::State>() <= 16;

    /// Whether the summaries of several blocks fit into one vector.
    const SINGLE: bool = size_of::<S::State>() == size_of::<f64>() && size_of::<S::Input>() == size_of::<f64>();

    /// Runs all whole blocks; returns how many rows they have.
    pub(super) fn run_whole_blocks(
        &self,
        state: &mut Block<S>,
        rows: Rows<S::Input>,
        mut answers: Answers<S::Output>,
    ) -> usize {
        let n = self.rows;
        // Nulls of the block before concern one block only: it runs alone, so that the others need no flags.
        let nulls_before = state.ring.is_empty() || state.valid.contains(&false);
        let most = if rows.valid.is_none() && nulls_before { 1 } else { usize::MAX };
        let full = (rows.len() / n).min(most);
        // Fewer rows are not worth the setup; the counts of a tile have 32 bits.
        if full * n < TILE || u32::try_from(n).is_err() {
            return 0;
        }
        if state.ring.is_empty() {
            // The block before the first one is all null.
            state.ring.resize(n, S::Input::default());
            state.valid.resize(n, false);
        }
        if rows.valid.is_some() {
            state.flag_all();
        }
        let trues = match rows.valid {
            None if state.valid.contains(&false) => vec![true; full * n],
            _ => Vec::new(),
        };
        let before = Flagged { values: state.ring.as_slice(), valid: state.valid.as_slice() };
        let blocks = Flagged { values: rows.values, valid: rows.valid.unwrap_or(&trues) };
        if !self.answer_blocks(before, blocks.slice(0, full * n), answers.part(0, full * n)) {
            arch().dispatch(Walk { driver: self, before, blocks, full, answers });
        }
        let last = rows.slice((full - 1) * n, full * n);
        state.ring.copy_from_slice(last.values);
        match last.valid {
            Some(valid) => state.valid.copy_from_slice(valid),
            None => state.valid.clear(),
        }
        state.count = if state.valid.is_empty() { n } else { state.valid.iter().filter(|valid| **valid).count() };
        state.drop_needless_flags();
        self.begin_block(state);
        full * n
    }

    /// All whole blocks, if the statistic has a way of its own; returns whether it did.
    fn answer_blocks(&self, ring: Flagged<S::Input>, rows: Flagged<S::Input>, mut answers: Answers<S::Output>) -> bool {
        let n = self.rows;
        let nulls = ring.has_null() || rows.has_null();
        let valid = nulls.then_some((ring.valid, rows.valid));
        let blocks = Blocks { before: ring.values, rows: rows.values, valid, min_samples: self.min_samples };
        // What a window without rows has as its result is not asked for.
        let fits = n >= self.min_samples && (self.min_samples > 0 || !nulls);
        if !(fits && self.statistic.answer_blocks(blocks, answers.values, answers.valid)) {
            return false;
        }
        if nulls && S::ANCHORED {
            let mut before = ring;
            for start in (0..rows.values.len()).step_by(n) {
                let block = rows.slice(start, start + n);
                self.answer_head(before, block, answers.part(start, start + n));
                before = block;
            }
        }
        true
    }

    #[inline(always)]
    fn walk(&self, ring: Flagged<S::Input>, all: Flagged<S::Input>, full: usize, mut answers: Answers<S::Output>) {
        let n = self.rows;
        let packed = if S::SLOW_PUSH && n >= SHORTEST_SIDE_BY_SIDE { 1 } else { TILE / n };
        let lanes = if packed < 2 && Self::NARROW && n <= LONGEST_SIDE_BY_SIDE { LANES } else { 1 };
        let filled = TileOf::<S>::filled(self.statistic.empty());
        let mut scratch = Scratch::<S> {
            suffix: vec![filled; lanes * n.div_ceil(TILE)],
            prefix: [filled; LANES],
            counts: [[0; TILE]; LANES],
            anchors: [S::Input::default(); TILE],
            abreast: if Self::SINGLE { vec![[self.statistic.empty(); LANES]; n] } else { Vec::new() },
        };
        let block = |i: usize| all.slice(i * n, (i + 1) * n);
        let before = |i: usize| if i == 0 { ring } else { block(i - 1) };
        let mut done = 0;
        while done < full {
            let abreast = Self::SINGLE && n <= LONGEST_SIDE_BY_SIDE && full - done >= LANES;
            let abreast = abreast && !before(done).has_null() && !all.slice(done * n, (done + LANES) * n).has_null();
            let taken = match full - done {
                _ if abreast => LANES,
                left if packed > 1 => packed.min(left),
                left if left >= lanes => lanes,
                _ => 1,
            };
            let nulls = before(done).has_null() || all.slice(done * n, (done + taken) * n).has_null();
            let mut part = answers.part(done * n, (done + taken) * n);
            let out = part.part(0, taken * n);
            // If the window holds fewer rows than `min_samples`, every result is null.
            if !nulls && n < self.min_samples {
                out.valid.fill(false);
            } else if abreast {
                self.walk_abreast(lanes_of(before, done), lanes_of(block, done), &mut scratch.abreast, out);
            } else if packed > 1 {
                let pairs = |i: usize| (before(done + i), block(done + i));
                if nulls {
                    self.walk_short::<true>(taken, pairs, &mut scratch, out);
                } else {
                    self.walk_short::<false>(taken, pairs, &mut scratch, out);
                }
            } else if Self::NARROW && taken == LANES {
                let (before, blocks) = (lanes_of(before, done), lanes_of(block, done));
                if nulls {
                    self.walk_long::<LANES, true>(before, blocks, &mut scratch, out);
                } else {
                    self.walk_long::<LANES, false>(before, blocks, &mut scratch, out);
                }
            } else if nulls {
                self.walk_long::<1, true>([before(done)], [block(done)], &mut scratch, out);
            } else {
                self.walk_long::<1, false>([before(done)], [block(done)], &mut scratch, out);
            }
            if nulls && S::ANCHORED {
                for lane in 0..taken {
                    self.answer_head(before(done + lane), block(done + lane), part.part(lane * n, (lane + 1) * n));
                }
            }
            done += taken;
        }
    }

    /// Several blocks without nulls, whose summaries are single numbers.  A few rows of each block make a square, which is
    /// turned so that a vector holds one row of every block, and turned back for the results.
    #[inline(always)]
    fn walk_abreast(
        &self,
        before: [Flagged<S::Input>; LANES],
        blocks: [Flagged<S::Input>; LANES],
        suffix: &mut [[S::State; LANES]],
        answers: Answers<S::Output>,
    ) {
        let n = self.rows;
        let statistic = &self.statistic;
        let (before, blocks) = (before.map(|rows| &rows.values[..n]), blocks.map(|rows| &rows.values[..n]));
        let anchors = blocks.map(|rows| rows[0]);
        // Their lengths are `n`, which spares a check per row.
        let values: [&mut [S::Output]; LANES] = take_chunks(answers.values, n).map(|lane: &mut [_]| &mut lane[..n]);
        let valid: [&mut [bool]; LANES] = take_chunks(answers.valid, n).map(|lane: &mut [_]| &mut lane[..n]);
        let suffix = &mut suffix[..n];
        let squares = n - n % LANES;

        let mut summaries = [statistic.empty(); LANES];
        let mut precede = |suffix: &mut [S::State; LANES], rows: [S::Input; LANES]| {
            *suffix = summaries;
            for lane in 0..LANES {
                statistic.push_front(&mut summaries[lane], rows[lane], anchors[lane]);
            }
        };
        for slot in (squares..n).rev() {
            precede(&mut suffix[slot], before.map(|rows| rows[slot]));
        }
        for start in (0..squares).step_by(LANES).rev() {
            let suffix = &mut suffix[start..start + LANES];
            let square = turned(before.map(|rows| square_row(rows, start)));
            for i in (0..LANES).rev() {
                precede(&mut suffix[i], square[i]);
            }
        }

        let mut summaries = [statistic.empty(); LANES];
        let mut follow = |suffix: &[S::State; LANES], rows: [S::Input; LANES]| {
            for lane in 0..LANES {
                statistic.push(&mut summaries[lane], rows[lane], anchors[lane]);
            }
            let (mut answers, mut valid) = ([S::Output::default(); LANES], [true; LANES]);
            for lane in 0..LANES {
                let whole = statistic.merge(&suffix[lane], &summaries[lane]);
                let answer = statistic.finish(&whole, n, anchors[lane]);
                valid[lane] = answer.is_some();
                answers[lane] = answer.unwrap_or_default();
            }
            (answers, valid)
        };
        for start in (0..squares).step_by(LANES) {
            let suffix = &suffix[start..start + LANES];
            let square = turned(blocks.map(|rows| square_row(rows, start)));
            let (mut answers, mut fine) = ([[S::Output::default(); LANES]; LANES], [[true; LANES]; LANES]);
            for i in 0..LANES {
                (answers[i], fine[i]) = follow(&suffix[i], square[i]);
            }
            let (answers, fine) = (turned(answers), turned(fine));
            for lane in 0..LANES {
                values[lane][start..start + LANES].copy_from_slice(&answers[lane]);
                if !S::TOTAL {
                    valid[lane][start..start + LANES].copy_from_slice(&fine[lane]);
                }
            }
        }
        for slot in squares..n {
            let (answers, fine) = follow(&suffix[slot], blocks.map(|rows| rows[slot]));
            for lane in 0..LANES {
                values[lane][slot] = answers[lane];
                if !S::TOTAL {
                    valid[lane][slot] = fine[lane];
                }
            }
        }
    }

    /// Short blocks, as many as fit into a tile.
    #[inline(always)]
    fn walk_short<'r, const NULLS: bool>(
        &self,
        blocks: usize,
        pairs: impl Fn(usize) -> (Flagged<'r, S::Input>, Flagged<'r, S::Input>),
        scratch: &mut Scratch<S>,
        answers: Answers<S::Output>,
    ) {
        let n = self.rows;
        let statistic = &self.statistic;
        let Scratch { suffix, prefix, counts, anchors, .. } = scratch;
        let (suffix, prefix, counts) = (&mut suffix[0], &mut prefix[0], &mut counts[0]);
        let len = (blocks * n).min(TILE);
        for (start, i) in (0..len).step_by(n).zip(0..) {
            let (before, block) = pairs(i);
            let anchor = anchor_of::<S, NULLS>(before, block);
            if S::ANCHORED {
                anchors[start..start + n].fill(anchor);
            }
            // Both directions in one loop, because neither depends on the other.
            let (earlier, later) = (&before.values[..n], &block.values[..n]);
            let leave = if NULLS { &before.valid[..n] } else { before.valid };
            let enter = if NULLS { &block.valid[..n] } else { block.valid };
            let (mut ahead, mut behind) = (statistic.empty(), statistic.empty());
            let mut count = count_valid::<NULLS, _>(before, n);
            for slot in 0..n {
                let mut longer = ahead;
                statistic.push(&mut longer, later[slot], anchor);
                ahead = if !NULLS || enter[slot] { longer } else { ahead };
                prefix.set(start + slot, ahead);
                let from = n - 1 - slot;
                suffix.set(start + from, behind);
                let mut longer = behind;
                statistic.push_front(&mut longer, earlier[from], anchor);
                behind = if !NULLS || leave[from] { longer } else { behind };
                if NULLS {
                    count = count + u32::from(enter[slot]) - u32::from(leave[slot]);
                    counts[start + slot] = count;
                }
            }
        }
        self.finish_tile::<NULLS>(len, (suffix, prefix), counts, |i| anchors[i], answers);
    }

    /// `L` blocks, each with the one before it.
    #[inline(always)]
    fn walk_long<const L: usize, const NULLS: bool>(
        &self,
        before: [Flagged<S::Input>; L],
        blocks: [Flagged<S::Input>; L],
        scratch: &mut Scratch<S>,
        answers: Answers<S::Output>,
    ) {
        let n = self.rows;
        let statistic = &self.statistic;
        let anchors: [S::Input; L] = std::array::from_fn(|lane| anchor_of::<S, NULLS>(before[lane], blocks[lane]));

        // The suffixes of the block before, back to front.
        let tiles = n.div_ceil(TILE);
        let mut suffix: [&mut [TileOf<S>]; L] = take_chunks(&mut scratch.suffix, tiles);
        let mut summaries: [S::State; L] = std::array::from_fn(|_| statistic.empty());
        for tile in (0..tiles).rev() {
            let start = tile * TILE;
            let end = n.min(start + TILE);
            if end == n {
                (0..L).for_each(|lane| suffix[lane][tile].set(n - 1 - start, statistic.empty()));
            }
            // The rows after the slots `start..end`, except for the last slot of the block.
            let last = end.min(n - 1);
            let rows = before.map(|rows| &rows.values[start + 1..last + 1]);
            let valid = before.map(|rows| if NULLS { &rows.valid[start + 1..last + 1] } else { rows.valid });
            let suffix: [&mut TileOf<S>; L] = suffix.each_mut().map(|suffix| &mut suffix[tile]);
            for i in (0..(last - start).min(TILE)).rev() {
                for lane in 0..L {
                    let mut longer = summaries[lane];
                    statistic.push_front(&mut longer, rows[lane][i], anchors[lane]);
                    summaries[lane] = if !NULLS || valid[lane][i] { longer } else { summaries[lane] };
                    suffix[lane].set(i, summaries[lane]);
                }
            }
        }

        let values: [&mut [S::Output]; L] = take_chunks(answers.values, n);
        let valid: [&mut [bool]; L] = take_chunks(answers.valid, n);
        let mut summaries: [S::State; L] = std::array::from_fn(|_| statistic.empty());
        let mut count: [u32; L] = std::array::from_fn(|lane| count_valid::<NULLS, _>(before[lane], n));
        let (prefix, counts) = (&mut scratch.prefix, &mut scratch.counts);
        for (tile, start) in (0..n).step_by(TILE).enumerate() {
            let end = n.min(start + TILE);
            // Row by row, for all lanes at once ...
            let rows = blocks.map(|block| &block.values[start..end]);
            let enter = blocks.map(|block| if NULLS { &block.valid[start..end] } else { block.valid });
            let leave = before.map(|block| if NULLS { &block.valid[start..end] } else { block.valid });
            let len = (end - start).min(TILE);
            for i in 0..len {
                for lane in 0..L {
                    let mut longer = summaries[lane];
                    statistic.push(&mut longer, rows[lane][i], anchors[lane]);
                    summaries[lane] = if !NULLS || enter[lane][i] { longer } else { summaries[lane] };
                    prefix[lane].set(i, summaries[lane]);
                    if NULLS {
                        count[lane] = count[lane] + u32::from(enter[lane][i]) - u32::from(leave[lane][i]);
                        counts[lane][i] = count[lane];
                    }
                }
            }
            // ... then the steps that do not depend on their neighbors, as vectors.
            for lane in 0..L {
                let answers = Answers { values: &mut values[lane][start..end], valid: &mut valid[lane][start..end] };
                let sides = (&suffix[lane][tile], &prefix[lane]);
                self.finish_tile::<NULLS>(len, sides, &counts[lane], |_| anchors[lane], answers);
            }
        }
    }

    /// The last steps of up to a tile of windows.
    #[inline(always)]
    fn finish_tile<const NULLS: bool>(
        &self,
        len: usize,
        (suffix, prefix): (&TileOf<S>, &TileOf<S>),
        counts: &[u32; TILE],
        anchor: impl Fn(usize) -> S::Input,
        answers: Answers<S::Output>,
    ) {
        let statistic = &self.statistic;
        let (values, valid) = (&mut answers.values[..len], &mut answers.valid[..len]);
        for i in 0..len {
            let count = if NULLS { counts[i] as usize } else { self.rows };
            let whole = statistic.merge(&suffix.get(i), &prefix.get(i));
            let answer = statistic.finish(&whole, count, anchor(i));
            if NULLS {
                let answer = if count == 0 { statistic.finish_empty() } else { answer };
                valid[i] = (count >= self.min_samples) & answer.is_some();
                values[i] = answer.unwrap_or_default();
            } else {
                if !S::TOTAL {
                    valid[i] = answer.is_some();
                }
                values[i] = answer.unwrap_or_default();
            }
        }
    }

    /// Recomputes the rows of a block before its first valid one: their windows have values of the block before only, so their
    /// anchor must be a row of that block.
    fn answer_head(&self, before: Flagged<S::Input>, block: Flagged<S::Input>, mut answers: Answers<S::Output>) {
        let head = block.valid.iter().position(|valid| *valid).unwrap_or(self.rows);
        let Some(last) = before.valid.iter().rposition(|valid| *valid).filter(|_| head > 0) else {
            return;
        };
        let anchor = before.values[last];
        let (mut summary, mut count) = (self.statistic.empty(), 0);
        for slot in (1..=last).rev() {
            if before.valid[slot] {
                self.statistic.push_front(&mut summary, before.values[slot], anchor);
                count += 1;
            }
            if slot <= head && count > 0 && count >= self.min_samples {
                let whole = self.statistic.merge(&summary, &self.statistic.empty());
                answers.valid[slot - 1] = true;
                answers.set(slot - 1, self.statistic.finish(&whole, count, anchor));
            }
        }
    }
}

/// The loop as a value that pulp compiles for each instruction set; a closure would not be inlined.
struct Walk<'a, S: Statistic> {
    driver: &'a RollingRows<S>,
    before: Flagged<'a, S::Input>,
    blocks: Flagged<'a, S::Input>,
    full: usize,
    answers: Answers<'a, S::Output>,
}

impl<S: Statistic> pulp::NullaryFnOnce for Walk<'_, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.driver.walk(self.before, self.blocks, self.full, self.answers);
    }
}

/// A row that is in every window of the block from its first valid row on; else one of the block before.
#[inline(always)]
fn anchor_of<S: Statistic, const NULLS: bool>(before: Flagged<S::Input>, block: Flagged<S::Input>) -> S::Input {
    if !NULLS {
        return block.values[0];
    }
    let first = block.valid.iter().position(|valid| *valid).map(|slot| block.values[slot]);
    let last = || before.valid.iter().rposition(|valid| *valid).map(|slot| before.values[slot]);
    first.or_else(last).unwrap_or_default()
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a block has less than 2^32 rows")]
fn count_valid<const NULLS: bool, I>(rows: Flagged<I>, n: usize) -> u32 {
    (if NULLS { rows.valid.iter().filter(|valid| **valid).count() } else { n }) as u32
}

/// Some consecutive rows of one block.
#[inline(always)]
fn square_row<T: Copy>(rows: &[T], start: usize) -> [T; LANES] {
    let rows = &rows[start..start + LANES];
    std::array::from_fn(|i| rows[i])
}

/// The columns of a square.
#[inline(always)]
fn turned<T: Copy>(rows: [[T; LANES]; LANES]) -> [[T; LANES]; LANES] {
    std::array::from_fn(|i| rows.map(|row| row[i]))
}

#[inline(always)]
fn lanes_of<T, const L: usize>(block: impl Fn(usize) -> T, first: usize) -> [T; L] {
    std::array::from_fn(|lane| block(first + lane))
}

/// The first `L` chunks of `n` items.
#[inline(always)]
fn take_chunks<T, const L: usize>(items: &mut [T], n: usize) -> [&mut [T]; L] {
    let mut chunks = items.chunks_exact_mut(n);
    std::array::from_fn(|_| chunks.next().unwrap_or_default())
}
