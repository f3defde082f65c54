//! What follows from how often each value stands in the window: the most frequent one, and the entropy.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::OrderedWindow;
use super::distinct::name;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::error::Result;
use crate::statistics::as_f64;
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, EXPANDING_PARAMETERS, FROM_ONE, MIN_SAMPLES, ROLLING_PARAMETERS, STEP, WINDOW,
    expanding_ordered, expanding_spec, rolling_ordered, rolling_spec,
};

/// The most frequent value; of several, the least.
#[derive(Debug, Clone)]
pub struct Mode;

/// How often each value is there, and the values by that.
#[derive(Debug, Clone, Default)]
pub struct Frequencies {
    counts: HashMap<u64, usize>,
    /// The greatest count stands last, and of those with it the least value.
    ranked: BTreeSet<(usize, std::cmp::Reverse<u64>)>,
    nans: usize,
}

/// Bits that are in the order of the values.
fn in_order(bits: u64) -> u64 {
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn out_of_order(bits: u64) -> u64 {
    if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits }
}

impl Frequencies {
    fn change(&mut self, x: f64, up: bool) {
        if x.is_nan() {
            self.nans = if up { self.nans + 1 } else { self.nans - 1 };
            return;
        }
        let name = name(x);
        let count = self.counts.entry(name).or_insert(0);
        let before = *count;
        *count = if up { before + 1 } else { before - 1 };
        let after = *count;
        let value = std::cmp::Reverse(in_order(name));
        if before > 0 {
            self.ranked.remove(&(before, value));
        }
        if after > 0 {
            self.ranked.insert((after, value));
        } else {
            self.counts.remove(&name);
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
        state.ranked.last().map(|(_, value)| f64::from_bits(out_of_order(value.0)))
    }

    fn heap_bytes(&self, state: &Frequencies) -> usize {
        // A node of the ordered set holds up to 11 entries, and about two thirds of the places are taken.
        state.counts.allocation_size() + state.ranked.len() * 3 / 2 * size_of::<(usize, u64)>()
    }
}

/// Shannon's entropy of how the values are distributed.
#[derive(Debug, Clone)]
pub struct Entropy {
    /// The unit: the logarithm of its base.
    pub unit: f64,
}

/// How often each value is there, and how many values are there so often.
#[derive(Debug, Clone, Default)]
pub struct Multiplicities {
    counts: HashMap<u64, usize>,
    values: BTreeMap<usize, usize>,
    len: usize,
}

impl Multiplicities {
    fn change(&mut self, x: f64, up: bool) {
        let name = name(x);
        let count = self.counts.entry(name).or_insert(0);
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
            self.counts.remove(&name);
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

fn entropy(arguments: &Arguments) -> Result<Entropy> {
    match arguments.number("base") {
        None => Ok(Entropy { unit: 1.0 }),
        Some(base) if base > 1.0 && base.is_finite() => Ok(Entropy { unit: base.ln() }),
        Some(base) => Err(arguments.refuse("base", format!("must be more than 1, not {base}"))),
    }
}

const MODE_NOTES: &str = "Of several values that are equally frequent, the least. Nulls are skipped and do not count for `min_samples`; a \
    window with a NaN gives NaN. Exact, but that integers beyond 2^53 are rounded to floats first.";

const ENTROPY_NOTES: &str = "Values are equal where their bits are, -0 and 0 aside; round or bin measurements first. Nulls are skipped and do \
    not count for `min_samples`; NaN is a value, and all NaNs are the same. 0 where there is one value only. A few roundings for \
    each different count.";

const BASE: Parameter = Parameter::optional(
    "base",
    Kind::Number,
    Literal::Omitted,
    "The base of the logarithm, such as 2 for bits. Unless given: e.",
);

pub(crate) const ROLLING_MODE: Kernel = Kernel {
    name: "rolling_mode",
    family: Family::Rolling,
    summary: "Most frequent value in a moving window.",
    formula: "y[i] = the least of the most frequent x[j] for j in the window of row i",
    notes: MODE_NOTES,
    source: "scipy.stats.mode; a hash table of counts, and an ordered set of them.",
    parameters: ROLLING_PARAMETERS,
    example: r#""z", 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], Mode),
};

pub(crate) const EXPANDING_MODE: Kernel = Kernel {
    name: "expanding_mode",
    family: Family::Expanding,
    summary: "Most frequent value so far.",
    formula: "y[i] = the least of the most frequent x[j] for j <= i",
    notes: MODE_NOTES,
    source: "scipy.stats.mode; a hash table of counts, and an ordered set of them.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""z""#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], Mode),
};

pub(crate) const ROLLING_ENTROPY: Kernel = Kernel {
    name: "rolling_entropy",
    family: Family::Rolling,
    summary: "Shannon's entropy of the values in a moving window.",
    formula: "y[i] = -sum(p * log(p)) over the different values in the window of row i, p the part of the rows that have it",
    notes: ENTROPY_NOTES,
    source: "scipy.stats.entropy of value counts; a hash table of counts.",
    parameters: &[COLUMN, WINDOW, BASE, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""z", 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], entropy(arguments)?),
};

pub(crate) const EXPANDING_ENTROPY: Kernel = Kernel {
    name: "expanding_entropy",
    family: Family::Expanding,
    summary: "Shannon's entropy of all values so far.",
    formula: "y[i] = -sum(p * log(p)) over the different values up to row i, p the part of the rows that have it",
    notes: ENTROPY_NOTES,
    source: "scipy.stats.entropy of value counts; a hash table of counts.",
    parameters: &[COLUMN, BASE, FROM_ONE],
    example: r#""z""#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], entropy(arguments)?),
};

/// Most frequent value in a moving window.
pub fn rolling_mode(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_mode", column, window)
}

/// Most frequent value so far.
pub fn expanding_mode(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_mode", column)
}

/// Shannon's entropy of the values in a moving window.
pub fn rolling_entropy(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_entropy", column, window)
}

/// Shannon's entropy of all values so far.
pub fn expanding_entropy(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_entropy", column)
}
