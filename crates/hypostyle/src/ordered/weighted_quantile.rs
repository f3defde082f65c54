//! Quantiles of values with weights: the value at which a part of the whole weight is reached.
//!
//! The values stand in a treap: a search tree whose shape is decided by a hash of each value.  One set of values has one
//! shape, however it came about, so the sums of weights along it have the same bits on every way to a window.

use super::OrderedWindow;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::error::Result;
use crate::windowed::{
    BY, CENTER, CLOSED, COLUMN, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding_ordered, pair_spec, rolling_ordered,
};

/// The weighted quantile.
#[derive(Debug, Clone)]
pub struct WeightedQuantile {
    /// Which one, from 0 to 1.
    pub quantile: f64,
}

const NIL: u32 = u32::MAX;

/// A value with a weight, how often the two are there, and the weight of the subtree.
#[derive(Debug, Clone, Copy)]
struct Node {
    value: f64,
    weight: f64,
    count: u32,
    priority: u64,
    left: u32,
    right: u32,
    sum: f64,
}

/// The window's values by size.
#[derive(Debug, Clone)]
pub struct Treap {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
    /// Values or weights that are NaN, and weights that are negative.
    nans: usize,
    negative: usize,
}

/// Mixes the bits of a value and its weight (the finaliser of splitmix64, twice).
fn priority(value: f64, weight: f64) -> u64 {
    let mix = |x: u64| {
        let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    };
    mix(mix(value.to_bits()).wrapping_add(weight.to_bits()))
}

impl Treap {
    fn sum(&self, at: u32) -> f64 {
        self.nodes.get(at as usize).map_or(0.0, |node| node.sum)
    }

    fn update(&mut self, at: u32) {
        let Node { left, right, weight, count, .. } = self.nodes[at as usize];
        self.nodes[at as usize].sum = self.sum(left) + weight * f64::from(count) + self.sum(right);
    }

    /// Where a value with its weight stands against a node.
    fn compare(&self, at: u32, value: f64, weight: f64) -> std::cmp::Ordering {
        let node = &self.nodes[at as usize];
        value.total_cmp(&node.value).then(weight.total_cmp(&node.weight))
    }

    /// Whether a node belongs above another: by priority, and by its place where two have the same.
    fn above(&self, a: u32, b: u32) -> bool {
        let (x, y) = (&self.nodes[a as usize], &self.nodes[b as usize]);
        let order = x.priority.cmp(&y.priority);
        order.then_with(|| self.compare(b, x.value, x.weight)).is_gt()
    }

    fn insert(&mut self, at: u32, value: f64, weight: f64) -> u32 {
        if at == NIL {
            let priority = priority(value, weight);
            let node = Node { value, weight, count: 1, priority, left: NIL, right: NIL, sum: weight };
            return match self.free.pop() {
                Some(place) => {
                    self.nodes[place as usize] = node;
                    place
                }
                None => {
                    self.nodes.push(node);
                    u32::try_from(self.nodes.len() - 1).expect("a window of less than 2^32 values")
                }
            };
        }
        let mut top = at;
        match self.compare(at, value, weight) {
            std::cmp::Ordering::Equal => self.nodes[at as usize].count += 1,
            std::cmp::Ordering::Less => {
                let left = self.insert(self.nodes[at as usize].left, value, weight);
                self.nodes[at as usize].left = left;
                if self.above(left, at) {
                    self.nodes[at as usize].left = self.nodes[left as usize].right;
                    self.nodes[left as usize].right = at;
                    self.update(at);
                    top = left;
                }
            }
            std::cmp::Ordering::Greater => {
                let right = self.insert(self.nodes[at as usize].right, value, weight);
                self.nodes[at as usize].right = right;
                if self.above(right, at) {
                    self.nodes[at as usize].right = self.nodes[right as usize].left;
                    self.nodes[right as usize].left = at;
                    self.update(at);
                    top = right;
                }
            }
        }
        self.update(top);
        top
    }

    /// Two subtrees of which the first holds the smaller values.
    fn join(&mut self, a: u32, b: u32) -> u32 {
        if a == NIL || b == NIL {
            return if a == NIL { b } else { a };
        }
        let top = if self.above(a, b) {
            let right = self.join(self.nodes[a as usize].right, b);
            self.nodes[a as usize].right = right;
            a
        } else {
            let left = self.join(a, self.nodes[b as usize].left);
            self.nodes[b as usize].left = left;
            b
        };
        self.update(top);
        top
    }

    fn remove(&mut self, at: u32, value: f64, weight: f64) -> u32 {
        if at == NIL {
            return NIL;
        }
        let Node { left, right, count, .. } = self.nodes[at as usize];
        match self.compare(at, value, weight) {
            std::cmp::Ordering::Equal if count == 1 => {
                self.free.push(at);
                return self.join(left, right);
            }
            std::cmp::Ordering::Equal => self.nodes[at as usize].count -= 1,
            std::cmp::Ordering::Less => self.nodes[at as usize].left = self.remove(left, value, weight),
            std::cmp::Ordering::Greater => self.nodes[at as usize].right = self.remove(right, value, weight),
        }
        self.update(at);
        at
    }

    /// The least value up to which the weights reach a part of the whole.
    fn reach(&self, part: f64) -> Option<f64> {
        let wanted = part * self.sum(self.root);
        let (mut at, mut before, mut last) = (self.root, 0.0, None);
        while at != NIL {
            let node = &self.nodes[at as usize];
            let below = before + self.sum(node.left);
            let up_to = below + node.weight * f64::from(node.count);
            if node.left != NIL && below >= wanted {
                at = node.left;
            } else if up_to >= wanted {
                return Some(node.value);
            } else {
                (before, last, at) = (up_to, Some(node.value), node.right);
            }
        }
        last // the sums along the way are rounded: the greatest value at the latest
    }
}

impl OrderedWindow for WeightedQuantile {
    /// The value, then its weight.
    type Input = [f64; 2];
    type Output = f64;
    type State = Treap;

    fn empty(&self) -> Treap {
        Treap { nodes: Vec::new(), free: Vec::new(), root: NIL, nans: 0, negative: 0 }
    }

    fn insert(&self, state: &mut Treap, [value, weight]: [f64; 2]) {
        if value.is_nan() || weight.is_nan() {
            state.nans += 1;
        } else if weight < 0.0 {
            state.negative += 1;
        } else if weight > 0.0 {
            state.root = state.insert(state.root, value + 0.0, weight);
        }
    }

    fn remove(&self, state: &mut Treap, [value, weight]: [f64; 2]) {
        if value.is_nan() || weight.is_nan() {
            state.nans -= 1;
        } else if weight < 0.0 {
            state.negative -= 1;
        } else if weight > 0.0 {
            state.root = state.remove(state.root, value + 0.0, weight);
        }
    }

    fn answer(&self, state: &Treap, _: Option<[f64; 2]>) -> Option<f64> {
        if state.nans > 0 || state.sum(state.root).is_infinite() {
            return Some(f64::NAN);
        }
        if state.negative > 0 { None } else { state.reach(self.quantile) }
    }

    fn heap_bytes(&self, state: &Treap) -> usize {
        state.nodes.capacity() * size_of::<Node>() + state.free.capacity() * size_of::<u32>()
    }
}

fn weighted_quantile(arguments: &Arguments) -> Result<WeightedQuantile> {
    let quantile = arguments.number("quantile").unwrap_or(f64::NAN);
    if (0.0..=1.0).contains(&quantile) {
        Ok(WeightedQuantile { quantile })
    } else {
        Err(arguments.refuse("quantile", format!("must be from 0 to 1, not {quantile}")))
    }
}

const WEIGHTS: Parameter = Parameter::required("weights", Kind::Column, "The weight of each row, not negative.");

const QUANTILE: Parameter =
    Parameter::required("quantile", Kind::Number, "Which quantile: the part of the whole weight, from 0 to 1.");

const NOTES: &str = "A row counts where value and weight are valid; a value of weight 0 is never the answer. Always one of the values, as \
    numpy's `inverted_cdf` has it. Null where a weight is negative, or none is positive; a window with a NaN, or whose weights add up \
    to infinity, gives NaN. Exact, but that the sums of weights are rounded: where they meet the wanted part within w * eps, a \
    neighbour may be given.";

pub(crate) const ROLLING_WEIGHTED_QUANTILE: Kernel = Kernel {
    name: "rolling_weighted_quantile",
    family: Family::Rolling,
    summary: "Quantile of the values in a moving window, with a weight for each row.",
    formula: "y[i] = the least x[j] in the window of row i with sum(w[k] for x[k] <= x[j]) >= quantile * sum(w)",
    notes: NOTES,
    source: "numpy.quantile(method='inverted_cdf', weights=...); Aragon, Seidel (1989), treaps.",
    parameters: &[COLUMN, WEIGHTS, QUANTILE, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""x", "z", 0.5, 3, min_samples=1"#,
    build: |arguments, schema| {
        rolling_ordered(arguments, schema, &["column", "weights"], weighted_quantile(arguments)?)
    },
};

pub(crate) const EXPANDING_WEIGHTED_QUANTILE: Kernel = Kernel {
    name: "expanding_weighted_quantile",
    family: Family::Expanding,
    summary: "Quantile of all values so far, with a weight for each row.",
    formula: "y[i] = the least x[j], j <= i, with sum(w[k] for x[k] <= x[j]) >= quantile * sum(w)",
    notes: NOTES,
    source: "numpy.quantile(method='inverted_cdf', weights=...); Aragon, Seidel (1989), treaps.",
    parameters: &[COLUMN, WEIGHTS, QUANTILE, FROM_ONE],
    example: r#""x", "z", 0.5"#,
    build: |arguments, schema| {
        expanding_ordered(arguments, schema, &["column", "weights"], weighted_quantile(arguments)?)
    },
};

/// Quantile of the values in a moving window, with a weight for each row.
pub fn rolling_weighted_quantile(
    column: impl Into<String>,
    weights: impl Into<String>,
    quantile: f64,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_weighted_quantile", ("column", column), ("weights", weights), Some(window.into()))
        .with("quantile", quantile)
}

/// Quantile of all values so far, with a weight for each row.
pub fn expanding_weighted_quantile(
    column: impl Into<String>,
    weights: impl Into<String>,
    quantile: f64,
) -> crate::KernelSpec {
    pair_spec("expanding_weighted_quantile", ("column", column), ("weights", weights), None).with("quantile", quantile)
}
