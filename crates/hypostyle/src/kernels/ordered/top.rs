//! A statistic of the n rows of the window that rank highest (or lowest) by another column.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{OrderedWindow, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Entry, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Kind, Literal, Parameter};
use crate::values::Domain;

/// The statistic of the top rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopStatistic {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// Their sample standard deviation.
    Std,
    /// The smallest of them.
    Min,
    /// The largest of them.
    Max,
}

/// A statistic of the top rows.
#[derive(Debug, Clone)]
pub struct TopN<T> {
    /// How many rows, at least 1.
    pub n: usize,
    /// Whether the rows with the largest values of the other column are on top; otherwise those with the smallest.
    pub largest: bool,
    /// The statistic of those rows.
    pub statistic: TopStatistic,
    order: PhantomData<T>,
}

/// The values by rank: top rows first, and of equal ones the earlier one first.
#[derive(Debug, Clone, Default)]
pub struct ByRank {
    values: BTreeMap<(u64, i64), f64>,
    /// How many rows have a NaN in the column that ranks them.
    unranked: usize,
}

impl<T: Value> TopN<T> {
    /// Bits that sort like the ranks.
    fn rank(&self, x: T) -> u64 {
        if self.largest { !x.sortable() } else { x.sortable() }
    }
}

impl<T: Value> OrderedWindow for TopN<T> {
    /// The value and what ranks it, with the row number.
    type Input = ((f64, T), i64);
    type Output = f64;
    type State = ByRank;

    fn empty(&self) -> ByRank {
        ByRank::default()
    }

    fn insert(&self, state: &mut ByRank, ((x, order), row): ((f64, T), i64)) {
        if order.is_nan() {
            state.unranked += 1;
        } else {
            state.values.insert((self.rank(order), row), x);
        }
    }

    fn remove(&self, state: &mut ByRank, ((_, order), row): ((f64, T), i64)) {
        if order.is_nan() {
            state.unranked -= 1;
        } else {
            state.values.remove(&(self.rank(order), row));
        }
    }

    fn answer(&self, state: &ByRank, _: Option<((f64, T), i64)>) -> Option<f64> {
        if state.unranked > 0 {
            return Some(f64::NAN);
        }
        let top = || state.values.values().take(self.n).copied();
        let count = as_f64(state.values.len().min(self.n));
        let mean = || top().sum::<f64>() / count;
        let extreme = |better: fn(f64, f64) -> bool| {
            top().reduce(|now, x| if now.is_nan() || (!x.is_nan() && !better(x, now)) { now } else { x })
        };
        match self.statistic {
            _ if count == 0.0 => None,
            TopStatistic::Mean => Some(mean()),
            TopStatistic::Sum => Some(top().sum()),
            TopStatistic::Std if count < 2.0 => None,
            TopStatistic::Std => {
                // Differences to one of them, so that equal values have no deviation.
                let first = top().next()?;
                let mean = top().map(|x| x - first).sum::<f64>() / count;
                Some((top().map(|x| (x - first - mean) * (x - first - mean)).sum::<f64>() / (count - 1.0)).sqrt())
            }
            TopStatistic::Min => extreme(|x, now| x < now),
            TopStatistic::Max => extreme(|x, now| x > now),
        }
    }

    fn heap_bytes(&self, state: &ByRank) -> usize {
        // A node holds up to 11 entries and is about two thirds full.
        state.values.len() * 3 / 2 * size_of::<((u64, i64), f64)>()
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let n = arguments.count("n")?;
    if n == 0 {
        return Err(arguments.refuse("n", "must be at least 1 row, got 0"));
    }
    let meanings = [
        ("mean", TopStatistic::Mean),
        ("sum", TopStatistic::Sum),
        ("std", TopStatistic::Std),
        ("min", TopStatistic::Min),
        ("max", TopStatistic::Max),
    ];
    let statistic = arguments.choice("statistic", &meanings)?;
    let largest = arguments.flag("largest")?;
    let inputs = Inputs::of(arguments, &["column", "order_by"])?.with_decimals().with_position();
    let order_by = arguments.column("order_by")?;
    Ok(Window::of(arguments)?.plan(move |window, binding| match inputs.exact_domain(binding, &order_by)? {
        Domain::Integer => {
            let top = TopN { n, largest, statistic, order: PhantomData::<i64> };
            window.ordered(binding, inputs.bind::<((f64, i64), i64), f64>(binding)?, top, Bare)
        }
        _ => {
            let top = TopN { n, largest, statistic, order: PhantomData::<f64> };
            window.ordered(binding, inputs.bind::<((f64, f64), i64), f64>(binding)?, top, Bare)
        }
    }))
}

const ORDER_BY: Parameter = Parameter::required("order_by", Kind::Column, "The column that ranks the rows.");

const N: Parameter = Parameter::required("n", Kind::Count, "The number of top rows, at least 1.");

const STATISTIC: Parameter = Parameter::optional(
    "statistic",
    Kind::Choice(&["mean", "sum", "std", "min", "max"]),
    Literal::Text("mean"),
    "The statistic of the top rows; 'std' is the sample standard deviation.",
);

const LARGEST: Parameter = Parameter::optional(
    "largest",
    Kind::Flag,
    Literal::Flag(true),
    "Whether the rows with the largest `order_by` are on top; otherwise those with the smallest.",
);

pub(crate) const TOP_N: Entry = Entry {
    names: &["rolling_top_n", "expanding_top_n"],
    shape: Shape::Windowed,
    summary: "Statistic of the n rows {of a moving window|so far} that rank highest by another column.",
    formula: "y[i] = mean (or another statistic) of x[j] over the n rows j {of the window of|up to} row i with the largest order_by[j]",
    notes: "A row counts if both columns are valid. Of rows with the same `order_by` the earlier ones are on top; if there are fewer \
            than `n` rows, all of them are. A window with a NaN in `order_by` gives NaN; a NaN or an infinity in `column` matters only \
            in a top row. Integers, dates and times in `order_by` are compared exactly. 'std' is null for a single row. A row costs a search in the window and `n` steps. Relative error of the mean \
            and the sum at most n * eps * sum(|x|) / |sum(x)|.",
    source: "DolphinDB {mavgTopN, msumTopN|cumavgTopN, cumsumTopN}; a balanced tree.",
    parameters: &[COLUMN, ORDER_BY, N, STATISTIC, LARGEST],
    example: &[
        ("column", Literal::Text("x")),
        ("order_by", Literal::Text("z")),
        ("n", Literal::Count(1)),
        ("window", Literal::Count(3)),
        ("min_samples", Literal::Count(1)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::top_n,
};

/// Sorts the rows of each window.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, choice, exact, flag, number, root, text, variance, windowed};

    pub fn top_n(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (n, largest) = (number(spec, "n").unwrap() as usize, flag(spec, "largest", true));
        let statistic = choice(spec, "statistic", "mean");
        let order = table.exact().numbers(&text(spec, "order_by"));
        let values = table.numbers(&text(spec, "column"));
        let rows: Vec<Option<(f64, f64)>> = values.into_iter().zip(order).map(|(x, order)| x.zip(order)).collect();
        windowed(spec, table, &rows, |window| of_window(window, n, largest, &statistic))
    }

    /// `window` holds (value, order), the earlier rows first.
    fn of_window(window: &[(f64, f64)], n: usize, largest_first: bool, statistic: &str) -> Slow {
        if window.iter().any(|(_, order)| order.is_nan()) {
            return exact(Some(f64::NAN));
        }
        let mut rows: Vec<(f64, f64)> = window.to_vec();
        let key = |(_, order): &(f64, f64)| if largest_first { -(order + 0.0) } else { order + 0.0 };
        rows.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap());
        let top: Vec<f64> = rows.iter().take(n).map(|(x, _)| *x).collect();
        let (count, size) = (top.len() as f64, top.iter().map(|x| x.abs()).sum::<f64>());
        let sum: f64 = top.iter().sum();
        let nan = top.iter().any(|x| x.is_nan());
        let extreme = |pick: fn(f64, f64) -> f64| if nan { Some(f64::NAN) } else { top.iter().copied().reduce(pick) };
        match statistic {
            _ if top.is_empty() => exact(None),
            "sum" => bounded(sum, 2.0 * count * EPS * size),
            "min" => exact(extreme(f64::min)),
            "max" => exact(extreme(f64::max)),
            "std" => root(variance(&top, 1.0)),
            _ => bounded(sum / count, 4.0 * EPS * size),
        }
    }
}
