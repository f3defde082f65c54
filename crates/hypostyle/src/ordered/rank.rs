//! The rank of the current row's value among the values of its window.

use hashbrown::HashMap;

use super::OrderedWindow;
use super::block_rank::{Standing, by_blocks, count_through};
use super::distinct::name;
use super::sorted::{SHORT, SortedValues, has_nan};
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::error::Result;
use crate::kernel::Running;
use crate::statistics::as_f64;
use crate::windowed::{
    BY, CLOSED, COLUMN, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding_ordered, expanding_spec, rolling_ordered,
    rolling_spec,
};

/// What equal values get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The mean of their places.
    Average,
    /// The least of their places.
    Min,
    /// The greatest of their places.
    Max,
}

/// The rank, from 1.
#[derive(Debug, Clone)]
pub struct Rank {
    /// What equal values get.
    pub ties: Ties,
    /// Whether the rank is divided by the number of values.
    pub pct: bool,
    /// Whether the window holds the current row.
    pub holds_current: bool,
}

impl Rank {
    /// The rank of a value that stands there among `count`.
    #[inline(always)]
    fn of(&self, Standing { below, equal }: Standing, count: usize) -> f64 {
        let rank = match self.ties {
            Ties::Average => as_f64(below) + as_f64(equal + 1) / 2.0,
            Ties::Min => as_f64(below + 1),
            Ties::Max => as_f64(below + equal),
        };
        if self.pct { rank / as_f64(count) } else { rank }
    }
}

impl OrderedWindow for Rank {
    type Input = f64;
    type Output = f64;
    type State = SortedValues;

    fn empty(&self) -> SortedValues {
        SortedValues::default()
    }

    fn insert(&self, state: &mut SortedValues, x: f64) {
        state.insert(x);
    }

    fn remove(&self, state: &mut SortedValues, x: f64) {
        state.remove(x);
    }

    fn replace(&self, state: &mut SortedValues, old: f64, new: f64) {
        state.replace(old, new);
    }

    fn answer(&self, state: &SortedValues, current: Option<f64>) -> Option<f64> {
        let x = current?;
        if state.has_nan() || x.is_nan() {
            return Some(f64::NAN);
        }
        let (below, equal) = state.place(x);
        // A window without the current row is ranked as if it stood there too.
        let added = usize::from(!self.holds_current);
        Some(self.of(Standing { below, equal: equal + added }, state.len() + added))
    }

    fn answer_all(
        &self,
        rows: &[f64],
        valid: Option<&[bool]>,
        len: usize,
        mut answer: impl FnMut(usize, Option<f64>),
    ) -> bool {
        if !self.holds_current || has_nan(rows, valid) {
            return false;
        }
        if len <= SHORT {
            count_through(rows, valid, len, |count, standing| {
                answer(count, standing.map(|standing| self.of(standing, count)));
            });
        } else {
            by_blocks(rows, valid, len, |within| {
                answer(within.count, within.standing().map(|standing| self.of(standing, within.count)));
            });
        }
        true
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

/// The rank among the different values, from 1.
#[derive(Debug, Clone)]
pub struct DenseRank {
    /// Whether the rank is divided by the number of different values.
    pub pct: bool,
}

/// How often each value is there, and the different values in order.
#[derive(Debug, Clone, Default)]
pub struct Different {
    counts: HashMap<u64, usize>,
    values: SortedValues,
}

impl OrderedWindow for DenseRank {
    type Input = f64;
    type Output = f64;
    type State = Different;

    fn empty(&self) -> Different {
        Different::default()
    }

    fn insert(&self, state: &mut Different, x: f64) {
        let count = state.counts.entry(name(x)).or_insert(0);
        *count += 1;
        if *count == 1 {
            state.values.insert(x);
        }
    }

    fn remove(&self, state: &mut Different, x: f64) {
        if let Some(count) = state.counts.get_mut(&name(x)) {
            *count -= 1;
            if *count == 0 {
                state.counts.remove(&name(x));
                state.values.remove(x);
            }
        }
    }

    fn answer(&self, state: &Different, current: Option<f64>) -> Option<f64> {
        let x = current?;
        if state.values.has_nan() || x.is_nan() {
            return Some(f64::NAN);
        }
        let (below, equal) = state.values.place(x);
        let rank = as_f64(below + 1);
        Some(if self.pct { rank / as_f64(state.values.len() + usize::from(equal == 0)) } else { rank })
    }

    fn heap_bytes(&self, state: &Different) -> usize {
        state.counts.allocation_size() + state.values.heap_bytes()
    }
}

/// The ranks that are asked for, given to one of two ways to build a kernel.
fn rank(
    arguments: &Arguments,
    places: impl FnOnce(Rank) -> Result<Box<dyn Running>>,
    dense: impl FnOnce(DenseRank) -> Result<Box<dyn Running>>,
) -> Result<Box<dyn Running>> {
    let pct = arguments.flag("pct");
    let ties = match arguments.text("method").as_deref() {
        Some("dense") => return dense(DenseRank { pct }),
        Some("min") => Ties::Min,
        Some("max") => Ties::Max,
        _ => Ties::Average,
    };
    places(Rank { ties, pct, holds_current: arguments.closed().includes_current() })
}

const METHOD: Parameter = Parameter::optional(
    "method",
    Kind::Choice(&["average", "min", "max", "dense"]),
    Literal::Text("average"),
    "What equal values get: the mean, the least or the greatest of their places; 'dense' counts different values only.",
);

const PCT: Parameter = Parameter::optional(
    "pct",
    Kind::Flag,
    Literal::Flag(false),
    "Divide the rank by the number of values; with 'dense', of different ones.",
);

pub(crate) const ROLLING_RANK: Kernel = Kernel {
    name: "rolling_rank",
    family: Family::Rolling,
    summary: "Rank of the current row's value among the values in a moving window.",
    formula: "y[i] = place of x[i], counted from 1, among the values in the window of row i in order",
    notes: "A row with a null gets null; nulls in the window are skipped and do not count for `min_samples`. A window with a NaN gives \
            NaN. Where the window leaves the current row out (`closed`), the row is ranked as if it stood there too. Exact, but \
            for the division of `pct`.",
    source: "pandas `Series.rolling().rank()`; sorted arrays.",
    parameters: &[COLUMN, WINDOW, METHOD, PCT, BY, MIN_SAMPLES, CLOSED, STEP],
    example: r#""x", 3"#,
    build: |arguments, schema| {
        rank(
            arguments,
            |places| rolling_ordered(arguments, schema, &["column"], places),
            |dense| rolling_ordered(arguments, schema, &["column"], dense),
        )
    },
};

pub(crate) const EXPANDING_RANK: Kernel = Kernel {
    name: "expanding_rank",
    family: Family::Expanding,
    summary: "Rank of the current row's value among all values so far.",
    formula: "y[i] = place of x[i], counted from 1, among the values up to row i in order",
    notes: "A row with a null gets null. Once there was a NaN the answer is NaN. Exact, but for the division of `pct`. The state \
            holds every value of the key.",
    source: "pandas `Series.expanding().rank()`; sorted arrays.",
    parameters: &[COLUMN, METHOD, PCT, FROM_ONE],
    example: r#""x""#,
    build: |arguments, schema| {
        rank(
            arguments,
            |places| expanding_ordered(arguments, schema, &["column"], places),
            |dense| expanding_ordered(arguments, schema, &["column"], dense),
        )
    },
};

/// Rank of the current row's value among the values in a moving window.
pub fn rolling_rank(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_rank", column, window)
}

/// Rank of the current row's value among all values so far.
pub fn expanding_rank(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_rank", column)
}
