//! The rank of the current row's value among the values of its window.

use super::OrderedWindow;
use super::sorted::SortedValues;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::windowed::{
    BY, CLOSED, COLUMN, FROM_ONE, MIN_SAMPLES, WINDOW, expanding_ordered, expanding_spec, rolling_ordered, rolling_spec,
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

    #[expect(clippy::cast_precision_loss, reason = "a place among less than 2^53 values")]
    fn answer(&self, state: &SortedValues, current: Option<f64>) -> Option<f64> {
        let x = current?;
        if state.has_nan() || x.is_nan() {
            return Some(f64::NAN);
        }
        let (below, equal) = state.place(x);
        // A window without the current row is ranked as if it stood there too.
        let added = usize::from(!self.holds_current);
        let (equal, count) = (equal + added, state.len() + added);
        let rank = match self.ties {
            Ties::Average => below as f64 + (equal + 1) as f64 / 2.0,
            Ties::Min => (below + 1) as f64,
            Ties::Max => (below + equal) as f64,
        };
        Some(if self.pct { rank / count as f64 } else { rank })
    }

    fn heap_bytes(&self, state: &SortedValues) -> usize {
        state.heap_bytes()
    }
}

fn rank(arguments: &Arguments) -> Rank {
    let ties = match arguments.text("method").as_deref() {
        Some("min") => Ties::Min,
        Some("max") => Ties::Max,
        _ => Ties::Average,
    };
    Rank { ties, pct: arguments.flag("pct"), holds_current: arguments.closed().includes_current() }
}

const METHOD: Parameter = Parameter::optional(
    "method",
    Kind::Choice(&["average", "min", "max"]),
    Literal::Text("average"),
    "What equal values get: the mean, the least or the greatest of their places.",
);

const PCT: Parameter =
    Parameter::optional("pct", Kind::Flag, Literal::Flag(false), "Divide the rank by the number of values.");

pub(crate) const ROLLING_RANK: Kernel = Kernel {
    name: "rolling_rank",
    family: Family::Rolling,
    summary: "Rank of the current row's value among the values in a moving window.",
    formula: "y[i] = place of x[i], counted from 1, among the values in the window of row i in order",
    notes: "A row with a null gets null; nulls in the window are skipped and do not count for `min_samples`. A window with a NaN gives \
            NaN. Where the window leaves the current row out (`closed`), the row is ranked as if it stood there too. Exact, but \
            for the division of `pct`.",
    source: "pandas `Series.rolling().rank()`; sorted arrays.",
    parameters: &[COLUMN, WINDOW, METHOD, PCT, BY, MIN_SAMPLES, CLOSED],
    example: r#""x", 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], rank(arguments)),
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
    build: |arguments, schema| expanding_ordered(arguments, schema, rank(arguments)),
};

/// Rank of the current row's value among the values in a moving window.
pub fn rolling_rank(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_rank", column, window)
}

/// Rank of the current row's value among all values so far.
pub fn expanding_rank(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_rank", column)
}
