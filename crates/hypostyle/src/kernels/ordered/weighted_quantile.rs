//! Quantiles of values with weights: the value at which a share of the total weight is reached.
//!
//! The values are kept in a treap: a search tree whose shape is decided by a hash of each value.  One set of values has one
//! shape, in whatever order it came, so the sums of weights along it are bit-identical on every way to a window.

use crate::error::Result;
use crate::model::OrderedWindow;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::{Arguments, Kind, Literal, Parameter};

/// The weighted quantile.
#[derive(Debug, Clone)]
pub struct WeightedQuantile {
    /// Which one, from 0 to 1.
    pub quantile: f64,
}

const NIL: u32 = u32::MAX;

/// A value with a weight, how often that pair occurs, and the weight of the subtree.
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

/// The window's values in order.
#[derive(Debug, Clone)]
pub struct Treap {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
    /// Values or weights that are NaN, and weights that are negative.
    nans: usize,
    negative: usize,
}

/// Mixes the bits of a value and its weight (the finalizer of splitmix64, twice).
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

    /// A value with its weight compared with a node.
    fn compare(&self, at: u32, value: f64, weight: f64) -> std::cmp::Ordering {
        let node = &self.nodes[at as usize];
        value.total_cmp(&node.value).then(weight.total_cmp(&node.weight))
    }

    /// Whether a node belongs above another: by priority; for equal priorities, by order.
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
                Some(slot) => {
                    self.nodes[slot as usize] = node;
                    slot
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

    /// Joins two subtrees; the first holds the smaller values.
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

    /// The smallest value up to which the weights reach a share of the total weight.
    fn reach(&self, share: f64) -> Option<f64> {
        let wanted = share * self.sum(self.root);
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
        last // the sums along the way are rounded: the largest value at the latest
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

fn plan(arguments: &Arguments) -> Result<Plan> {
    let quantile = arguments.number("quantile")?;
    if !(0.0..=1.0).contains(&quantile) {
        return Err(arguments.refuse("quantile", format!("must be from 0 to 1, got {quantile}")));
    }
    Plan::ordered(arguments, &["column", "weights"], WeightedQuantile { quantile })
}

const WEIGHTS: Parameter = Parameter::required("weights", Kind::Column, "The weight of each row, not negative.");

const QUANTILE: Parameter =
    Parameter::required("quantile", Kind::Number, "Which quantile: the share of the total weight, from 0 to 1.");

pub(crate) const WEIGHTED_QUANTILE: Entry = Entry {
    names: &["rolling_weighted_quantile", "expanding_weighted_quantile"],
    shape: Shape::Windowed,
    summary: "Quantile of {the values in a moving window|all values so far}, with a weight for each row.",
    formula: "y[i] = the smallest x[j]{ in the window of row i|, j <= i,} with sum(w[k] for x[k] <= x[j]) >= quantile * sum(w)",
    notes: "A row counts if value and weight are valid; a value of weight 0 is never the result. Always one of the values, like numpy's \
            `inverted_cdf`. Null if a weight is negative, or none is positive; a window with a NaN, or whose weights add up to infinity, \
            gives NaN. Exact, except that the sums of weights are rounded: if one is within w * eps of the wanted share, the result may \
            be a neighboring value.",
    source: "numpy.quantile(method='inverted_cdf', weights=...); Aragon, Seidel (1989), treaps.",
    parameters: &[COLUMN, WEIGHTS, QUANTILE],
    example: &[
        ("column", Literal::Text("x")),
        ("weights", Literal::Text("z")),
        ("quantile", Literal::Number(0.5)),
        ("window", Literal::Count(3)),
        ("min_samples", Literal::Count(1)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::weighted_quantile,
};

/// Sorts each window and adds up the weights.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, number, of_pairs};

    pub fn weighted_quantile(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let quantile = number(spec, "quantile").unwrap();
        of_pairs(spec, table, ("column", "weights"), |window| of_window(window, quantile))
    }

    /// `window` holds (value, weight).
    fn of_window(window: &[(f64, f64)], quantile: f64) -> Slow {
        if window.iter().any(|(x, w)| x.is_nan() || w.is_nan() || *w == f64::INFINITY) {
            let nan = window.iter().any(|(x, w)| x.is_nan() || w.is_nan());
            // An infinite weight beside a negative one: either rule may come first.
            return Slow { answer: Some(f64::NAN), error: if nan { 0.0 } else { f64::INFINITY } };
        }
        if window.iter().any(|(_, w)| *w < 0.0) {
            // Unless the sum of the others leaves the range of numbers.
            return Slow { answer: None, error: if largest_weight(window) > 1e290 { f64::INFINITY } else { 0.0 } };
        }
        let mut rows: Vec<(f64, f64)> = window.iter().filter(|(_, w)| *w > 0.0).map(|(x, w)| (x + 0.0, *w)).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let whole: f64 = rows.iter().map(|(_, w)| w).sum();
        let at = |wanted: f64| {
            let mut reached = 0.0;
            let mut found = rows.last().map(|(x, _)| *x);
            for (x, w) in &rows {
                reached += w;
                if reached >= wanted {
                    found = Some(*x);
                    break;
                }
            }
            found
        };
        let slack = 4.0 * rows.len() as f64 * EPS;
        let (low, high) = (at(quantile * whole * (1.0 - slack)), at(quantile * whole * (1.0 + slack)));
        let sure = low == high && whole < 1e300;
        Slow { answer: at(quantile * whole), error: if sure { 0.0 } else { f64::INFINITY } }
    }

    fn largest_weight(window: &[(f64, f64)]) -> f64 {
        window.iter().fold(0.0, |a, (_, w)| a.max(w.abs()))
    }
}
