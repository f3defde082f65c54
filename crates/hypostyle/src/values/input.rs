//! One row as a driver sees it, made of one or more columns.

use std::borrow::Cow;

use super::domain::{Domain, Values};
use super::scalar::Scalar;

/// Why `assemble` may rely on its columns.
const NO_FIT: &str = "callers of `assemble` check `Input::fits` first";

/// One row as a driver sees it, made of one or more columns.
pub trait Input: Copy + Send + Sync + Default + 'static {
    /// How many columns make up a row.
    const LANES: usize;

    /// The domain of a column, counted from 0.
    fn domain(lane: usize) -> Domain;

    /// Rows from columns of `len` rows that fit ([`fits`](Input::fits)); borrowed if nothing needs to be done.
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]>;

    /// Whether columns are what [`assemble`](Input::assemble) takes: one per lane, in its domain.
    fn fits(columns: &[Values], len: usize) -> bool {
        columns.len() == Self::LANES
            && columns.iter().enumerate().all(|(lane, values)| match (values, Self::domain(lane)) {
                (Values::Float(values), Domain::Float) => values.len() == len,
                (Values::Integer(values), Domain::Integer) => values.len() == len,
                (Values::Constant(_), Domain::Float) | (Values::Nothing, Domain::Presence) => true,
                _ => false,
            })
    }

    /// Whether rows are a column as it is, so that [`assemble`](Input::assemble) copies nothing.
    const IS_COLUMN: bool = false;

    /// Columns that rows are read from.
    type Lanes<'a>: Copy;

    /// The columns of rows, which fit, ready to be read.
    fn lanes<'a>(columns: &'a [Values<'a>]) -> Self::Lanes<'a>;

    /// One of the rows.
    fn read(lanes: &Self::Lanes<'_>, row: usize) -> Self;

    /// Whether a value of a row may be missing.
    const OPTIONAL: bool = false;

    /// Whether no value is missing in any row, so that [`read_whole`](Input::read_whole) does for all.
    fn is_whole(_: &Self::Lanes<'_>) -> bool {
        true
    }

    /// One of the rows, in which no value is missing.
    #[inline(always)]
    fn read_whole(lanes: &Self::Lanes<'_>, row: usize) -> Self {
        Self::read(lanes, row)
    }

    /// One of the row's columns.
    fn lane(self, lane: usize) -> Scalar;

    /// A row of its columns.
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self;

    /// How many numbers of a saved state make up a row.
    const WORDS: usize = Self::LANES;

    /// One of these numbers.
    fn word(self, word: usize) -> Scalar {
        self.lane(word)
    }

    /// A row of its numbers.
    fn from_words(word: impl Fn(usize) -> Scalar) -> Self {
        Self::from_lanes(word)
    }

    /// The column that a number is a part of.
    fn lane_of(word: usize) -> usize {
        word
    }
}

/// A column, or a number that stands for one.
#[derive(Debug, Clone, Copy)]
pub struct Lane<'a, T> {
    values: &'a [T],
    /// 0 for a number.
    step: usize,
}

impl<T: Copy> Lane<'_, T> {
    #[inline(always)]
    fn get(self, row: usize) -> T {
        self.values[row * self.step]
    }
}

fn floats<'a>(values: Option<&'a Values<'a>>) -> Lane<'a, f64> {
    match values {
        Some(Values::Float(values)) => Lane { values, step: 1 },
        Some(Values::Constant(x)) => Lane { values: std::slice::from_ref(x), step: 0 },
        _ => unreachable!("{NO_FIT}"),
    }
}

fn integers<'a>(values: Option<&'a Values<'a>>) -> Lane<'a, i64> {
    match values {
        Some(Values::Integer(values)) => Lane { values, step: 1 },
        _ => unreachable!("{NO_FIT}"),
    }
}

/// Rows of several columns, in one pass over all of them.
fn assembled<'a, I: Input>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [I]> {
    let lanes = I::lanes(columns);
    (0..len).map(|row| I::read(&lanes, row)).collect()
}

impl Input for () {
    type Lanes<'a> = ();
    fn lanes<'a>(_: &'a [Values<'a>]) -> Self::Lanes<'a> {}
    fn read((): &(), _: usize) -> Self {}
    const LANES: usize = 1;
    fn domain(_: usize) -> Domain {
        Domain::Presence
    }
    fn assemble<'a>(_: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        vec![(); len].into()
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Integer(0)
    }
    fn from_lanes(_: impl Fn(usize) -> Scalar) -> Self {}
}

impl Input for f64 {
    const IS_COLUMN: bool = true;
    type Lanes<'a> = Lane<'a, f64>;
    fn lanes<'a>(columns: &'a [Values<'a>]) -> Self::Lanes<'a> {
        floats(columns.first())
    }
    #[inline(always)]
    fn read(lanes: &Lane<'_, f64>, row: usize) -> Self {
        lanes.get(row)
    }
    const LANES: usize = 1;
    fn domain(_: usize) -> Domain {
        Domain::Float
    }
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        match columns.first() {
            Some(Values::Float(values)) => Cow::Borrowed(values),
            Some(Values::Constant(x)) => vec![*x; len].into(),
            _ => unreachable!("{NO_FIT}"),
        }
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Float(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).float()
    }
}

impl Input for i64 {
    const IS_COLUMN: bool = true;
    type Lanes<'a> = Lane<'a, i64>;
    fn lanes<'a>(columns: &'a [Values<'a>]) -> Self::Lanes<'a> {
        integers(columns.first())
    }
    #[inline(always)]
    fn read(lanes: &Lane<'_, i64>, row: usize) -> Self {
        lanes.get(row)
    }
    const LANES: usize = 1;
    fn domain(_: usize) -> Domain {
        Domain::Integer
    }
    fn assemble<'a>(columns: &'a [Values<'a>], _len: usize) -> Cow<'a, [Self]> {
        match columns.first() {
            Some(Values::Integer(values)) => Cow::Borrowed(values),
            _ => unreachable!("{NO_FIT}"),
        }
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Integer(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).integer()
    }
}

/// A value that may be missing: beside its column, one that is 1.0 in rows with a value, else 0.0.
impl<I: Input> Input for Option<I> {
    type Lanes<'a> = (I::Lanes<'a>, Lane<'a, f64>);
    fn lanes<'a>(columns: &'a [Values<'a>]) -> Self::Lanes<'a> {
        (I::lanes(&columns[..I::LANES]), floats(columns.get(I::LANES)))
    }
    #[inline(always)]
    fn read((values, present): &Self::Lanes<'_>, row: usize) -> Self {
        (present.get(row) != 0.0).then(|| I::read(values, row))
    }
    const OPTIONAL: bool = true;
    fn is_whole((values, present): &Self::Lanes<'_>) -> bool {
        present.step == 0 && present.values == [1.0] && I::is_whole(values)
    }
    #[inline(always)]
    fn read_whole((values, _): &Self::Lanes<'_>, row: usize) -> Self {
        Some(I::read_whole(values, row))
    }
    const LANES: usize = I::LANES + 1;
    fn domain(lane: usize) -> Domain {
        if lane < I::LANES { I::domain(lane) } else { Domain::Float }
    }
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        assembled(columns, len)
    }
    fn lane(self, lane: usize) -> Scalar {
        if lane < I::LANES {
            self.unwrap_or_default().lane(lane)
        } else {
            Scalar::Float(f64::from(u8::from(self.is_some())))
        }
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        (lane(I::LANES).float() != 0.0).then(|| I::from_lanes(lane))
    }
    fn fits(columns: &[Values], len: usize) -> bool {
        columns.len() == Self::LANES && I::fits(&columns[..I::LANES], len) && f64::fits(&columns[I::LANES..], len)
    }
}

impl<const K: usize> Input for [f64; K]
where
    [f64; K]: Default,
{
    type Lanes<'a> = [Lane<'a, f64>; K];
    fn lanes<'a>(columns: &'a [Values<'a>]) -> Self::Lanes<'a> {
        std::array::from_fn(|k| floats(columns.get(k)))
    }
    #[inline(always)]
    fn read(lanes: &Self::Lanes<'_>, row: usize) -> Self {
        std::array::from_fn(|k| lanes[k].get(row))
    }
    const LANES: usize = K;
    fn domain(_: usize) -> Domain {
        Domain::Float
    }
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        // In one pass over all columns; constants become columns first.
        let whole: [Cow<'a, [f64]>; K] = std::array::from_fn(|k| match columns.get(k) {
            Some(Values::Float(values)) if values.len() == len => Cow::Borrowed(values.as_ref()),
            Some(Values::Constant(x)) => vec![*x; len].into(),
            _ => unreachable!("{NO_FIT}"),
        });
        let columns: [&[f64]; K] = std::array::from_fn(|k| &whole[k][..len]);
        (0..len).map(|row| std::array::from_fn(|k| columns[k][row])).collect()
    }
    fn lane(self, lane: usize) -> Scalar {
        Scalar::Float(self[lane])
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        std::array::from_fn(|k| lane(k).float())
    }
}

/// Rows of mixed types: the columns of the first, then those of the second.
impl<A: Input, B: Input> Input for (A, B) {
    type Lanes<'a> = (A::Lanes<'a>, B::Lanes<'a>);
    fn lanes<'a>(columns: &'a [Values<'a>]) -> Self::Lanes<'a> {
        let (first, second) = columns.split_at(A::LANES);
        (A::lanes(first), B::lanes(second))
    }
    #[inline(always)]
    fn read((first, second): &Self::Lanes<'_>, row: usize) -> Self {
        (A::read(first, row), B::read(second, row))
    }
    const OPTIONAL: bool = A::OPTIONAL || B::OPTIONAL;
    fn is_whole((first, second): &Self::Lanes<'_>) -> bool {
        A::is_whole(first) && B::is_whole(second)
    }
    #[inline(always)]
    fn read_whole((first, second): &Self::Lanes<'_>, row: usize) -> Self {
        (A::read_whole(first, row), B::read_whole(second, row))
    }
    const LANES: usize = A::LANES + B::LANES;
    fn domain(lane: usize) -> Domain {
        if lane < A::LANES { A::domain(lane) } else { B::domain(lane - A::LANES) }
    }
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        // Columns that need no copy are read without a look at their kind for each row.
        if A::IS_COLUMN && B::IS_COLUMN {
            let (first, second) = columns.split_at(A::LANES);
            let (first, second) = (A::assemble(first, len), B::assemble(second, len));
            return first.iter().zip(second.iter()).map(|(first, second)| (*first, *second)).collect();
        }
        assembled(columns, len)
    }
    fn lane(self, lane: usize) -> Scalar {
        if lane < A::LANES { self.0.lane(lane) } else { self.1.lane(lane - A::LANES) }
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        (A::from_lanes(&lane), B::from_lanes(|at| lane(A::LANES + at)))
    }
    const WORDS: usize = A::WORDS + B::WORDS;
    fn word(self, word: usize) -> Scalar {
        if word < A::WORDS { self.0.word(word) } else { self.1.word(word - A::WORDS) }
    }
    fn from_words(word: impl Fn(usize) -> Scalar) -> Self {
        (A::from_words(&word), B::from_words(|at| word(A::WORDS + at)))
    }
    fn lane_of(word: usize) -> usize {
        if word < A::WORDS { A::lane_of(word) } else { A::LANES + B::lane_of(word - A::WORDS) }
    }
    fn fits(columns: &[Values], len: usize) -> bool {
        columns.len() == Self::LANES && A::fits(&columns[..A::LANES], len) && B::fits(&columns[A::LANES..], len)
    }
}
