//! The rank of the current row's value among the values of its window.

use std::marker::PhantomData;

use arrow::datatypes::DataType;
use hashbrown::HashMap;

use super::abreast::in_order;
use super::block_rank::{Standing, by_blocks, count_through};
use super::sorted::{SHORT, SortedValues, has_nan};
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{OrderedWindow, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// Which rank equal values get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The mean of their positions.
    Average,
    /// The smallest of their positions.
    Min,
    /// The largest of their positions.
    Max,
}

/// The rank, from 1.
#[derive(Debug, Clone)]
pub struct Rank<T> {
    /// Which rank equal values get.
    pub ties: Ties,
    /// Whether the rank is divided by the number of values.
    pub pct: bool,
    /// Whether the window holds the current row.
    pub holds_current: bool,
    values: PhantomData<T>,
}

impl<T: Value> Rank<T> {
    /// The rank of a value with this standing among `count` values.
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

impl<T: Value> OrderedWindow for Rank<T> {
    type Input = T;
    type Output = f64;
    type State = SortedValues<T>;

    fn empty(&self) -> SortedValues<T> {
        SortedValues::default()
    }

    fn insert(&self, state: &mut SortedValues<T>, x: T) {
        state.insert(x);
    }

    fn remove(&self, state: &mut SortedValues<T>, x: T) {
        state.remove(x);
    }

    fn replace(&self, state: &mut SortedValues<T>, old: T, new: T) {
        state.replace(old, new);
    }

    fn answer(&self, state: &SortedValues<T>, current: Option<T>) -> Option<f64> {
        let x = current?;
        if state.has_nan() || x.is_nan() {
            return Some(f64::NAN);
        }
        let (below, equal) = state.rank(x);
        // A window without the current row is ranked as if it held that row too.
        let added = usize::from(!self.holds_current);
        Some(self.of(Standing { below, equal: equal + added }, state.len() + added))
    }

    fn answer_all(
        &self,
        rows: &[T],
        valid: Option<&[bool]>,
        len: usize,
        answer: impl FnMut(usize, usize, Option<f64>),
    ) -> bool {
        if !self.holds_current || has_nan(rows, valid) {
            return false;
        }
        let mut next = in_order(answer);
        if len <= SHORT {
            if valid.is_some() && T::NEITHER.is_none() {
                return false;
            }
            count_through(rows, valid, len, |count, standing| {
                next(count, standing.map(|standing| self.of(standing, count)));
            });
        } else {
            by_blocks(
                rows,
                valid,
                len,
                #[inline(always)]
                |within| {
                    next(within.count, within.standing().map(|standing| self.of(standing, within.count)));
                },
            );
        }
        true
    }

    fn heap_bytes(&self, state: &SortedValues<T>) -> usize {
        state.heap_bytes()
    }
}

/// The rank among the distinct values, from 1.
#[derive(Debug, Clone)]
pub struct DenseRank<T> {
    /// Whether the rank is divided by the number of distinct values.
    pub pct: bool,
    values: PhantomData<T>,
}

/// How often each value occurs, and the distinct values in order.
#[derive(Debug, Clone, Default)]
pub struct DistinctValues<T> {
    counts: HashMap<u64, usize>,
    values: SortedValues<T>,
}

impl<T: Value> OrderedWindow for DenseRank<T> {
    type Input = T;
    type Output = f64;
    type State = DistinctValues<T>;

    fn empty(&self) -> DistinctValues<T> {
        DistinctValues { counts: HashMap::new(), values: SortedValues::default() }
    }

    fn insert(&self, state: &mut DistinctValues<T>, x: T) {
        let count = state.counts.entry(x.sortable()).or_insert(0);
        *count += 1;
        if *count == 1 {
            state.values.insert(x);
        }
    }

    fn remove(&self, state: &mut DistinctValues<T>, x: T) {
        if let Some(count) = state.counts.get_mut(&x.sortable()) {
            *count -= 1;
            if *count == 0 {
                state.counts.remove(&x.sortable());
                state.values.remove(x);
            }
        }
    }

    fn answer(&self, state: &DistinctValues<T>, current: Option<T>) -> Option<f64> {
        let x = current?;
        if state.values.has_nan() || x.is_nan() {
            return Some(f64::NAN);
        }
        let (below, equal) = state.values.rank(x);
        let rank = as_f64(below + 1);
        Some(if self.pct { rank / as_f64(state.values.len() + usize::from(equal == 0)) } else { rank })
    }

    fn heap_bytes(&self, state: &DistinctValues<T>) -> usize {
        state.counts.allocation_size() + state.values.heap_bytes()
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let is_rolling = arguments.family() == Family::Rolling;
    let pct = arguments.flag("pct")?;
    let meanings = [
        ("average", Some(Ties::Average)),
        ("min", Some(Ties::Min)),
        ("max", Some(Ties::Max)),
        // The current row is the last one of its window, so it comes after all equal ones.
        ("first", Some(Ties::Max)),
        ("dense", None),
    ];
    // Ranks are positions: f32 could not count them.
    let inputs = Inputs::of(arguments, &["column"])?.with_decimals().returning(DataType::Float64);
    let values = PhantomData;
    let Some(ties) = arguments.choice("method", &meanings)? else {
        let integers = DenseRank { pct, values: PhantomData };
        return Plan::ordered_exactly(arguments, inputs, DenseRank { pct, values }, integers);
    };
    let holds_current = !is_rolling || arguments.closed()?.includes_current();
    let integers = Rank { ties, pct, holds_current, values: PhantomData };
    Plan::ordered_exactly(arguments, inputs, Rank { ties, pct, holds_current, values }, integers)
}

const METHOD: Parameter = Parameter::optional(
    "method",
    Kind::Choice(&["average", "min", "max", "first", "dense"]),
    Literal::Text("average"),
    "The rank of equal values: the mean, the smallest or the largest of their positions; 'first' puts earlier rows first; 'dense' counts distinct values only.",
);

const PCT: Parameter = Parameter::optional(
    "pct",
    Kind::Flag,
    Literal::Flag(false),
    "Divide the rank by the number of values; with 'dense', by the number of distinct values.",
);

pub(crate) const RANK: Entry = Entry {
    names: &["rolling_rank", "expanding_rank"],
    shape: Shape::Trailing,
    summary: "Rank of the current row's value among {the values in a moving window|all values so far}.",
    formula: "y[i] = position of x[i], counted from 1, among the sorted values {in the window of|up to} row i",
    notes: "A row with a null gets null{; nulls in the window are skipped and do not count for `min_samples`. A window with a NaN gives \
            NaN. If the window excludes the current row (`closed`), the row is ranked as if the window held it \
            too|. After a NaN the result is NaN}. Integers, booleans, dates and times are compared exactly, and the result is a 64-bit float for every type. Exact, except for the division of `pct`.{| The state holds every value of \
            the key.}",
    source: "pandas `Series.{rolling|expanding}().rank()`; sorted arrays.",
    parameters: &[COLUMN, METHOD, PCT],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(3)), ("min_samples", Literal::Count(1))],
    plan,
    #[cfg(test)]
    reference: reference::rank,
};

/// Counts the smaller and the equal values of each window.
#[cfg(test)]
mod reference {
    use std::collections::HashSet;

    use crate::KernelSpec;
    use crate::reference::{Slow, Table, by_row, choice, exact, flag};

    pub fn rank(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let table = &table.exact();
        let (method, pct) = (choice(spec, "method", "average"), flag(spec, "pct", false));
        let holds_current = matches!(choice(spec, "closed", "right").as_str(), "right" | "both");
        by_row(spec, table, |x, window| of_window(x, window, holds_current, &method, pct))
    }

    fn of_window(current: f64, window: &[f64], holds_current: bool, method: &str, pct: bool) -> Slow {
        let all: Vec<f64> = window.iter().copied().chain((!holds_current).then_some(current)).collect();
        if all.iter().any(|x| x.is_nan()) {
            return exact(Some(f64::NAN));
        }
        let below = all.iter().filter(|x| **x < current).count() as f64;
        let equal = all.iter().filter(|x| **x == current).count() as f64;
        let rank = match method {
            "min" => below + 1.0,
            "max" | "first" => below + equal,
            "dense" => {
                let distinct = |values: &mut dyn Iterator<Item = &f64>| {
                    values.map(|x| (x + 0.0).to_bits()).collect::<HashSet<u64>>().len() as f64
                };
                let rank = distinct(&mut all.iter().filter(|x| **x < current)) + 1.0;
                return exact(Some(if pct { rank / distinct(&mut all.iter()) } else { rank }));
            }
            _ => below + (equal + 1.0) / 2.0,
        };
        exact(Some(if pct { rank / all.len() as f64 } else { rank }))
    }
}
