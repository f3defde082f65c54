//! Ranks and n-th values in many windows at once, with or without nulls.
//!
//! In a short window all values are counted, several rows side by side.  For a long one the values are cut into blocks as long
//! as the window.  Two neighboring blocks are sorted together, so that every value has a position among both, and a bit for each
//! position tells whether the window holds it.  A row turns one bit on and one off.  Its rank is the number of bits below its
//! position, which is found in a few steps from counts for words of bits, groups of words, and so on.  The same counts lead to
//! the n-th value.

use super::sorted::SHORT;
use crate::kernels::value::Value;
use crate::values::arch;

/// Rows that are computed side by side.
const SIDE: usize = 16;

/// How many values of the window are below a row's own, and how many equal it, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) below: usize,
    pub(super) equal: usize,
}

/// Calls `answer` for each window of at most [`SHORT`] rows that ends at or after position `len` of `values`, with its number of
/// valid rows; `None` for a row that is null.  No value is NaN.  Rows of a type without [`Value::NEITHER`] are all valid.
pub(super) fn count_through<T: Value>(
    values: &[T],
    valid: Option<&[bool]>,
    len: usize,
    answer: impl FnMut(usize, Option<Standing>),
) {
    // Comparisons with NaN are false, so that it is never counted.
    let holed: Vec<T> = valid.zip(T::NEITHER).map_or_else(Vec::new, |(valid, hole)| {
        values.iter().zip(valid).map(|(x, valid)| if *valid { *x } else { hole }).collect()
    });
    let values = if valid.is_some() { holed.as_slice() } else { values };
    arch().dispatch(Count { values, nulls: valid.is_some(), len, answer });
}

/// The loop as a value that pulp compiles for each instruction set.
struct Count<'a, T, F> {
    values: &'a [T],
    nulls: bool,
    len: usize,
    answer: F,
}

impl<T: Value, F: FnMut(usize, Option<Standing>)> pulp::NullaryFnOnce for Count<'_, T, F> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "counts of a short window")]
    fn call(mut self) {
        let (values, len) = (self.values, self.len);
        let rows = values.len().saturating_sub(len);
        let first = values.iter().take(len);
        let mut count = if self.nulls { first.filter(|x| !x.is_nan()).count() } else { len };
        let mut padded = [T::default(); SHORT + SIDE];
        for start in (0..rows).step_by(SIDE) {
            // The windows of these rows begin at the value after `start`.
            let whole = &values[start + 1..values.len().min(start + len + SIDE)];
            let part = if whole.len() < len + SIDE - 1 {
                padded[..whole.len()].copy_from_slice(whole);
                &padded[..len + SIDE - 1]
            } else {
                whole
            };
            let own = &part[len - 1..len - 1 + SIDE];
            let (mut below, mut equal) = ([0u64; SIDE], [0u64; SIDE]);
            for k in 0..len {
                let others = &part[k..k + SIDE];
                for row in 0..SIDE {
                    below[row] += u64::from(others[row] < own[row]);
                    equal[row] += u64::from(others[row] == own[row]);
                }
            }
            for row in 0..SIDE.min(rows - start) {
                if self.nulls {
                    count += usize::from(!own[row].is_nan());
                    count -= usize::from(!values[start + row].is_nan());
                }
                let standing = Standing { below: below[row] as usize, equal: equal[row] as usize };
                (self.answer)(count, Some(standing).filter(|standing| standing.equal > 0));
            }
        }
    }
}

/// Positions that are taken or not, with counts of how many are taken below each.
struct Taken {
    bits: Vec<u64>,
    /// For each word of bits, group of words, ...: how many positions are taken in its earlier siblings, 64 siblings per group.
    before: Vec<Vec<[u32; 64]>>,
}

impl Taken {
    fn new(positions: usize) -> Self {
        let bits = vec![0; positions.div_ceil(64)];
        let mut before = Vec::new();
        let mut groups = bits.len();
        while groups > 1 || before.is_empty() {
            groups = groups.div_ceil(64);
            before.push(vec![[0; 64]; groups]);
        }
        Self { bits, before }
    }

    fn clear(&mut self) {
        self.bits.fill(0);
        self.before.iter_mut().for_each(|level| level.fill([0; 64]));
    }

    #[inline(always)]
    fn turn(&mut self, position: usize, on: bool) {
        self.bits[position / 64] ^= 1 << (position % 64);
        let change = if on { 1 } else { u32::MAX };
        let mut at = position / 64;
        for level in &mut self.before {
            let (group, sibling) = (at / 64, at % 64);
            for (i, count) in (0u32..).zip(&mut level[group]) {
                *count = count.wrapping_add(if i as usize > sibling { change } else { 0 });
            }
            at = group;
        }
    }

    /// The position with `n` taken positions before it.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "less than the positions, which are counted with 32 bits")]
    fn nth(&self, n: usize) -> usize {
        let mut left = n as u32;
        let mut at = 0;
        for level in self.before.iter().rev() {
            let siblings = &level[at];
            // The last sibling with at most that many before it; counts rise, and an empty sibling repeats the next one's.
            let reached: u32 = siblings.iter().map(|before| u32::from(*before <= left)).sum();
            let sibling = reached as usize - 1;
            left -= siblings[sibling];
            at = at * 64 + sibling;
        }
        let mut word = self.bits[at];
        // Half by half.
        let mut position = at * 64;
        let mut width = 32;
        while width > 0 {
            let low = (word & ((1 << width) - 1)).count_ones();
            if left >= low {
                left -= low;
                position += width;
                word >>= width;
            }
            width /= 2;
        }
        position
    }

    /// The last taken position before this one.
    #[inline(always)]
    fn before(&self, position: usize) -> Option<usize> {
        let mut at = position / 64;
        let mut word = self.bits[at] & ((1 << (position % 64)) - 1);
        while word == 0 {
            at = at.checked_sub(1)?;
            word = self.bits[at];
        }
        Some(64 * at + 63 - word.leading_zeros() as usize)
    }

    /// The first taken position after this one.
    #[inline(always)]
    fn after(&self, position: usize) -> Option<usize> {
        let mut at = (position + 1) / 64;
        let mut word = self.bits.get(at)? & (u64::MAX << ((position + 1) % 64));
        while word == 0 {
            at += 1;
            word = *self.bits.get(at)?;
        }
        Some(64 * at + word.trailing_zeros() as usize)
    }

    /// How many positions below this one are taken.
    #[inline(always)]
    fn below(&self, position: usize) -> usize {
        let word = self.bits.get(position / 64).map_or(0, |word| word & ((1 << (position % 64)) - 1));
        let mut count = word.count_ones();
        let mut at = position / 64;
        for level in &self.before {
            count += level[at / 64][at % 64];
            at /= 64;
        }
        count as usize
    }
}

/// A window of a long run of values.
pub(super) struct Within<'a, T> {
    taken: &'a Taken,
    /// The values by position.
    values: &'a [T],
    /// How many valid rows the window holds.
    pub(super) count: usize,
    /// The positions where the values equal to the row's own begin and end; `None` for a row that is null.
    own: Option<(u32, u32)>,
    /// The positions of the row that left and of the row that entered, unless they are null; `None` if the positions are not
    /// those of the window before.
    pub(super) change: Option<[Option<u32>; 2]>,
}

impl<T: Value> Within<'_, T> {
    #[inline(always)]
    pub(super) fn standing(&self) -> Option<Standing> {
        let (first, last) = self.own?;
        let below = self.taken.below(first as usize);
        let equal = if last - first == 1 { 1 } else { self.taken.below(last as usize) - below };
        Some(Standing { below, equal })
    }

    /// The value with `n` values before it; `n` is below the count.
    #[inline(always)]
    pub(super) fn nth(&self, n: usize) -> T {
        self.values[self.taken.nth(n)]
    }

    /// The position of that value.
    #[inline(always)]
    pub(super) fn position(&self, n: usize) -> usize {
        self.taken.nth(n)
    }

    /// The value at a position.
    #[inline(always)]
    pub(super) fn at(&self, position: usize) -> T {
        self.values[position]
    }

    /// The position of the value before the one at this position, or before where it was.
    #[inline(always)]
    pub(super) fn before(&self, position: usize) -> Option<usize> {
        self.taken.before(position)
    }

    /// The position of the value after the one at this position, or after where it was.
    #[inline(always)]
    pub(super) fn after(&self, position: usize) -> Option<usize> {
        self.taken.after(position)
    }
}

/// Calls `answer` for each window of `len` rows that ends at or after position `len` of `values`.  No valid value is NaN.
pub(super) fn by_blocks<T: Value>(values: &[T], valid: Option<&[bool]>, len: usize, answer: impl FnMut(&Within<T>)) {
    arch().dispatch(Blocks { values, valid, len, answer });
}

/// A block's sorted values, each with its row in the block.
type Sorted<T> = Vec<(T, u32)>;

#[inline(always)]
fn sort<T: Value>(block: &[T], sorted: &mut Sorted<T>) {
    sorted.clear();
    // No valid value is NaN, and the positions of the others make no difference.
    let plain = |x: T| if x.is_nan() { T::HIGHEST } else { x.plain() };
    sorted.extend(block.iter().zip(0u32..).map(|(x, slot)| (plain(*x), slot)));
    sorted.sort_unstable_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal));
}

/// The position of each value of two neighboring blocks among both.
struct Positions<T> {
    old: Vec<u32>,
    new: Vec<u32>,
    /// For each value of the new block, the positions where the values equal to it begin and end.
    ties: Vec<(u32, u32)>,
    /// The values by position.
    values: Vec<T>,
}

impl<T: Value> Positions<T> {
    #[inline(always)]
    fn merge(&mut self, old: &Sorted<T>, new: &Sorted<T>) {
        self.values.clear();
        let (mut i, mut j, mut position) = (0, 0, 0);
        while i < old.len() || j < new.len() {
            let x = match (old.get(i), new.get(j)) {
                (Some(a), Some(b)) => {
                    if a.0 < b.0 {
                        a.0
                    } else {
                        b.0
                    }
                }
                (Some(a), None) => a.0,
                (None, Some(b)) => b.0,
                (None, None) => return,
            };
            let (first, first_new) = (position, j);
            while let Some((_, slot)) = old.get(i).filter(|a| a.0 == x) {
                self.old[*slot as usize] = position;
                (i, position) = (i + 1, position + 1);
            }
            while let Some((_, slot)) = new.get(j).filter(|b| b.0 == x) {
                self.new[*slot as usize] = position;
                (j, position) = (j + 1, position + 1);
            }
            for (_, slot) in &new[first_new..j] {
                self.ties[*slot as usize] = (first, position);
            }
            self.values.resize(position as usize, x);
        }
    }
}

/// The loop as a value that pulp compiles for each instruction set.
struct Blocks<'a, T, F> {
    values: &'a [T],
    valid: Option<&'a [bool]>,
    len: usize,
    answer: F,
}

impl<T: Value, F: FnMut(&Within<T>)> pulp::NullaryFnOnce for Blocks<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        let len = self.len;
        let mut blocks = self.values.chunks(len);
        let Some(first) = blocks.next().filter(|first| first.len() == len) else { return };
        let (mut old, mut new) = (Sorted::<T>::new(), Sorted::<T>::new());
        sort(first, &mut old);
        let mut positions = Positions {
            old: vec![0; len],
            new: vec![0; len],
            ties: vec![(0, 0); len],
            values: Vec::with_capacity(2 * len),
        };
        let mut taken = Taken::new(2 * len + 1); // `below` is called with the end too
        for (number, next) in blocks.enumerate() {
            sort(next, &mut new);
            positions.merge(&old, &new);
            taken.clear();
            let begin = number * len;
            let is_valid = |row: usize| self.valid.is_none_or(|valid| valid[row]);
            let mut count = 0;
            for slot in (0..len).filter(|slot| is_valid(begin + slot)) {
                taken.turn(positions.old[slot] as usize, true);
                count += 1;
            }
            for slot in 0..next.len() {
                let left = is_valid(begin + slot).then(|| positions.old[slot]);
                if let Some(position) = left {
                    taken.turn(position as usize, false);
                    count -= 1;
                }
                let entered = is_valid(begin + len + slot).then(|| positions.new[slot]);
                if let Some(position) = entered {
                    taken.turn(position as usize, true);
                    count += 1;
                }
                let own = entered.map(|_| positions.ties[slot]);
                let change = (slot > 0).then_some([left, entered]);
                (self.answer)(&Within { taken: &taken, values: &positions.values, count, own, change });
            }
            std::mem::swap(&mut old, &mut new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_position_of_a_group_is_tied() {
        for len in [2047, 2048, 2049] {
            let values = vec![1.0; 3 * len];
            by_blocks(&values, None, len, |within| {
                assert_eq!(within.standing(), Some(Standing { below: 0, equal: len }));
                assert_eq!(within.nth(len - 1), 1.0);
            });
        }
    }

    proptest! {
        #[test]
        fn they_are_counts_and_positions_in_the_window(
            values in proptest::collection::vec((-9i32..9, 0u32..100), 0..900),
            len in prop_oneof![1usize..70, 60usize..400],
            (fine, nulls) in (any::<bool>(), prop_oneof![Just(0u32), Just(10), Just(90)]),
        ) {
            let wild = |(i, (x, _)): (usize, &(i32, u32))| match *x {
                8 => f64::INFINITY,
                -9 => f64::NEG_INFINITY,
                0 => -0.0,
                x if fine => f64::from(x) + (i * 7919 % 1000) as f64 / 1000.0,
                x => f64::from(x),
            };
            let flags: Vec<bool> = values.iter().map(|(_, drawn)| *drawn >= nulls).collect();
            let values: Vec<f64> = values.iter().enumerate().map(wild).collect();
            let valid = (nulls > 0).then_some(flags.as_slice());
            let mut expected = Vec::new();
            for end in len..values.len() {
                let rows = (end + 1 - len..=end).filter(|row| valid.is_none_or(|valid| valid[*row]));
                let mut window: Vec<f64> = rows.map(|row| values[row] + 0.0).collect();
                window.sort_by(f64::total_cmp);
                let x = values[end];
                let standing = Standing {
                    below: window.iter().filter(|y| **y < x).count(),
                    equal: window.iter().filter(|y| **y == x).count(),
                };
                expected.push((window, valid.is_none_or(|valid| valid[end]).then_some(standing)));
            }
            let mut at = 0;
            by_blocks(&values, valid, len, |within| {
                let (window, standing) = &expected[at];
                let found: Vec<f64> = (0..within.count).map(|n| within.nth(n)).collect();
                assert_eq!((&found, within.standing()), (window, *standing));
                at += 1;
            });
            prop_assert_eq!(at, expected.len());
            if len <= SHORT {
                let mut at = 0;
                count_through(&values, valid, len, |count, standing| {
                    assert_eq!((count, standing), (expected[at].0.len(), expected[at].1));
                    at += 1;
                });
                prop_assert_eq!(at, expected.len());
            }
        }
    }
}
