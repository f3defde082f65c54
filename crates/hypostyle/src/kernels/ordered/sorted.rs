//! A sorted multiset, for windows of any length.
//!
//! Values are kept in sorted chunks of limited length.  In a short window, one chunk, a value is replaced in one pass over all
//! of them without a branch, which vectorizes; in a longer one by two binary searches and a move of the values between them.
//! NaNs are only counted, and -0 enters as 0, so that the order is total and every result a function of the multiset.

use crate::kernels::value::Value;

/// Chunks split when they grow beyond this many values ...
const CHUNK: usize = 256;

/// ... or this many, if there are [`MANY`] values or more: both a chunk and the list of chunks are then short enough for a pass.
const LONG_CHUNK: usize = 2048;
const MANY: usize = 1 << 16;

/// Up to this many values are replaced in one pass over all of them.
pub(super) const SHORT: usize = 64;

/// A sorted multiset: see the module.
#[derive(Debug, Clone, Default)]
pub struct SortedValues<T = f64> {
    /// Sorted, and sorted among each other; none is empty.
    chunks: Vec<Vec<T>>,
    /// The largest value of each chunk.
    largest: Vec<T>,
    /// The length of each chunk.
    lens: Vec<u32>,
    len: usize,
    nans: usize,
}

/// The number of values below `x`.
#[inline]
fn lower_bound<T: Value>(items: &[T], x: T) -> usize {
    bound(items, |item| item < x)
}

/// The number of values that are not above `x`.
#[inline]
fn upper_bound<T: Value>(items: &[T], x: T) -> usize {
    bound(items, |item| item <= x)
}

/// The number of values that come before: a binary search without branches that depend on the data.
#[inline(always)]
fn bound<T: Value>(items: &[T], comes_before: impl Fn(T) -> bool) -> usize {
    let mut base = 0;
    let mut size = items.len();
    while size > 1 {
        let half = size / 2;
        base = if comes_before(items[base + half - 1]) { base + half } else { base };
        size -= half;
    }
    base + usize::from(size == 1 && comes_before(items[base]))
}

/// Replaces `old` by `new` in a short sorted slice.
///
/// Without `old` the values are `b[j] = a[j] if a[j] < old else a[j + 1]`; with `new` put in they are
/// `min(b[j], max(b[j - 1], new))`.
#[inline]
fn replace_short<T: Value>(values: &mut [T], old: T, new: T) {
    let n = values.len();
    // With one more value before the first and one after the last.
    let mut a = [T::HIGHEST; SHORT + 2];
    a[0] = T::LOWEST;
    a[1..=n].copy_from_slice(values);
    for (j, value) in values.iter_mut().enumerate() {
        let (before, here, after) = (a[j], a[j + 1], a[j + 2]);
        let b_before = if before < old { before } else { here };
        let b = if here < old { here } else { after };
        let raised = if b_before > new { b_before } else { new };
        *value = if b < raised { b } else { raised };
    }
}

/// Whether a valid value is NaN.
pub(super) fn has_nan<T: Value>(values: &[T], valid: Option<&[bool]>) -> bool {
    match valid {
        None => values.iter().any(|x| x.is_nan()),
        Some(valid) => values.iter().zip(valid).any(|(x, valid)| *valid && x.is_nan()),
    }
}

impl<T: Value> SortedValues<T> {
    /// The number of values, without NaNs.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values, apart from NaNs.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether there is a NaN.
    pub fn has_nan(&self) -> bool {
        self.nans > 0
    }

    /// The chunk that holds `x`, or the one that it belongs into.
    fn chunk_of(&self, x: T) -> usize {
        if self.chunks.len() == 1 {
            return 0;
        }
        lower_bound(&self.largest, x).min(self.chunks.len().saturating_sub(1))
    }

    /// Adds a value.
    pub fn insert(&mut self, x: T) {
        if x.is_nan() {
            self.nans += 1;
            return;
        }
        let x = x.plain();
        self.len += 1;
        if self.chunks.is_empty() {
            self.chunks.push(vec![x]);
            self.largest.push(x);
            self.lens.push(1);
            return;
        }
        let (at, limit) = (self.chunk_of(x), self.limit());
        let chunk = &mut self.chunks[at];
        let position = lower_bound(chunk, x);
        chunk.insert(position, x);
        if chunk.len() > limit {
            let upper = chunk.split_off(limit / 2);
            self.largest.insert(at + 1, x);
            self.lens.insert(at + 1, 0);
            self.chunks.insert(at + 1, upper);
            self.update(at + 1);
        }
        self.update(at);
    }

    /// How long a chunk may grow.
    fn limit(&self) -> usize {
        if self.len < MANY { CHUNK } else { LONG_CHUNK }
    }

    /// Updates a chunk's length and largest value; it is not empty.
    fn update(&mut self, at: usize) {
        let chunk = &self.chunks[at];
        self.largest[at] = chunk[chunk.len() - 1];
        self.lens[at] = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
    }

    fn drop_chunk(&mut self, at: usize) -> Vec<T> {
        self.largest.remove(at);
        self.lens.remove(at);
        self.chunks.remove(at)
    }

    /// Joins a chunk that has become short with its neighbor, if that is short too.
    fn join(&mut self, at: usize) {
        let short = self.limit() / 8;
        let first = if at + 1 < self.chunks.len() { at } else { at.saturating_sub(1) };
        if first + 1 < self.chunks.len() && self.chunks[first].len() + self.chunks[first + 1].len() <= 2 * short {
            let upper = self.drop_chunk(first + 1);
            self.chunks[first].extend(upper);
            self.update(first);
        }
    }

    /// Removes one copy of a value.
    pub fn remove(&mut self, x: T) {
        if x.is_nan() {
            self.nans -= 1;
            return;
        }
        let x = x.plain();
        let at = self.chunk_of(x);
        let chunk = &mut self.chunks[at];
        let position = lower_bound(chunk, x);
        debug_assert!(chunk.get(position) == Some(&x));
        chunk.remove(position);
        self.len -= 1;
        if chunk.is_empty() {
            self.drop_chunk(at);
            return;
        }
        self.update(at);
        if self.chunks[at].len() * 8 < self.limit() {
            self.join(at);
        }
    }

    /// Replaces one value by another.
    #[inline]
    pub fn replace(&mut self, old: T, new: T) {
        if old.is_nan() || new.is_nan() {
            self.remove(old);
            self.insert(new);
            return;
        }
        let (old, new) = (old.plain(), new.plain());
        let at = self.chunk_of(old);
        if self.chunks.len() > 1 && at != self.chunk_of(new) {
            self.remove(old);
            self.insert(new);
            return;
        }
        let chunk = &mut self.chunks[at];
        if chunk.len() <= SHORT {
            replace_short(chunk, old, new);
        } else {
            let from = lower_bound(chunk, old);
            let to = lower_bound(chunk, new);
            if to > from {
                chunk.copy_within(from + 1..to, from);
                chunk[to - 1] = new;
            } else {
                chunk.copy_within(to..from, to + 1);
                chunk[to] = new;
            }
        }
        self.largest[at] = chunk[chunk.len() - 1];
    }

    /// The index of the chunk that holds position `n`, and the position within.
    #[inline]
    fn find(&self, mut n: usize) -> (usize, usize) {
        let mut first = 0;
        // Many chunks at a time: the sum of their lengths vectorizes.
        for lens in self.lens.chunks(32) {
            let sum = lens.iter().sum::<u32>() as usize;
            if n < sum {
                break;
            }
            n -= sum;
            first += lens.len();
        }
        for len in &self.lens[first..] {
            if n < *len as usize {
                break;
            }
            n -= *len as usize;
            first += 1;
        }
        (first, n)
    }

    /// The value with `n` values before it; `n` is below the length.
    #[inline]
    pub fn nth(&self, n: usize) -> T {
        if let [chunk] = self.chunks.as_slice() {
            return chunk.get(n).copied().unwrap_or(T::HIGHEST);
        }
        let (chunk, position) = self.find(n);
        self.chunks.get(chunk).and_then(|chunk| chunk.get(position)).copied().unwrap_or(T::HIGHEST)
    }

    /// How many values are below `x`, and how many equal it.
    pub fn rank(&self, x: T) -> (usize, usize) {
        let x = x.plain();
        if let [chunk] = self.chunks.as_slice()
            && chunk.len() <= SHORT
        {
            // Counting all of them needs no branch and vectorizes.
            let below = chunk.iter().map(|y| usize::from(*y < x)).sum();
            return (below, chunk.iter().map(|y| usize::from(*y == x)).sum());
        }
        // The chunks between these two hold nothing else, however many values are equal.
        let (first, last) = (lower_bound(&self.largest, x), upper_bound(&self.largest, x));
        let count = |lens: &[u32]| lens.iter().sum::<u32>() as usize;
        let start = self.chunks.get(first).map_or(0, |chunk| lower_bound(chunk, x));
        let end = self.chunks.get(last).map_or(0, |chunk| upper_bound(chunk, x));
        let below = count(&self.lens[..first]) + start;
        (below, count(&self.lens[first..last]) + end - start)
    }

    /// The bytes held beyond the struct's own size.
    pub fn heap_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<T>()).sum::<usize>()
            + self.chunks.capacity() * size_of::<Vec<T>>()
            + self.largest.capacity() * size_of::<T>()
            + self.lens.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_multiset(
            values in proptest::collection::vec(-50i32..50, 1..3000),
            window in prop_oneof![1usize..80, 1usize..2500],
            replaces in any::<bool>(),
        ) {
            let wild = |x: i32| match x {
                49 => f64::INFINITY,
                -50 => f64::NEG_INFINITY,
                x => f64::from(x) / 3.0,
            };
            let values: Vec<f64> = values.into_iter().map(wild).collect();
            let mut sorted = SortedValues::<f64>::default();
            for (i, x) in values.iter().enumerate() {
                if i < window {
                    sorted.insert(*x);
                } else if replaces {
                    sorted.replace(values[i - window], *x);
                } else {
                    sorted.remove(values[i - window]);
                    sorted.insert(*x);
                }
            }
            let mut expected = values[values.len().saturating_sub(window)..].to_vec();
            expected.sort_by(f64::total_cmp);
            let got: Vec<f64> = (0..sorted.len()).map(|n| sorted.nth(n)).collect();
            prop_assert_eq!(&got, &expected);
            let x = values[values.len() / 2];
            let below = expected.iter().filter(|y| **y < x).count();
            prop_assert_eq!(sorted.rank(x), (below, expected.iter().filter(|y| **y == x).count()));
        }
    }
}
