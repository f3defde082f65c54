//! Statistics of how often each value occurs in the window: the most frequent value, and the entropy.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use hashbrown::HashMap;

use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{OrderedWindow, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Example, Inputs, Plan, Shape};
use crate::spec::{Arguments, Kind, Literal, Parameter};

/// The most frequent value; of several, the smallest.
#[derive(Debug, Clone)]
pub struct Mode<T>(PhantomData<T>);

/// How often each value occurs, and the values sorted by that.
#[derive(Debug, Clone, Default)]
pub struct Frequencies {
    counts: HashMap<u64, usize>,
    /// The largest count comes last; of the values with that count, the smallest.
    ranked: BTreeSet<(usize, std::cmp::Reverse<u64>)>,
    nans: usize,
}

impl Frequencies {
    fn change<T: Value>(&mut self, x: T, up: bool) {
        if x.is_nan() {
            self.nans = if up { self.nans + 1 } else { self.nans - 1 };
            return;
        }
        let bits = x.sortable();
        let count = self.counts.entry(bits).or_insert(0);
        let before = *count;
        *count = if up { before + 1 } else { before - 1 };
        let after = *count;
        let value = std::cmp::Reverse(bits);
        if before > 0 {
            self.ranked.remove(&(before, value));
        }
        if after > 0 {
            self.ranked.insert((after, value));
        } else {
            self.counts.remove(&bits);
        }
    }
}

impl<T: Value> OrderedWindow for Mode<T> {
    type Input = T;
    type Output = T;
    type State = Frequencies;

    fn empty(&self) -> Frequencies {
        Frequencies::default()
    }

    fn insert(&self, state: &mut Frequencies, x: T) {
        state.change(x, true);
    }

    fn remove(&self, state: &mut Frequencies, x: T) {
        state.change(x, false);
    }

    fn answer(&self, state: &Frequencies, _: Option<T>) -> Option<T> {
        if state.nans > 0 {
            return T::NEITHER;
        }
        state.ranked.last().map(|(_, value)| T::from_sortable(value.0))
    }

    fn heap_bytes(&self, state: &Frequencies) -> usize {
        // A node of the ordered set holds up to 11 entries and is about two thirds full.
        state.counts.allocation_size() + state.ranked.len() * 3 / 2 * size_of::<(usize, u64)>()
    }
}

/// Shannon's entropy of the distribution of the values.
#[derive(Debug, Clone)]
pub struct Entropy<T> {
    /// The unit: the logarithm of its base.
    pub unit: f64,
    values: PhantomData<T>,
}

/// How often each value occurs, and how many values occur that often.
#[derive(Debug, Clone, Default)]
pub struct Multiplicities {
    counts: HashMap<u64, usize>,
    values: BTreeMap<usize, usize>,
    len: usize,
}

impl Multiplicities {
    fn change<T: Value>(&mut self, x: T, up: bool) {
        let bits = x.sortable();
        let count = self.counts.entry(bits).or_insert(0);
        let before = *count;
        *count = if up { before + 1 } else { before - 1 };
        let after = *count;
        self.len = if up { self.len + 1 } else { self.len - 1 };
        if let Some(values) = self.values.get_mut(&before) {
            *values -= 1;
            if *values == 0 {
                self.values.remove(&before);
            }
        }
        if after > 0 {
            *self.values.entry(after).or_insert(0) += 1;
        } else {
            self.counts.remove(&bits);
        }
    }
}

impl<T: Value> OrderedWindow for Entropy<T> {
    type Input = T;
    type Output = f64;
    type State = Multiplicities;

    fn empty(&self) -> Multiplicities {
        Multiplicities::default()
    }

    fn insert(&self, state: &mut Multiplicities, x: T) {
        state.change(x, true);
    }

    fn remove(&self, state: &mut Multiplicities, x: T) {
        state.change(x, false);
    }

    fn answer(&self, state: &Multiplicities, _: Option<T>) -> Option<f64> {
        let len = as_f64(state.len);
        let terms = state.values.iter().map(|(count, values)| {
            let part = as_f64(*count) / len;
            as_f64(*values) * part * libm::log(len / as_f64(*count))
        });
        (state.len > 0).then(|| terms.sum::<f64>() / self.unit)
    }

    fn heap_bytes(&self, state: &Multiplicities) -> usize {
        state.counts.allocation_size() + state.values.len() * 3 / 2 * size_of::<(usize, usize)>()
    }
}

fn entropy(arguments: &Arguments) -> Result<Plan> {
    let unit = match arguments.optional_number("base")? {
        None => 1.0,
        Some(base) if base > 1.0 && base.is_finite() => libm::log(base),
        Some(base) => {
            return Err(arguments
                .refuse("base", format!("must be greater than 1, got {base}"))
                .with_help("use 2 for bits or 10 for digits, or remove base for the natural logarithm"));
        }
    };
    let inputs = Inputs::of(arguments, &["column"])?.with_decimals_and_texts();
    let integers = Entropy { unit, values: PhantomData::<i64> };
    Plan::ordered_exactly(arguments, inputs, Entropy { unit, values: PhantomData }, integers)
}

fn mode(arguments: &Arguments) -> Result<Plan> {
    let inputs = Inputs::of(arguments, &["column"])?.with_decimals();
    Plan::ordered_exactly(arguments, inputs, Mode::<f64>(PhantomData), Mode::<i64>(PhantomData))
}

const BASE: Parameter = Parameter::optional(
    "base",
    Kind::Number,
    Literal::Omitted,
    "The base of the logarithm, such as 2 for bits; greater than 1. Default: e.",
);

const EXAMPLE: Example = &[("column", Literal::Text("z")), ("window", Literal::Count(3))];

pub(crate) const MODE: Entry = Entry {
    names: &["rolling_mode", "expanding_mode"],
    shape: Shape::Windowed,
    summary: "Most frequent value {in a moving window|so far}.",
    formula: "y[i] = the smallest of the most frequent x[j] for {j in the window of row i|j <= i}",
    notes: "Of several values that are equally frequent, the smallest. Nulls are skipped and do not count for `min_samples`. A \
            window with a NaN gives NaN. Keeps the input's type, including integers, decimals, booleans, dates and times. Exact.",
    source: "scipy.stats.mode; a hash table of counts, and an ordered set of them.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: mode,
    #[cfg(test)]
    reference: reference::mode,
};

pub(crate) const ENTROPY: Entry = Entry {
    names: &["rolling_entropy", "expanding_entropy"],
    shape: Shape::Windowed,
    summary: "Shannon's entropy of {the values in a moving window|all values so far}.",
    formula: "y[i] = -sum(p * log(p)) over the distinct values {in the window of|up to} row i, p the share of the rows with that value",
    notes: "Values are equal if their bits are, except that -0 equals 0; round or bin measurements first. Nulls are skipped and do \
            not count for `min_samples`. NaN is a value, and all NaNs are equal. Integers, decimals, booleans, dates, times and \
            texts are compared exactly. 0 if there is one distinct value only. A few \
            roundings per distinct count.",
    source: "scipy.stats.entropy of value counts; a hash table of counts.",
    parameters: &[COLUMN, BASE],
    example: EXAMPLE,
    plan: entropy,
    #[cfg(test)]
    reference: reference::entropy,
};

/// Counts the values of each window once more, sorted.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, exact, number, of_column, text};

    /// Each distinct value with how often it occurs, by value; NaN last.
    fn frequencies(window: &[f64]) -> Vec<(f64, usize)> {
        let mut sorted: Vec<f64> = window.iter().map(|x| if x.is_nan() { f64::NAN } else { x + 0.0 }).collect();
        sorted.sort_by(f64::total_cmp);
        let mut found: Vec<(f64, usize)> = Vec::new();
        for x in sorted {
            match found.last_mut() {
                Some((value, count)) if value.to_bits() == x.to_bits() => *count += 1,
                _ => found.push((x, 1)),
            }
        }
        found
    }

    pub fn mode(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let name = text(spec, "column");
        let smallest = matches!(name.as_str(), "whole" | "unsigned").then(|| table.smallest(&name));
        of_column(spec, &table.exact(), |window| {
            if window.iter().any(|x| x.is_nan()) {
                return exact(Some(f64::NAN));
            }
            let found = frequencies(window);
            let most = found.iter().map(|(_, count)| *count).max();
            let answer = found.iter().find(|(_, count)| Some(*count) == most).map(|(x, _)| *x);
            exact(answer.map(|x| smallest.map_or(x, |smallest| (smallest + x as i128) as f64)))
        })
    }

    pub fn entropy(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let base = number(spec, "base");
        of_column(spec, &table.exact(), |window| {
            let n = window.len() as f64;
            if window.is_empty() {
                return exact(None);
            }
            let terms = frequencies(window).into_iter().map(|(_, count)| {
                let part = count as f64 / n;
                -part * part.ln()
            });
            let answer: f64 = terms.sum::<f64>() / base.map_or(1.0, f64::ln);
            Slow { answer: Some(answer), error: 4.0 * n * EPS * (1.0 + answer) }
        })
    }
}
