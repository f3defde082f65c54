//! A kernel over a time-based window, or over a window that a column sets.
//!
//! The values that a window may still need are in a buffer, oldest first; nulls are not added to it.  For each row the window's
//! two ends move forward, and a [`Sliding`] summary follows them: two stacks for a statistic, insertion and removal for
//! an ordered window.
//!
//! *Two stacks* (Tangwongsan, Hirzel, Schneider, VLDB J. 2021): the window is a front, for which the summary of every
//! suffix is known, and a back, summarized as it grows.  When the front is used up, the whole window becomes the front.  So
//! each value is summarized twice, and nothing is subtracted.  All sums are relative to the front's last value, which
//! stays in the window as long as the front is not used up.  When the front turns depends on the rows only, never on batches.
//!
//! A column can set where the window of each row starts, by time or by the row's number, which then serves as the time.  As long
//! as the start only moves forward, nothing else changes.  If it decreases, which is an error in a stage, the window is
//! summarized again from values that had left it, so values are kept then.

use super::{Answers, Driver, Rows};
use crate::error::{Error, Result};
use crate::model::scale::{self, is_wild};
use crate::model::{OrderedWindow, Statistic};
use crate::spec::First;
use crate::values::Input;
use crate::values::{StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct RollingTime<K> {
    pub(crate) summary: K,
    pub(crate) reach: Reach,
    /// Whether the window includes rows of the current row's time, up to the current row.
    pub(crate) includes_current: bool,
    pub(crate) min_samples: usize,
    /// Whether values that have left the window may return.
    pub(crate) keeps_all: bool,
}

/// How far a window reaches back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The largest difference to the current row's time that is still in the window.
    Fixed(u64),
    /// To the first time that a column sets for each row.
    Told,
}

/// The values that a window may still need, and the window's ends among them.
#[derive(Debug, Clone)]
pub struct Span<I, S> {
    times: Vec<i64>,
    values: Vec<I>,
    head: usize,
    tail: usize,
    summary: S,
}

/// A summary that follows a window's two ends.
pub trait Sliding: Clone + Send + Sync + 'static {
    /// A row.
    type Input: Input;
    /// A result.
    type Output: crate::values::Output;
    /// What is computed from the window's values.
    type State: Clone + Send + Sync;

    /// The summary of an empty window that begins at `at`.
    fn start(&self, at: usize) -> Self::State;
    /// Moves the window from `from` to `to`; both ends only move forward.
    fn slide(&self, state: &mut Self::State, values: &[Self::Input], from: (usize, usize), to: (usize, usize));
    /// The result of a window of `count` values, for a row with the value `current`; `None` if it is undefined.
    fn answer(
        &self,
        state: &Self::State,
        values: &[Self::Input],
        head: usize,
        count: usize,
        current: Option<Self::Input>,
    ) -> Option<Self::Output>;
    /// Adapts the state when the first `by` values of the buffer are dropped.
    fn rebase(&self, state: &mut Self::State, by: usize);
    /// Where the front ends; `tail` if there is no front.
    fn turn(&self, state: &Self::State, tail: usize) -> usize;
    /// The summary of a window that last turned at `turn`.
    fn resume(&self, values: &[Self::Input], head: usize, turn: usize, tail: usize) -> Self::State;
    /// The heap bytes of a state.
    fn heap_bytes(&self, state: &Self::State) -> usize;
}

/// A statistic by two stacks.
#[derive(Debug, Clone)]
pub struct TwoStacks<S>(pub S);

/// The summaries of the front's suffixes, and of the back.
#[derive(Debug, Clone)]
pub struct Stacks<S: Statistic> {
    /// `suffix[i]` summarizes the values `begin + i..turn`.
    suffix: Vec<S::State>,
    begin: usize,
    turn: usize,
    back: S::State,
    /// Where the buffer goes on after the last huge or tiny value; 0 if it has none.
    wild: usize,
}

impl<S: Statistic> TwoStacks<S> {
    /// Makes the window the front, up to the last value that can be the anchor; the rest is the back.
    fn turn_at(&self, state: &mut Stacks<S>, values: &[S::Input], head: usize, tail: usize) {
        let anchor = values[head..tail].iter().rposition(|x| S::can_anchor(*x));
        let turn = anchor.map_or(tail, |at| head + at + 1);
        let mut summary = self.0.empty();
        state.suffix.clear();
        state.suffix.resize(turn - head, summary);
        (state.begin, state.turn, state.back) = (head, turn, self.0.empty());
        if head < turn {
            let anchor = values[turn - 1];
            for (slot, x) in state.suffix.iter_mut().zip(&values[head..turn]).rev() {
                self.0.push_front(&mut summary, *x, anchor);
                *slot = summary;
            }
            values[turn..tail].iter().for_each(|x| self.0.push(&mut state.back, *x, anchor));
        }
    }
}

impl<S: Statistic> Sliding for TwoStacks<S> {
    type Input = S::Input;
    type Output = S::Output;
    type State = Stacks<S>;

    fn start(&self, at: usize) -> Stacks<S> {
        Stacks { suffix: Vec::new(), begin: at, turn: at, back: self.0.empty(), wild: 0 }
    }

    #[inline]
    fn slide(&self, state: &mut Stacks<S>, values: &[S::Input], from: (usize, usize), to: (usize, usize)) {
        let (head, tail) = to;
        if S::DEGREE > 0
            && let Some(at) = values[from.1..tail].iter().rposition(|x| is_wild::<S>(*x))
        {
            state.wild = from.1 + at + 1;
        }
        if head >= state.turn {
            if tail > from.1 || head > from.0 {
                self.turn_at(state, values, head, tail);
            }
            return;
        }
        let anchor = values[state.turn - 1];
        let new = &values[from.1..tail];
        if !S::can_anchor(anchor) && new.iter().any(|x| S::can_anchor(*x)) {
            self.turn_at(state, values, head, tail);
            return;
        }
        new.iter().for_each(|x| self.0.push(&mut state.back, *x, anchor));
    }

    #[inline]
    fn answer(
        &self,
        state: &Stacks<S>,
        values: &[S::Input],
        head: usize,
        count: usize,
        _: Option<S::Input>,
    ) -> Option<S::Output> {
        if S::DEGREE > 0 && count > 0 && head < state.wild {
            let (earlier, later) = values[head..head + count].split_at(state.turn - head);
            return scale::answer(&self.0, Some(earlier), later, values[state.turn - 1]);
        }
        match state.suffix.get(head - state.begin) {
            Some(front) if count > 0 => self.0.finish(&self.0.merge(front, &state.back), count, values[state.turn - 1]),
            _ => self.0.finish_empty(),
        }
    }

    fn rebase(&self, state: &mut Stacks<S>, by: usize) {
        let used_up = by.saturating_sub(state.begin).min(state.suffix.len());
        state.suffix.drain(..used_up);
        state.begin = (state.begin + used_up).saturating_sub(by);
        state.turn = state.turn.saturating_sub(by);
        state.wild = state.wild.saturating_sub(by);
    }

    fn turn(&self, state: &Stacks<S>, _tail: usize) -> usize {
        state.turn
    }

    fn resume(&self, values: &[S::Input], head: usize, turn: usize, tail: usize) -> Stacks<S> {
        let mut state = self.start(head);
        let wild = values[head..turn].iter().rposition(|x| is_wild::<S>(*x));
        state.wild = wild.map_or(0, |at| head + at + 1);
        self.turn_at(&mut state, values, head, turn);
        self.slide(&mut state, values, (head, turn), (head, tail));
        state
    }

    fn heap_bytes(&self, state: &Stacks<S>) -> usize {
        state.suffix.capacity() * size_of::<S::State>()
    }
}

/// An ordered window by insertion and removal.
#[derive(Debug, Clone)]
pub struct Sorted<W>(pub W);

impl<W: OrderedWindow> Sliding for Sorted<W> {
    type Input = W::Input;
    type Output = W::Output;
    type State = W::State;

    fn start(&self, _at: usize) -> W::State {
        self.0.empty()
    }

    fn slide(&self, state: &mut W::State, values: &[W::Input], from: (usize, usize), to: (usize, usize)) {
        // Values that entered and left between two rows never count.
        for x in &values[from.1.max(to.0).min(to.1)..to.1] {
            self.0.insert(state, *x);
        }
        for x in &values[from.0..to.0.min(from.1)] {
            self.0.remove(state, *x);
        }
    }

    fn answer(
        &self,
        state: &W::State,
        _: &[W::Input],
        _: usize,
        count: usize,
        current: Option<W::Input>,
    ) -> Option<W::Output> {
        if count == 0 { self.0.answer_empty() } else { self.0.answer(state, current) }
    }

    fn rebase(&self, _: &mut W::State, _: usize) {}

    fn turn(&self, _: &W::State, tail: usize) -> usize {
        tail
    }

    fn resume(&self, values: &[W::Input], head: usize, _: usize, tail: usize) -> W::State {
        let mut state = self.0.empty();
        values[head..tail].iter().for_each(|x| self.0.insert(&mut state, *x));
        state
    }

    fn heap_bytes(&self, state: &W::State) -> usize {
        self.0.heap_bytes(state)
    }
}

/// Rows are processed in stretches of this many, so that the buffer stays small and in cache.
const STRETCH: usize = 1 << 10;

/// How many rows look for the beginnings of their windows at the same time.
const SEEKERS: usize = 4;

/// For each row from `before` on the first row, from `head` on, that is at most `reach` earlier.
fn find_heads(times: &[i64], before: usize, head: usize, reach: u64, heads: &mut [usize]) {
    // Times do not decrease, so the difference is exact as an unsigned number even if `i64` would overflow.
    let is_out = |now: i64, time: i64| now.wrapping_sub(time).cast_unsigned() > reach;
    let first = |row: usize, from: usize| from + times[from..row].partition_point(|time| is_out(times[row], *time));
    let seek = |row: usize, mut at: usize| {
        let now = times[row];
        // Two steps without a branch are enough for most rows; the row itself is never out.
        at += usize::from(is_out(now, times[at]));
        at += usize::from(is_out(now, times[at]));
        while is_out(now, times[at]) {
            at += 1;
        }
        at
    };
    let share = heads.len() / SEEKERS;
    let mut seekers: [usize; SEEKERS] = std::array::from_fn(|seeker| first(before + seeker * share, head));
    for i in 0..share {
        for (seeker, at) in seekers.iter_mut().enumerate() {
            let row = seeker * share + i;
            *at = seek(before + row, *at);
            heads[row] = *at;
        }
    }
    let mut at = seekers[SEEKERS - 1];
    for (row, found) in heads.iter_mut().enumerate().skip(SEEKERS * share) {
        at = seek(before + row, at);
        *found = at;
    }
}

impl<K: Sliding> RollingTime<K> {
    fn run_stretch(
        &self,
        state: &mut Span<K::Input, K::State>,
        rows: Rows<K::Input>,
        answers: &mut Answers<K::Output>,
        at: usize,
    ) {
        let len = rows.len();
        for i in 0..len {
            let now = rows.times[i];
            if rows.is_valid(i) {
                state.times.push(now);
                state.values.push(rows.values[i]);
            }
            let (mut head, mut tail) = (state.head, state.tail);
            let end = state.times.len();
            if self.includes_current {
                tail = end;
            } else {
                while tail < end && state.times[tail] < now {
                    tail += 1;
                }
            }
            match self.reach {
                // Times do not decrease, so the difference is exact as an unsigned number even if `i64` would overflow.
                Reach::Fixed(reach) => {
                    while head < tail && now.wrapping_sub(state.times[head]).cast_unsigned() > reach {
                        head += 1;
                    }
                }
                Reach::Told => {
                    let first = match rows.firsts[i] {
                        First::At(first) => first,
                        First::Missing => {
                            answers.set(at + i, None);
                            continue;
                        }
                        First::Empty => {
                            let nothing = self.summary.answer(&state.summary, &state.values, head, 0, rows.get(i));
                            answers.set(at + i, nothing.filter(|_| self.min_samples == 0));
                            continue;
                        }
                    };
                    if head > 0 && state.times[head - 1] >= first {
                        self.go_back(state, first);
                        head = state.head;
                    }
                    while head < tail && state.times[head] < first {
                        head += 1;
                    }
                }
            }
            if (head, tail) != (state.head, state.tail) {
                self.summary.slide(&mut state.summary, &state.values, (state.head, state.tail), (head, tail));
                (state.head, state.tail) = (head, tail);
            }
            let count = tail - head;
            let answer = if count < self.min_samples {
                None
            } else {
                self.summary.answer(&state.summary, &state.values, head, count, rows.get(i))
            };
            answers.set(at + i, answer);
        }
        self.drop_used_up(state);
    }

    /// As [`RollingTime::run_stretch`], for windows up to the current row, without nulls.
    ///
    /// Where the windows begin is found first, without branches that depend on the times: most are guessed wrong.
    fn run_plain(
        &self,
        state: &mut Span<K::Input, K::State>,
        rows: Rows<K::Input>,
        reach: u64,
        answers: &mut Answers<K::Output>,
        at: usize,
    ) {
        let before = state.times.len();
        state.times.extend_from_slice(rows.times);
        state.values.extend_from_slice(rows.values);
        let mut heads = [0; STRETCH];
        let heads = &mut heads[..rows.len()];
        find_heads(&state.times, before, state.head, reach, heads);
        let Span { values, head, tail, summary, .. } = state;
        for (i, new_head) in heads.iter().enumerate() {
            let new_tail = before + i + 1;
            self.summary.slide(summary, values, (*head, *tail), (*new_head, new_tail));
            (*head, *tail) = (*new_head, new_tail);
            let count = new_tail - new_head;
            let answer = if count < self.min_samples {
                None
            } else {
                self.summary.answer(summary, values, *new_head, count, Some(rows.values[i]))
            };
            answers.set(at + i, answer);
        }
        self.drop_used_up(state);
    }

    /// Moves the window's head back to the first value at `first` or later.
    #[cold]
    fn go_back(&self, state: &mut Span<K::Input, K::State>, first: i64) {
        state.head = state.times[..state.head].partition_point(|time| *time < first);
        state.summary = self.summary.resume(&state.values, state.head, state.tail, state.tail);
    }

    /// Drops the values before the window once they are most of the buffer.
    fn drop_used_up(&self, state: &mut Span<K::Input, K::State>) {
        let by = state.head;
        if by > state.values.len() / 2 && !self.keeps_all {
            self.summary.rebase(&mut state.summary, by);
            state.values.drain(..by);
            state.times.drain(..by);
            state.head = 0;
            state.tail -= by;
        }
    }
}

impl<K: Sliding> Driver for RollingTime<K> {
    type Input = K::Input;
    type Output = K::Output;
    type State = Span<K::Input, K::State>;

    fn start(&self) -> Self::State {
        Span { times: Vec::new(), values: Vec::new(), head: 0, tail: 0, summary: self.summary.start(0) }
    }

    fn run(&self, state: &mut Self::State, rows: Rows<K::Input>, mut answers: Answers<K::Output>) {
        for start in (0..rows.len()).step_by(STRETCH) {
            let end = rows.len().min(start + STRETCH);
            let stretch = rows.slice(start, end);
            match self.reach {
                Reach::Fixed(reach)
                    if self.includes_current && stretch.valid.is_none_or(|valid| !valid.contains(&false)) =>
                {
                    self.run_plain(state, stretch, reach, &mut answers, start);
                }
                _ => self.run_stretch(state, stretch, &mut answers, start),
            }
        }
    }

    fn cost(&self) -> usize {
        10
    }

    fn write(&self, state: &Self::State, to: &mut StateWriter) {
        to.integers("times", state.times[state.head..].iter().copied());
        to.rows("values", state.values[state.head..].iter().map(|x| Some(*x)));
        to.count("window", state.tail - state.head);
        to.count("turn", self.summary.turn(&state.summary, state.tail).saturating_sub(state.head));
    }

    fn read(&self, from: &mut StateReader) -> Result<Self::State> {
        let times = from.integers("times")?;
        let values: Option<Vec<K::Input>> = from.rows("values")?.into_iter().collect();
        let (tail, turn) = (from.count("window")?, from.count("turn")?);
        match values {
            Some(values) if values.len() == times.len() && tail <= values.len() && turn <= tail => {
                let summary = self.summary.resume(&values, 0, turn, tail);
                Ok(Span { times, values, head: 0, tail, summary })
            }
            _ => Err(Error::state("the values and times of a window do not match")),
        }
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.times.capacity() * size_of::<i64>()
            + state.values.capacity() * size_of::<K::Input>()
            + self.summary.heap_bytes(&state.summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_begin_where_a_search_finds_it(
            steps in proptest::collection::vec(prop_oneof![4 => 0i64..4, 1 => 0i64..40], 1..60),
            (base, reach) in (prop_oneof![Just(0i64), Just(i64::MIN), Just(i64::MAX - 3000)], 0u64..50),
            part in 0usize..100,
        ) {
            let times: Vec<i64> = steps.iter().scan(base, |now, step| { *now += step; Some(*now) }).collect();
            let before = times.len() * part / 100;
            let first = |row: usize| times.iter().position(|time| times[row].abs_diff(*time) <= reach).unwrap();
            let mut heads = vec![0; times.len() - before];
            find_heads(&times, before, first(before), reach, &mut heads);
            let expected: Vec<usize> = (before..times.len()).map(first).collect();
            prop_assert_eq!(heads, expected);
        }
    }
}
