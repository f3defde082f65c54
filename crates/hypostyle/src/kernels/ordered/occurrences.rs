//! Statistics of how often each value occurs in the window: the most frequent value, and the entropy.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::distinct::value_bits;
use crate::error::Result;
use crate::model::{OrderedWindow, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Example, Plan, Shape};
use crate::spec::{Arguments, Kind, Literal, Parameter};

/// The most frequent value; of several, the smallest.
#[derive(Debug, Clone)]
pub struct Mode;

/// How often each value occurs, and the values sorted by that.
#[derive(Debug, Clone, Default)]
pub struct Frequencies {
    counts: HashMap<u64, usize>,
    /// The largest count comes last; of the values with that count, the smallest.
    ranked: BTreeSet<(usize, std::cmp::Reverse<u64>)>,
    nans: usize,
}

/// Bits that sort like the values.
fn to_sortable(bits: u64) -> u64 {
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The inverse of [`to_sortable`].
fn from_sortable(bits: u64) -> u64 {
    if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits }
}

impl Frequencies {
    fn change(&mut self, x: f64, up: bool) {
        if x.is_nan() {
            self.nans = if up { self.nans + 1 } else { self.nans - 1 };
            return;
        }
        let bits = value_bits(x);
        let count = self.counts.entry(bits).or_insert(0);
        let before = *count;
        *count = if up { before + 1 } else { before - 1 };
        let after = *count;
        let value = std::cmp::Reverse(to_sortable(bits));
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

impl OrderedWindow for Mode {
    type Input = f64;
    type Output = f64;
    type State = Frequencies;

    fn empty(&self) -> Frequencies {
        Frequencies::default()
    }

    fn insert(&self, state: &mut Frequencies, x: f64) {
        state.change(x, true);
    }

    fn remove(&self, state: &mut Frequencies, x: f64) {
        state.change(x, false);
    }

    fn answer(&self, state: &Frequencies, _: Option<f64>) -> Option<f64> {
        if state.nans > 0 {
            return Some(f64::NAN);
        }
        state.ranked.last().map(|(_, value)| f64::from_bits(from_sortable(value.0)))
    }

    fn heap_bytes(&self, state: &Frequencies) -> usize {
        // A node of the ordered set holds up to 11 entries and is about two thirds full.
        state.counts.allocation_size() + state.ranked.len() * 3 / 2 * size_of::<(usize, u64)>()
    }
}

/// Shannon's entropy of the distribution of the values.
#[derive(Debug, Clone)]
pub struct Entropy {
    /// The unit: the logarithm of its base.
    pub unit: f64,
}

/// How often each value occurs, and how many values occur that often.
#[derive(Debug, Clone, Default)]
pub struct Multiplicities {
    counts: HashMap<u64, usize>,
    values: BTreeMap<usize, usize>,
    len: usize,
}

impl Multiplicities {
    fn change(&mut self, x: f64, up: bool) {
        let bits = value_bits(x);
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

impl OrderedWindow for Entropy {
    type Input = f64;
    type Output = f64;
    type State = Multiplicities;

    fn empty(&self) -> Multiplicities {
        Multiplicities::default()
    }

    fn insert(&self, state: &mut Multiplicities, x: f64) {
        state.change(x, true);
    }

    fn remove(&self, state: &mut Multiplicities, x: f64) {
        state.change(x, false);
    }

    fn answer(&self, state: &Multiplicities, _: Option<f64>) -> Option<f64> {
        let len = as_f64(state.len);
        let terms = state.values.iter().map(|(count, values)| {
            let part = as_f64(*count) / len;
            as_f64(*values) * part * (len / as_f64(*count)).ln()
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
        Some(base) if base > 1.0 && base.is_finite() => base.ln(),
        Some(base) => {
            return Err(arguments
                .refuse("base", format!("must be greater than 1, got {base}"))
                .with_help("use 2 for bits or 10 for digits, or remove base for the natural logarithm"));
        }
    };
    Plan::ordered(arguments, &["column"], Entropy { unit })
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
            window with a NaN gives NaN. Exact, except that integers beyond 2^53 are rounded to floats first.",
    source: "scipy.stats.mode; a hash table of counts, and an ordered set of them.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: |arguments| Plan::ordered(arguments, &["column"], Mode),
    #[cfg(test)]
    reference: reference::mode,
};

pub(crate) const ENTROPY: Entry = Entry {
    names: &["rolling_entropy", "expanding_entropy"],
    shape: Shape::Windowed,
    summary: "Shannon's entropy of {the values in a moving window|all values so far}.",
    formula: "y[i] = -sum(p * log(p)) over the distinct values {in the window of|up to} row i, p the share of the rows with that value",
    notes: "Values are equal if their bits are, except that -0 equals 0; round or bin measurements first. Nulls are skipped and do \
            not count for `min_samples`. NaN is a value, and all NaNs are equal. 0 if there is one distinct value only. A few \
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
    use crate::reference::{EPS, Slow, Table, exact, number, of_column};

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
        of_column(spec, table, |window| {
            if window.iter().any(|x| x.is_nan()) {
                return exact(Some(f64::NAN));
            }
            let found = frequencies(window);
            let most = found.iter().map(|(_, count)| *count).max();
            exact(found.iter().find(|(_, count)| Some(*count) == most).map(|(x, _)| *x))
        })
    }

    pub fn entropy(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let base = number(spec, "base");
        of_column(spec, table, |window| {
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
