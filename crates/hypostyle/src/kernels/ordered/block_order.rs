//! The n-th values of all windows of a long run of values at once, such as their medians.
//!
//! Jukka Suomela, "Median Filtering is Equivalent to Sorting" (2014): cut the values into blocks of the window's length and
//! sort each.  A window is the end of one block and the beginning of the next.  As it moves on, a value leaves the sorted
//! list of the first block and enters that of the second.  Leaving a doubly linked list is cheap, and so is entering it again
//! in the reverse order of leaving ("dancing links"), so the second block's list is first emptied from its last row to its
//! first.  A pointer into each list separates the values below the wanted one.  Apart from the sort, a row costs a few steps,
//! whatever the window's length is.
//!
//! Results are bit-identical to those of [`super::sorted`].

/// A block's sorted values, and the list of those that are in the window.
///
/// Values are identified by their rank in the block plus one; 0 is the end of the list, on both sides.
struct Block {
    /// By rank; at the end of the list there is an infinity.
    values: Vec<f64>,
    /// The rank of each row.
    ranks: Vec<u32>,
    next: Vec<u32>,
    previous: Vec<u32>,
    /// The first value that is not below the wanted one.
    middle: u32,
    /// How many values are below.
    below: usize,
    /// Scratch for sorting.
    order: Vec<(f64, u32)>,
}

/// Orders by rank, with the end of the list after all values.
#[inline]
fn rank(name: u32) -> u32 {
    name.wrapping_sub(1)
}

impl Block {
    fn new(len: usize) -> Self {
        let names = vec![0; len + 1];
        Self {
            values: vec![f64::INFINITY; len + 1],
            ranks: vec![0; len],
            next: names.clone(),
            previous: names,
            middle: 0,
            below: 0,
            order: Vec::with_capacity(len),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "blocks have fewer than 2^32 rows")]
    fn fill(&mut self, rows: &[f64], wanted: usize) {
        self.order.clear();
        self.order.extend(rows.iter().enumerate().map(|(row, x)| (x + 0.0, row as u32)));
        self.order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let len = rows.len() as u32;
        for (position, (x, row)) in self.order.iter().enumerate() {
            let name = position as u32 + 1;
            self.values[name as usize] = *x;
            self.ranks[*row as usize] = name;
            self.next[position] = name;
            self.previous[name as usize] = position as u32;
        }
        self.next[len as usize] = 0;
        self.previous[0] = len;
        self.middle = wanted as u32 + 1;
        self.below = wanted;
    }

    /// Empties the list from the last row to the first.
    fn unwind(&mut self) {
        for row in (0..self.ranks.len()).rev() {
            self.unlink(self.ranks[row]);
        }
        self.middle = 0;
        self.below = 0;
    }

    #[inline]
    fn unlink(&mut self, name: u32) {
        let (previous, next) = (self.previous[name as usize], self.next[name as usize]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
    }

    /// Takes a row out; afterwards as many values are below as before, or one less.
    #[inline]
    fn leave(&mut self, row: usize) {
        let name = self.ranks[row];
        self.unlink(name);
        if rank(name) < rank(self.middle) {
            self.below -= 1;
        } else {
            if name == self.middle {
                self.middle = self.next[name as usize];
            }
            if self.below > 0 {
                self.middle = self.previous[self.middle as usize];
                self.below -= 1;
            }
        }
    }

    /// Puts a row back in; as many values are below as before.
    #[inline]
    fn enter(&mut self, row: usize) {
        let name = self.ranks[row];
        let (previous, next) = (self.previous[name as usize], self.next[name as usize]);
        self.next[previous as usize] = name;
        self.previous[next as usize] = name;
        if rank(name) < rank(self.middle) {
            self.middle = self.previous[self.middle as usize];
        }
    }

    #[inline]
    fn advance(&mut self) {
        self.middle = self.next[self.middle as usize];
        self.below += 1;
    }

    /// The smallest value that is not below; infinity at the end of the list.
    #[inline]
    fn upper(&self) -> f64 {
        self.values[self.middle as usize]
    }

    /// The largest value below; minus infinity if there is none.
    #[inline]
    fn lower(&self) -> f64 {
        match self.previous[self.middle as usize] {
            0 => f64::NEG_INFINITY,
            name => self.values[name as usize],
        }
    }
}

/// Calls `answer(lower, upper)` for each window of `len` values that ends at or after position `len` of `values`: `upper` is
/// the value with `wanted` values before it in the sorted window, `lower` the one before (minus infinity before the first).
/// No value is NaN.
pub(super) fn neighbors(values: &[f64], len: usize, wanted: usize, mut answer: impl FnMut(f64, f64)) {
    let (mut old, mut new) = (Block::new(len), Block::new(len));
    let mut blocks = values.chunks(len);
    match blocks.next() {
        Some(first) if first.len() == len => old.fill(first, wanted),
        _ => return,
    }
    let mut padded;
    for block in blocks {
        // The last block may be short; the padding never enters.
        let full = if block.len() == len {
            block
        } else {
            padded = block.to_vec();
            padded.resize(len, f64::INFINITY);
            &padded
        };
        new.fill(full, wanted);
        new.unwind();
        for row in 0..block.len() {
            old.leave(row);
            new.enter(row);
            if old.below + new.below < wanted {
                // The infinity at the end of one list may equal a value of the other: the end must not advance.
                if new.middle == 0 || (old.middle != 0 && old.upper() <= new.upper()) {
                    old.advance();
                } else {
                    new.advance();
                }
            }
            answer(old.lower().max(new.lower()), old.upper().min(new.upper()));
        }
        // The block that was entered is complete now; its pointer is in the middle.
        std::mem::swap(&mut old, &mut new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_neighbors_in_the_sorted_window(
            values in proptest::collection::vec(-9i32..9, 0..300),
            len in 1usize..60,
            part in 0usize..100,
        ) {
            let wanted = len * part / 100;
            let wild = |x: i32| match x {
                8 => f64::INFINITY,
                -9 => f64::NEG_INFINITY,
                x => f64::from(x),
            };
            let values: Vec<f64> = values.into_iter().map(wild).collect();
            let mut got = Vec::new();
            neighbors(&values, len, wanted, |lower, upper| got.push((lower, upper)));
            let windows = values.windows(len).skip(1);
            for (window, (lower, upper)) in windows.zip(&got) {
                let mut sorted = window.to_vec();
                sorted.sort_by(f64::total_cmp);
                prop_assert_eq!(*upper, sorted[wanted]);
                if wanted > 0 {
                    prop_assert_eq!(*lower, sorted[wanted - 1]);
                }
            }
            prop_assert_eq!(got.len(), values.len().saturating_sub(len));
        }
    }
}
