//! The ranks of all rows among the values of their windows, many windows at once.
//!
//! A short window is counted through, several rows side by side.  For a long one the values are cut into blocks as long as the
//! window; two neighbouring blocks are put in order together, so that every value has a place among both, and a bit for each
//! place says whether the window holds it.  A row turns one bit on and one off; its rank is the number of bits below its
//! place, which counts for words of bits, groups of words, and so on, give in a few steps.

/// Up to this many values are counted through.
const SHORT: usize = 64;

/// Rows that are taken side by side.
const SIDE: usize = 16;

/// How many values of the window are below a row's own, and how many equal it, itself among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) below: usize,
    pub(super) equal: usize,
}

/// Calls `answer` for each window of `len` values that ends at or after place `len` of `values`; no value is NaN.
pub(super) fn standings(values: &[f64], len: usize, answer: impl FnMut(Standing)) {
    pulp::Arch::new().dispatch(Count { values, len, answer });
}

/// The walk as a value that pulp compiles for each kind of machine.
struct Count<'a, F> {
    values: &'a [f64],
    len: usize,
    answer: F,
}

impl<F: FnMut(Standing)> pulp::NullaryFnOnce for Count<'_, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        if self.len <= SHORT {
            count_through(self.values, self.len, self.answer);
        } else {
            by_blocks(self.values, self.len, self.answer);
        }
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "counts of a short window")]
fn count_through(values: &[f64], len: usize, mut answer: impl FnMut(Standing)) {
    let rows = values.len().saturating_sub(len);
    let mut padded = [0.0; SHORT + SIDE];
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
            answer(Standing { below: below[row] as usize, equal: equal[row] as usize });
        }
    }
}

/// Places that are taken or not, with counts that tell how many are taken below one.
struct Taken {
    bits: Vec<u64>,
    /// For each word of bits, group of words, ...: how many places are taken in its earlier siblings, 64 siblings a group.
    before: Vec<Vec<[u32; 64]>>,
}

impl Taken {
    fn new(places: usize) -> Self {
        let bits = vec![0; places.div_ceil(64)];
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
    fn turn(&mut self, place: usize, on: bool) {
        self.bits[place / 64] ^= 1 << (place % 64);
        let change = if on { 1 } else { u32::MAX };
        let mut at = place / 64;
        for level in &mut self.before {
            let (group, sibling) = (at / 64, at % 64);
            for (i, count) in (0u32..).zip(&mut level[group]) {
                *count = count.wrapping_add(if i as usize > sibling { change } else { 0 });
            }
            at = group;
        }
    }

    /// How many places below this one are taken.
    #[inline(always)]
    fn below(&self, place: usize) -> usize {
        let word = self.bits.get(place / 64).map_or(0, |word| word & ((1 << (place % 64)) - 1));
        let mut count = word.count_ones();
        let mut at = place / 64;
        for level in &self.before {
            count += level[at / 64][at % 64];
            at /= 64;
        }
        count as usize
    }
}

/// A block's values in order, each with its slot.
type Sorted = Vec<(f64, u32)>;

#[inline(always)]
fn sort(block: &[f64], sorted: &mut Sorted) {
    sorted.clear();
    // -0 counts as 0, and no value is NaN.
    sorted.extend(block.iter().zip(0u32..).map(|(x, slot)| (x + 0.0, slot)));
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
}

/// Where each value of two neighbouring blocks stands among both.
struct Places {
    old: Vec<u32>,
    new: Vec<u32>,
    /// For each value of the new block, where the values that equal it begin and end.
    ties: Vec<(u32, u32)>,
}

impl Places {
    #[inline(always)]
    fn merge(&mut self, old: &Sorted, new: &Sorted) {
        let (mut i, mut j, mut place) = (0, 0, 0);
        while i < old.len() || j < new.len() {
            let x = match (old.get(i), new.get(j)) {
                (Some(a), Some(b)) => a.0.min(b.0),
                (Some(a), None) => a.0,
                (None, Some(b)) => b.0,
                (None, None) => return,
            };
            let (first, first_new) = (place, j);
            while let Some((_, slot)) = old.get(i).filter(|a| a.0 == x) {
                self.old[*slot as usize] = place;
                (i, place) = (i + 1, place + 1);
            }
            while let Some((_, slot)) = new.get(j).filter(|b| b.0 == x) {
                self.new[*slot as usize] = place;
                (j, place) = (j + 1, place + 1);
            }
            for (_, slot) in &new[first_new..j] {
                self.ties[*slot as usize] = (first, place);
            }
        }
    }
}

#[inline(always)]
fn by_blocks(values: &[f64], len: usize, mut answer: impl FnMut(Standing)) {
    let mut blocks = values.chunks(len);
    let Some(first) = blocks.next().filter(|first| first.len() == len) else { return };
    let (mut old, mut new) = (Sorted::new(), Sorted::new());
    sort(first, &mut old);
    let mut places = Places { old: vec![0; len], new: vec![0; len], ties: vec![(0, 0); len] };
    let mut taken = Taken::new(2 * len);
    for next in blocks {
        sort(next, &mut new);
        places.merge(&old, &new);
        taken.clear();
        places.old.iter().for_each(|place| taken.turn(*place as usize, true));
        for slot in 0..next.len() {
            taken.turn(places.old[slot] as usize, false);
            taken.turn(places.new[slot] as usize, true);
            let (first, last) = places.ties[slot];
            let below = taken.below(first as usize);
            let equal = if last - first == 1 { 1 } else { taken.below(last as usize) - below };
            answer(Standing { below, equal });
        }
        std::mem::swap(&mut old, &mut new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_counts_in_the_window(
            values in proptest::collection::vec(-9i32..9, 0..900),
            len in prop_oneof![1usize..70, 60usize..400],
            fine in any::<bool>(),
        ) {
            let wild = |(i, x): (usize, i32)| match x {
                8 => f64::INFINITY,
                -9 => f64::NEG_INFINITY,
                0 => -0.0,
                x if fine => f64::from(x) + (i * 7919 % 1000) as f64 / 1000.0,
                x => f64::from(x),
            };
            let values: Vec<f64> = values.into_iter().enumerate().map(wild).collect();
            let mut got = Vec::new();
            standings(&values, len, |standing| got.push(standing));
            let windows: Vec<&[f64]> = values.windows(len).skip(1).collect();
            prop_assert_eq!(got.len(), windows.len());
            for (window, got) in windows.iter().zip(got) {
                let x = window[len - 1];
                let below = window.iter().filter(|y| **y < x).count();
                let equal = window.iter().filter(|y| **y == x).count();
                prop_assert_eq!(got, Standing { below, equal });
            }
        }

        #[test]
        fn counts_hold_at_any_size(places in 1usize..10_000, seed in any::<u64>()) {
            let mut taken = Taken::new(places);
            let mut plain = vec![false; places];
            let mut at = seed;
            for _ in 0..50 {
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let place = usize::try_from(at >> 33).unwrap() % places;
                plain[place] = !plain[place];
                taken.turn(place, plain[place]);
                prop_assert_eq!(taken.below(place), plain[..place].iter().filter(|taken| **taken).count());
            }
        }
    }
}
