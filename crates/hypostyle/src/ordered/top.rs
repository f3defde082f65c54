//! A statistic of the few rows of the window that stand highest (or lowest) by another column.

use std::collections::BTreeMap;

use arrow::datatypes::Schema;

use super::OrderedWindow;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::column::Placed;
use crate::error::Result;
use crate::kernel::{Running, Source};
use crate::statistics::as_f64;
use crate::windowed::{
    BY, Bare, CENTER, CLOSED, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding_ordered_around, pair_spec,
    rolling_ordered_around, sources,
};

/// What is made of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// Their standard deviation, of the sample.
    Std,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
}

/// A statistic of the top rows.
#[derive(Debug, Clone)]
pub struct Top {
    /// How many rows, at least 1.
    pub n: usize,
    /// Whether the greatest values of the other column are on top; else the least.
    pub largest: bool,
    /// What is made of them.
    pub of: Of,
}

/// The values by rank: top rows first, and of equal ones the earlier first.
#[derive(Debug, Clone, Default)]
pub struct ByRank {
    values: BTreeMap<(u64, i64), f64>,
    /// How many rows have a NaN to rank by.
    unranked: usize,
}

impl Top {
    /// Bits in the order of the ranks.
    fn rank(&self, x: f64) -> u64 {
        let bits = (x + 0.0).to_bits();
        let ascending = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        if self.largest { !ascending } else { ascending }
    }
}

impl OrderedWindow for Top {
    /// The value and what ranks it, with the row's number.
    type Input = Placed<[f64; 2]>;
    type Output = f64;
    type State = ByRank;

    fn empty(&self) -> ByRank {
        ByRank::default()
    }

    fn insert(&self, state: &mut ByRank, row: Placed<[f64; 2]>) {
        let [x, order] = row.value;
        if order.is_nan() {
            state.unranked += 1;
        } else {
            state.values.insert((self.rank(order), row.place), x);
        }
    }

    fn remove(&self, state: &mut ByRank, row: Placed<[f64; 2]>) {
        let [_, order] = row.value;
        if order.is_nan() {
            state.unranked -= 1;
        } else {
            state.values.remove(&(self.rank(order), row.place));
        }
    }

    fn answer(&self, state: &ByRank, _: Option<Placed<[f64; 2]>>) -> Option<f64> {
        if state.unranked > 0 {
            return Some(f64::NAN);
        }
        let top = || state.values.values().take(self.n).copied();
        let count = as_f64(state.values.len().min(self.n));
        let mean = || top().sum::<f64>() / count;
        let extreme = |better: fn(f64, f64) -> bool| {
            top().reduce(|now, x| if now.is_nan() || (!x.is_nan() && !better(x, now)) { now } else { x })
        };
        match self.of {
            _ if count == 0.0 => None,
            Of::Mean => Some(mean()),
            Of::Sum => Some(top().sum()),
            Of::Std if count < 2.0 => None,
            Of::Std => {
                let mean = mean();
                Some((top().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0)).sqrt())
            }
            Of::Min => extreme(|x, now| x < now),
            Of::Max => extreme(|x, now| x > now),
        }
    }

    fn heap_bytes(&self, state: &ByRank) -> usize {
        // A node holds up to 11 entries, and about two thirds of the places are taken.
        state.values.len() * 3 / 2 * size_of::<((u64, i64), f64)>()
    }
}

fn build(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    let n = arguments.count("n").unwrap_or(0);
    if n == 0 {
        return Err(arguments.refuse("n", "must be at least 1 row, not 0"));
    }
    let of = match arguments.text("statistic").as_deref() {
        Some("sum") => Of::Sum,
        Some("std") => Of::Std,
        Some("min") => Of::Min,
        Some("max") => Of::Max,
        _ => Of::Mean,
    };
    let top = Top { n, largest: arguments.flag("largest"), of };
    let (mut columns, answer) = sources::<Placed<[f64; 2]>>(arguments, schema, &["column", "order"])?;
    columns.push(Source::Position);
    if arguments.has("window") {
        rolling_ordered_around(arguments, schema, (columns, answer), top, Bare)
    } else {
        Ok(expanding_ordered_around(arguments, (columns, answer), top, Bare))
    }
}

const COLUMN: Parameter = Parameter::required("column", Kind::Column, "The column of values.");

const ORDER: Parameter = Parameter::required("order", Kind::Column, "The column that ranks the rows.");

const N: Parameter = Parameter::required("n", Kind::Count, "How many rows are on top, at least 1.");

const STATISTIC: Parameter = Parameter::optional(
    "statistic",
    Kind::Choice(&["mean", "sum", "std", "min", "max"]),
    Literal::Text("mean"),
    "What is made of them; 'std' is that of the sample.",
);

const LARGEST: Parameter = Parameter::optional(
    "largest",
    Kind::Flag,
    Literal::Flag(true),
    "Whether the rows with the greatest `order` are on top; else those with the least.",
);

const NOTES: &str = "A row counts where both columns are valid. Of rows with the same `order` the earlier ones are on top; where there are fewer \
    than `n` rows, all of them. A window with a NaN in `order` gives NaN; a NaN or an infinity in `column` matters only on top. 'std' is \
    null for a single row. A row costs a search in the window and `n` steps. Relative error of the mean and the sum at most n * eps * \
    sum(|x|) / |sum(x)|.";

pub(crate) const ROLLING_TOP_N: Kernel = Kernel {
    name: "rolling_top_n",
    family: Family::Rolling,
    summary: "Statistic of the n rows of a moving window that stand highest by another column.",
    formula: "y[i] = mean (or another statistic) of x[j] over the n rows j of the window of row i with the greatest order[j]",
    notes: NOTES,
    source: "DolphinDB mavgTopN, msumTopN; a balanced tree.",
    parameters: &[COLUMN, ORDER, N, WINDOW, STATISTIC, LARGEST, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""x", "z", 1, 3, min_samples=1"#,
    build,
};

pub(crate) const EXPANDING_TOP_N: Kernel = Kernel {
    name: "expanding_top_n",
    family: Family::Expanding,
    summary: "Statistic of the n rows so far that stand highest by another column.",
    formula: "y[i] = mean (or another statistic) of x[j] over the n rows j up to row i with the greatest order[j]",
    notes: NOTES,
    source: "DolphinDB cumavgTopN, cumsumTopN; a balanced tree.",
    parameters: &[COLUMN, ORDER, N, STATISTIC, LARGEST, FROM_ONE],
    example: r#""x", "z", 1"#,
    build,
};

/// Mean of the n rows of a moving window that stand highest by another column.
pub fn rolling_top_n(
    column: impl Into<String>,
    order: impl Into<String>,
    n: usize,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_top_n", ("column", column), ("order", order), Some(window.into())).with("n", n)
}

/// Mean of the n rows so far that stand highest by another column.
pub fn expanding_top_n(column: impl Into<String>, order: impl Into<String>, n: usize) -> crate::KernelSpec {
    pair_spec("expanding_top_n", ("column", column), ("order", order), None).with("n", n)
}
