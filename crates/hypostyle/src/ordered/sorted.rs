//! A multiset of floats in order, for windows of any length.
//!
//! Values are kept as integers whose order is the floats' total order (so -0 comes before 0, and every answer is a function
//! of the multiset alone), in chunks of limited length: a short window is one sorted array, where insertion and removal are
//! a search and a move of a few cache lines; a long one is a list of such arrays. NaNs are only counted.

/// Chunks split when they grow beyond this many values.
const CHUNK: usize = 1024;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct SortedValues {
    /// Sorted, and sorted among each other; none is empty.
    chunks: Vec<Vec<i64>>,
    /// The greatest value of each chunk.
    greatest: Vec<i64>,
    len: usize,
    nans: usize,
}

/// The float's place in the total order.
#[inline]
fn key(x: f64) -> i64 {
    let bits = x.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

#[inline]
fn value(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// The number of items below `x`: a binary search without branches that depend on the data.
#[inline]
fn lower_bound(items: &[i64], x: i64) -> usize {
    let mut base = 0;
    let mut size = items.len();
    while size > 1 {
        let half = size / 2;
        base = if items[base + half - 1] < x { base + half } else { base };
        size -= half;
    }
    base + usize::from(size == 1 && items[base] < x)
}

impl SortedValues {
    /// How many values there are, NaNs aside.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values, NaNs aside.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether there is a NaN.
    pub fn has_nan(&self) -> bool {
        self.nans > 0
    }

    /// The chunk that holds `key`, or where it belongs.
    fn chunk_of(&self, key: i64) -> usize {
        if self.chunks.len() == 1 {
            return 0;
        }
        lower_bound(&self.greatest, key).min(self.chunks.len().saturating_sub(1))
    }

    /// Adds a value.
    pub fn insert(&mut self, x: f64) {
        if x.is_nan() {
            self.nans += 1;
            return;
        }
        let key = key(x);
        self.len += 1;
        if self.chunks.is_empty() {
            self.chunks.push(vec![key]);
            self.greatest.push(key);
            return;
        }
        let at = self.chunk_of(key);
        let chunk = &mut self.chunks[at];
        let place = lower_bound(chunk, key);
        chunk.insert(place, key);
        if chunk.len() > CHUNK {
            let upper = chunk.split_off(CHUNK / 2);
            self.chunks.insert(at + 1, upper);
            self.greatest.insert(at, 0);
            self.greatest[at + 1] = self.chunks[at + 1].last().copied().unwrap_or(key);
        }
        self.greatest[at] = self.chunks[at].last().copied().unwrap_or(key);
    }

    /// Takes one copy of a value away.
    pub fn remove(&mut self, x: f64) {
        if x.is_nan() {
            self.nans -= 1;
            return;
        }
        let key = key(x);
        let at = self.chunk_of(key);
        let chunk = &mut self.chunks[at];
        let place = lower_bound(chunk, key);
        debug_assert_eq!(chunk.get(place), Some(&key));
        chunk.remove(place);
        self.len -= 1;
        match chunk.last() {
            Some(last) => self.greatest[at] = *last,
            None => {
                self.chunks.remove(at);
                self.greatest.remove(at);
            }
        }
    }

    /// Takes one value away and adds another; within a chunk only what lies between the two moves.
    pub fn replace(&mut self, old: f64, new: f64) {
        if old.is_nan() || new.is_nan() {
            self.remove(old);
            self.insert(new);
            return;
        }
        let (old_key, new_key) = (key(old), key(new));
        let at = self.chunk_of(old_key);
        if self.chunks.len() > 1 && at != self.chunk_of(new_key) {
            self.remove(old);
            self.insert(new);
            return;
        }
        let chunk = &mut self.chunks[at];
        let from = lower_bound(chunk, old_key);
        let to = lower_bound(chunk, new_key);
        if to > from {
            chunk.copy_within(from + 1..to, from);
            chunk[to - 1] = new_key;
        } else {
            chunk.copy_within(to..from, to + 1);
            chunk[to] = new_key;
        }
        self.greatest[at] = chunk[chunk.len() - 1];
    }

    /// The value with `n` values before it; `n` is below the length.
    pub fn nth(&self, mut n: usize) -> f64 {
        for chunk in &self.chunks {
            match chunk.get(n) {
                Some(key) => return value(*key),
                None => n -= chunk.len(),
            }
        }
        f64::NAN
    }

    /// The bytes held beyond the struct's own size.
    pub fn heap_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * 8 + size_of::<Vec<i64>>()).sum::<usize>()
            + self.greatest.capacity() * 8
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
            window in 1usize..2500,
            replaces in any::<bool>(),
        ) {
            let values: Vec<f64> = values.into_iter().map(|x| f64::from(x) / 3.0).collect();
            let mut sorted = SortedValues::default();
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
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn the_order_is_total_and_reversible() {
        let values = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, f64::MIN_POSITIVE, f64::INFINITY];
        assert!(values.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(values.iter().all(|x| value(key(*x)).to_bits() == x.to_bits()));
    }
}
