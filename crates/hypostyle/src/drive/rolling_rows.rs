//! A statistic over the last `n` rows, without ever subtracting.
//!
//! Sliding a sum by adding the new value and subtracting the old one drifts, and one infinity affects all later results.
//! Instead each key's rows are cut into blocks of `n`, counted from its first row.  A window that ends in block b is a
//! suffix of block b-1 merged with a prefix of block b (van Herk 1992; Gil and Werman 1993): each row costs one step of a
//! suffix, one of a prefix and one merge, for any `n`.
//!
//! The sums of both blocks are kept relative to the first value of block b, the anchor, which every window of block b
//! contains.  So neither a huge mean nor a spike that has left the window costs precision.
//!
//! Only the last `n` rows are state; suffixes and prefix are computed from them.  So a saved state is small and readable, and a
//! long sequence can be split among threads at block borders with bit-identical results.  Short windows keep no suffixes between
//! batches, because memory matters with many keys; long ones do, so that a single row does not cost a pass over them.

use arrayvec::ArrayVec;
use thin_vec::{ThinVec, thin_vec};

use super::{Answers, Columns, Driver, PORTION, Rows, cut_at_multiples, run_ranges};
use crate::error::{Error, Result};
use crate::model::Statistic;
use crate::model::scale::{self, any_wild, is_wild};
use crate::values::{StateReader, StateWriter};

/// The maximum number of blocks that run at once.
pub(super) const LANES: usize = 4;

/// A sequence shorter than this is not worth a second thread.
pub(crate) const ROWS_PER_THREAD: usize = 1 << 15;

/// Windows of at most this many rows keep no suffixes between batches.
const SHORT: usize = 64;

/// See the module.
#[derive(Debug, Clone)]
pub struct RollingRows<S> {
    pub(crate) statistic: S,
    /// How many rows the window holds; 0 for `closed="neither"` with one row.
    pub(crate) rows: usize,
    /// Whether the window ends before the current row.
    pub(crate) lagged: bool,
    pub(crate) min_samples: usize,
}

/// The last rows of a key, and the summaries that are computed from them.  Memory matters with many keys: the three vectors are
/// one pointer each, and most keys need only one of them.
#[derive(Debug, Clone)]
pub struct Block<S: Statistic> {
    /// Slot j holds row j of the current block if `j < offset`, else of the previous block.
    pub(super) ring: ThinVec<S::Input>,
    /// Which slots are valid; empty if all are.
    pub(super) valid: ThinVec<bool>,
    /// How many rows of the current block were read.
    offset: usize,
    /// How many rows of the window are valid.
    pub(super) count: usize,
    /// `suffix[j]` summarizes the slots `j..` of the previous block; empty if there is none, or it is not built.
    suffix: ThinVec<S::State>,
    prefix: S::State,
    /// The first valid row of the current block.
    anchor: Option<S::Input>,
    /// The anchor of the suffixes while the current block has no valid row yet.
    suffix_anchor: Option<S::Input>,
    /// The result of the window that ended at the last row, for lagged windows.
    held: Option<S::Output>,
    /// How many rows ago the last huge or tiny value came; at least the window's length if the window has none.
    wild: u32,
}

/// The heap bytes of a vector.
fn heap_of<T>(items: &ThinVec<T>) -> usize {
    // Length and capacity are on the heap too.
    if items.capacity() == 0 { 0 } else { items.capacity() * size_of::<T>() + 2 * size_of::<usize>() }
}

impl<S: Statistic> Block<S> {
    fn is_valid(&self, slot: usize) -> bool {
        self.valid.is_empty() || self.valid[slot]
    }

    /// Allocates flags, all of them true.
    pub(super) fn flag_all(&mut self) {
        if self.valid.is_empty() {
            self.valid.resize(self.ring.len(), true);
        }
    }

    /// Drops flags that are all true.
    pub(super) fn drop_needless_flags(&mut self) {
        if !self.valid.contains(&false) {
            self.valid = ThinVec::new();
        }
    }
}

impl<S: Statistic> RollingRows<S> {
    fn has_previous(&self, state: &Block<S>) -> bool {
        state.ring.len() == self.rows
    }

    /// Summarizes the slots `from..` of the previous block, back to front: `keep` gets each slot and its suffix.
    fn suffixes(&self, state: &Block<S>, from: usize, anchor: S::Input, mut keep: impl FnMut(usize, S::State)) {
        let mut summary = self.statistic.empty();
        keep(self.rows, summary);
        for slot in (from..self.rows).rev() {
            if state.is_valid(slot) {
                self.statistic.push_front(&mut summary, state.ring[slot], anchor);
            }
            keep(slot, summary);
        }
    }

    /// The result of a window of the current block's rows and those that `suffix` summarizes.
    fn answer(&self, state: &Block<S>, suffix: Option<&S::State>) -> Option<S::Output> {
        if state.count < self.min_samples {
            return None;
        }
        match state.anchor.or(state.suffix_anchor) {
            Some(anchor) if state.count > 0 => match suffix {
                Some(suffix) => {
                    self.statistic.finish(&self.statistic.merge(suffix, &state.prefix), state.count, anchor)
                }
                None => self.statistic.finish(&state.prefix, state.count, anchor),
            },
            // Only rows that cannot be anchors, which do not depend on the anchor.
            None if state.count > 0 => self.statistic.finish(&state.prefix, state.count, S::Input::default()),
            _ => self.statistic.finish_empty(),
        }
    }

    /// The last row of the previous block after `slot` that can be the anchor while the current block has none: a window that
    /// holds any such row holds that one.
    fn anchor_alone(&self, state: &Block<S>, slot: usize) -> Option<S::Input> {
        let slots = || (slot + 1..self.rows).rev().filter(|slot| state.is_valid(*slot));
        let anchor = slots().find(|slot| S::can_anchor(state.ring[*slot])).or_else(|| slots().next());
        anchor.map(|slot| state.ring[slot])
    }

    /// Adds a row; returns whether it becomes the current block's anchor.
    #[inline(always)]
    fn take(&self, state: &mut Block<S>, slot: usize, row: Option<S::Input>) -> bool {
        let previous = self.has_previous(state);
        if previous && state.is_valid(slot) {
            state.count -= 1;
        }
        if S::DEGREE > 0 {
            state.wild = if row.is_some_and(is_wild::<S>) { 0 } else { state.wild.saturating_add(1) };
        }
        let becomes_anchor = state.anchor.is_none() && row.is_some_and(|x| S::can_anchor(x));
        if becomes_anchor {
            state.anchor = row;
        } else if previous && state.anchor.or(state.suffix_anchor).is_none() {
            state.suffix_anchor = self.anchor_alone(state, slot);
        }
        if let Some(x) = row {
            let anchor = state.anchor.unwrap_or(x);
            self.statistic.push(&mut state.prefix, x, anchor);
            state.count += 1;
        }
        becomes_anchor
    }

    /// Rows that stay within the current block.
    fn run_within_block(&self, state: &mut Block<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        let previous = self.has_previous(state);
        // The suffixes of a short window exist during this call only, indexed by how many slots they summarize.
        let mut short = ArrayVec::<S::State, { SHORT + 1 }>::new();
        for i in 0..rows.len() {
            let slot = state.offset + i;
            let new_anchor = self.take(state, slot, rows.get(i));
            let stale = new_anchor && S::ANCHORED;
            if S::DEGREE > 0 && self.holds_wild(state) {
                answers.set(i, self.scaled_answer(state, rows.slice(0, i + 1)));
                if stale {
                    state.suffix.clear();
                    short.clear();
                }
                continue;
            }
            let answer = match state.anchor.or(state.suffix_anchor).filter(|_| previous) {
                Some(anchor) if self.rows <= SHORT => {
                    if short.is_empty() || stale {
                        short.clear();
                        self.suffixes(state, slot + 1, anchor, |_, suffix| short.push(suffix));
                    }
                    self.answer(state, short.get(self.rows - slot - 1))
                }
                Some(anchor) => {
                    if state.suffix.is_empty() || stale {
                        let mut suffix = std::mem::take(&mut state.suffix);
                        suffix.resize(self.rows + 1, self.statistic.empty());
                        self.suffixes(state, slot + 1, anchor, |slot, summary| suffix[slot] = summary);
                        state.suffix = suffix;
                    }
                    self.answer(state, state.suffix.get(slot + 1))
                }
                None => self.answer(state, None),
            };
            answers.set(i, answer);
        }
        self.keep(state, rows);
    }

    /// Whether the window that ends at the last row has a huge or tiny value.
    fn holds_wild(&self, state: &Block<S>) -> bool {
        (state.wild as usize) < self.rows
    }

    /// The result of the window that ends with these rows of the current block, from scaled values.
    #[cold]
    fn scaled_answer(&self, state: &Block<S>, rows: Rows<S::Input>) -> Option<S::Output> {
        if state.count < self.min_samples {
            return None;
        }
        let kept = |slots: std::ops::Range<usize>| {
            slots.filter(|slot| state.is_valid(*slot)).map(|slot| state.ring[slot]).collect::<Vec<_>>()
        };
        let anchor = state.anchor.or(state.suffix_anchor);
        let earlier = anchor.filter(|_| self.has_previous(state)).map(|_| kept(state.offset + rows.len()..self.rows));
        let mut later = kept(0..state.offset);
        later.extend((0..rows.len()).filter_map(|row| rows.get(row)));
        scale::answer(&self.statistic, earlier.as_deref(), &later, anchor.unwrap_or_default())
    }

    /// How many rows ago the last huge or tiny value came.
    fn since_wild(newest_first: impl Iterator<Item = Option<S::Input>>) -> u32 {
        if S::DEGREE == 0 {
            return u32::MAX;
        }
        let ages = newest_first.zip(0..u32::MAX);
        ages.filter(|(row, _)| row.is_some_and(is_wild::<S>)).map(|(_, age)| age).next().unwrap_or(u32::MAX)
    }

    /// Adds rows that have results to the ring and moves on, to the next block if this one is full.
    fn keep(&self, state: &mut Block<S>, rows: Rows<S::Input>) {
        let end = state.offset + rows.len();
        let has_null = rows.valid.is_some_and(|valid| valid.contains(&false));
        if has_null {
            state.flag_all();
        }
        if self.has_previous(state) {
            state.ring[state.offset..end].copy_from_slice(rows.values);
            if let Some(slots) = state.valid.get_mut(state.offset..end) {
                match rows.valid {
                    Some(valid) => slots.copy_from_slice(valid),
                    None => slots.fill(true),
                }
            }
        } else {
            if state.ring.capacity() < end {
                // The capacity doubles, up to the window.
                let wanted = end.max(2 * state.ring.capacity()).max(4).min(self.rows);
                state.ring.reserve_exact(wanted - state.ring.len());
            }
            let flagged = has_null || !state.valid.is_empty();
            state.ring.extend_from_slice(rows.values);
            match rows.valid {
                Some(valid) if flagged => state.valid.extend_from_slice(valid),
                None if flagged => state.valid.resize(end, true),
                _ => {}
            }
        }
        state.offset = end;
        if end == self.rows {
            state.drop_needless_flags();
            self.begin_block(state);
        }
    }

    pub(super) fn begin_block(&self, state: &mut Block<S>) {
        state.offset = 0;
        state.prefix = self.statistic.empty();
        state.suffix.clear();
        state.anchor = None;
        state.suffix_anchor = None;
    }

    /// Computes the windows that end at each row.
    fn run_unlagged(&self, state: &mut Block<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        let mut done = 0;
        while done < rows.len() {
            if state.offset == 0 {
                let end = done + self.plain_rows(state, rows.slice(done, rows.len()));
                let part = answers.part(done, end);
                done += self.run_whole_blocks(state, rows.slice(done, end), part);
            }
            let end = rows.len().min(done + self.rows - state.offset);
            self.run_within_block(state, rows.slice(done, end), answers.part(done, end));
            done = end;
        }
    }

    /// How many of the rows are in whole blocks whose rows can all be anchors and are of ordinary size, and those of the block
    /// before too.
    fn plain_rows(&self, state: &Block<S>, rows: Rows<S::Input>) -> usize {
        let plain = |values: &[S::Input]| values.iter().all(|x| S::can_anchor(*x)) && !any_wild::<S>(values);
        if self.holds_wild(state) || !state.ring.iter().all(|x| S::can_anchor(*x)) {
            return 0;
        }
        let blocks = rows.values.chunks_exact(self.rows);
        let whole = rows.len() - blocks.remainder().len();
        if plain(&rows.values[..whole]) { whole } else { blocks.take_while(|block| plain(block)).count() * self.rows }
    }

    /// The state at a block's border, from the rows of the block before it.
    fn at_border(&self, previous: Rows<S::Input>) -> Block<S> {
        let mut state = self.start();
        state.count = (0..previous.len()).filter(|i| previous.is_valid(*i)).count();
        state.wild = Self::since_wild((0..previous.len()).rev().map(|row| previous.get(row)));
        self.keep(&mut state, previous);
        state
    }

    fn shift(&self, state: &mut Block<S>, answers: Answers<S::Output>) {
        let len = answers.values.len();
        if !self.lagged || len == 0 {
            return;
        }
        let last = answers.valid[len - 1].then(|| answers.values[len - 1]);
        answers.values.copy_within(..len - 1, 1);
        answers.valid.copy_within(..len - 1, 1);
        answers.valid[0] = state.held.is_some();
        answers.values[0] = state.held.unwrap_or_default();
        state.held = last;
    }
}

impl<S: Statistic> Driver for RollingRows<S> {
    type Input = S::Input;
    type Output = S::Output;
    type State = Block<S>;

    const SPLITS: bool = true;

    fn start(&self) -> Block<S> {
        Block {
            ring: ThinVec::new(),
            valid: ThinVec::new(),
            offset: 0,
            count: 0,
            wild: u32::MAX,
            suffix: ThinVec::new(),
            prefix: self.statistic.empty(),
            anchor: None,
            suffix_anchor: None,
            held: if self.min_samples == 0 { self.statistic.finish_empty() } else { None },
        }
    }

    fn run(&self, state: &mut Block<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        if self.rows == 0 {
            (0..rows.len()).for_each(|i| answers.set(i, state.held));
            return;
        }
        self.run_unlagged(state, rows, answers.part(0, rows.len()));
        self.shift(state, answers);
    }

    fn portion(&self) -> usize {
        // Whole blocks, and enough of them to run several at once.
        let blocks = (PORTION / self.rows.max(1)).max(2 * LANES);
        self.rows.max(1).saturating_mul(blocks)
    }

    fn state_size(&self) -> usize {
        let suffix = if self.rows <= SHORT { 0 } else { size_of::<S::State>() };
        size_of::<Block<S>>().saturating_add(self.rows.saturating_mul(size_of::<S::Input>() + suffix))
    }

    fn run_parallel(
        &self,
        state: &mut Block<S>,
        columns: &Columns<S::Input>,
        mut answers: Answers<S::Output>,
        threads: usize,
    ) {
        // The first border that has a whole block before it, all of it in these rows.
        let border = self.rows - state.offset + self.rows;
        let len = columns.len();
        let parts = threads.min(len / ROWS_PER_THREAD);
        if self.rows == 0 || parts < 2 || border >= len / 2 {
            return self.run_portions(state, columns, 0, answers);
        }
        // Lagged results are moved by one row at the end, over all parts.
        let unlagged = Self { lagged: false, ..self.clone() };
        let held = state.held;
        let ranges = cut_at_multiples(len, border, self.rows, parts);
        run_ranges(&unlagged, state, columns, answers.part(0, len), &ranges, |start| {
            columns.with_rows(start - self.rows, start, |rows| self.at_border(rows))
        });
        state.held = held;
        self.shift(state, answers);
    }

    fn write(&self, state: &Block<S>, to: &mut StateWriter) {
        // Oldest row first.  Before the first block is full, the ring begins at slot 0 and `offset` is its length.
        let split = if self.has_previous(state) { state.offset } else { 0 };
        let order = (split..state.ring.len()).chain(0..split);
        to.rows("rows", order.map(|slot| state.is_valid(slot).then(|| state.ring[slot])));
        to.count("offset", state.offset);
        to.answer("held", state.held);
    }

    fn read(&self, from: &mut StateReader) -> Result<Block<S>> {
        let rows: Vec<Option<S::Input>> = from.rows("rows")?;
        let offset = from.count("offset")?;
        let held = from.answer("held")?;
        let full = rows.len() == self.rows && self.rows > 0;
        if rows.len() > self.rows || (full && offset >= self.rows) || (!full && offset != rows.len()) {
            return Err(Error::state(format!(
                "a window needs at most {} rows, got {} at {offset}",
                self.rows,
                rows.len()
            )));
        }
        let mut state = self.start();
        // The rows of the previous block get their slots; then the current block's rows run again.
        let carried = if full { self.rows - offset } else { 0 };
        let (values, valid): (Vec<_>, Vec<_>) = rows.iter().map(|row| (row.unwrap_or_default(), row.is_some())).unzip();
        if full {
            state.ring = thin_vec![S::Input::default(); offset];
            state.valid = thin_vec![false; offset];
            state.ring.extend_from_slice(&values[..carried]);
            state.valid.extend_from_slice(&valid[..carried]);
            state.count = valid[..carried].iter().filter(|v| **v).count();
            state.wild = Self::since_wild(rows[..carried].iter().rev().copied());
        }
        let current = Rows { values: &values[carried..], valid: Some(&valid[carried..]), times: &[], firsts: &[] };
        let mut answers = vec![S::Output::default(); current.len()];
        let mut answered = vec![true; current.len()];
        if current.len() > 0 {
            self.run_within_block(&mut state, current, Answers { values: &mut answers, valid: &mut answered });
        }
        state.held = held;
        state.drop_needless_flags();
        Ok(state)
    }

    fn heap_bytes(&self, state: &Block<S>) -> usize {
        heap_of(&state.ring) + heap_of(&state.valid) + heap_of(&state.suffix)
    }
}
