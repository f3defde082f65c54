//! Statistics: summaries of rows that can be extended by a row and merged with the summary of later rows.

use crate::values::{Input, Output, Persist};

/// A mergeable summary of rows.
///
/// Laws: `merge` is associative, `empty` is its neutral element, and
/// `push(s, x) == merge(s, push(empty, x))` up to rounding.
///
/// Sums of differences keep their digits where sums of values cancel, so every call that adds a row also names an *anchor*:
/// some row of the same window.  A statistic may keep its sums relative to it; summaries are merged only when they have
/// the same anchor.
///
/// ```
/// use hypostyle::Statistic;
///
/// /// The largest distance from zero.
/// #[derive(Clone)]
/// struct Peak;
///
/// impl Statistic for Peak {
///     type Input = f64;
///     type Output = f64;
///     type State = f64;
///     fn empty(&self) -> f64 {
///         0.0
///     }
///     fn push(&self, state: &mut f64, x: f64, _anchor: f64) {
///         *state = state.max(x.abs());
///     }
///     fn merge(&self, earlier: &f64, later: &f64) -> f64 {
///         earlier.max(*later)
///     }
///     fn finish(&self, state: &f64, _count: usize, _anchor: f64) -> Option<f64> {
///         Some(*state)
///     }
/// }
/// assert_eq!(hypostyle::aggregate(&Peak, &[1.0, -3.0, 2.0]), Some(3.0));
/// ```
pub trait Statistic: Clone + Send + Sync + 'static {
    /// A row; the driver never passes a null.
    type Input: Input;
    /// The result.
    type Output: Output;
    /// The summary.
    type State: Summary + Persist;

    /// Whether the state depends on the anchor.
    const ANCHORED: bool = false;

    /// Whether a row can be the anchor.  A row that cannot, such as one of weight 0, must not change the summary for any anchor,
    /// unless it has a NaN or an infinity.
    #[inline(always)]
    fn can_anchor(_x: Self::Input) -> bool {
        true
    }

    /// Whether every window with a row in it has a result.
    const TOTAL: bool = false;

    /// Whether a [`push`](Statistic::push) takes much longer than an addition, so that several blocks of a window are better run
    /// side by side than one after the other.
    const SLOW_PUSH: bool = false;

    /// The highest power of its values, of one column or of several together, that the summary holds a sum of, if it is 2 or
    /// more: then windows with huge or tiny values are summarized from scaled ones (see `scale.rs`), and
    /// [`unscale`](Statistic::unscale) and [`rescale`](Statistic::rescale) say what that changes.
    const DEGREE: u32 = 0;

    /// The result for rows whose numbers were multiplied by 2 to minus these exponents, one per column, scaled back.
    fn unscale(&self, answer: Self::Output, _exponents: &[i32]) -> Self::Output {
        answer
    }

    /// The summary of the same rows with their numbers multiplied by 2 to minus these exponents.
    fn rescale(&self, _state: &mut Self::State, _exponents: &[i32]) {}

    /// The summary of no rows.
    fn empty(&self) -> Self::State;

    /// Extends the summary by a later row.
    fn push(&self, state: &mut Self::State, x: Self::Input, anchor: Self::Input);

    /// As [`push`](Statistic::push), with the same bits, onto a summary of all rows so far, which few rows may change.
    #[inline(always)]
    fn follow(&self, state: &mut Self::State, x: Self::Input, anchor: Self::Input) {
        self.push(state, x, anchor);
    }

    /// Extends the summary by an earlier row; bit-identical to merging that row's own summary with it.
    #[inline(always)]
    fn push_front(&self, state: &mut Self::State, x: Self::Input, anchor: Self::Input) {
        let mut single = self.empty();
        self.push(&mut single, x, anchor);
        *state = self.merge(&single, state);
    }

    /// The summary of the earlier rows and the later ones together.
    fn merge(&self, earlier: &Self::State, later: &Self::State) -> Self::State;

    /// The result for `count` rows, at least one; `None` if it is undefined.
    ///
    /// Drivers compute many results at once, as vectors.  That needs a number that is always computed and only then checked, as
    /// in `defined.then_some(number)`; a branch around a division or a root prevents it.
    fn finish(&self, state: &Self::State, count: usize, anchor: Self::Input) -> Option<Self::Output>;

    /// The result for no rows.
    fn finish_empty(&self) -> Option<Self::Output> {
        None
    }

    /// Computes the windows that end in whole blocks of rows, which can all be anchors: sets a result for each row, and sets the
    /// flag of those without a result to false.  Returns whether it did.  For statistics that are faster over many windows at
    /// once.
    ///
    /// The anchor of a window is the first valid row of its last block; without one any row of the block before, as such
    /// windows are computed again if the statistic has anchors.
    fn answer_blocks(&self, _blocks: Blocks<Self::Input>, _answers: &mut [Self::Output], _valid: &mut [bool]) -> bool {
        false
    }
}

/// Whole blocks of rows, each as long as the window, with the block before them.
#[derive(Debug, Clone, Copy)]
pub struct Blocks<'a, R> {
    /// The block before the first one.
    pub before: &'a [R],
    /// The rows of the blocks.
    pub rows: &'a [R],
    /// Which rows are valid, of the block before and of the others; `None` if all are.
    pub valid: Option<(&'a [bool], &'a [bool])>,
    /// How many valid rows a window needs for a result; not more than it has rows.
    pub min_samples: usize,
}

impl<'a, R> Blocks<'a, R> {
    /// The same blocks of other rows.
    pub fn of<Q>(self, before: &'a [Q], rows: &'a [Q]) -> Blocks<'a, Q> {
        Blocks { before, rows, valid: self.valid, min_samples: self.min_samples }
    }
}

/// How many rows a driver computes at once, as vectors.
pub const TILE: usize = 64;

/// A summary as a few numbers of one type, so that many of them can be laid out number by number, as vectors need them.
pub trait Summary: Copy + Send + Sync + 'static {
    /// [`TILE`] summaries.
    type Tile: Tile<Self>;
}

/// [`TILE`] summaries, laid out number by number.
pub trait Tile<S>: Copy + Send + Sync + 'static {
    /// Copies of one summary.
    fn filled(with: S) -> Self;

    /// The summary at index `i`, below [`TILE`].
    fn get(&self, i: usize) -> S;

    /// Sets the summary at index `i`, below [`TILE`].
    fn set(&mut self, i: usize, summary: S);
}

/// A number that summaries are made of.
pub trait Part: Copy + Send + Sync + 'static {}

impl Part for f64 {}

impl Part for i64 {}

impl<T: Part> Summary for T {
    type Tile = [T; TILE];
}

impl<T: Part> Tile<T> for [T; TILE] {
    fn filled(with: T) -> Self {
        [with; TILE]
    }

    #[inline(always)]
    fn get(&self, i: usize) -> T {
        self[i]
    }

    #[inline(always)]
    fn set(&mut self, i: usize, summary: T) {
        self[i % TILE] = summary;
    }
}

impl<T: Part, const K: usize> Summary for [T; K] {
    type Tile = [[T; TILE]; K];
}

impl<T: Part, const K: usize> Tile<[T; K]> for [[T; TILE]; K] {
    fn filled(with: [T; K]) -> Self {
        with.map(|part| [part; TILE])
    }

    #[inline(always)]
    fn get(&self, i: usize) -> [T; K] {
        std::array::from_fn(|k| self[k][i])
    }

    #[inline(always)]
    fn set(&mut self, i: usize, summary: [T; K]) {
        for k in 0..K {
            self[k][i % TILE] = summary[k];
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a window of more than 2^53 rows does not fit into memory")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}
