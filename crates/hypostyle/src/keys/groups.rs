//! A batch's rows by key.  Rows are put into key order once for all kernels of a stage, so that every driver runs over
//! contiguous slices; the results are put back once per kernel.

use std::borrow::Cow;

use rayon::prelude::*;

/// Up to this many keys, rows are grouped by counting; with more by sorting, because the counts do not fit into the cache.
const COUNTED: usize = 1 << 17;

/// The rows of one key, in key order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub(crate) key: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Run {
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// How a batch's rows are passed to the drivers.
#[derive(Debug)]
pub enum Groups<'k> {
    /// All rows belong to the one sequence of a stage without keys.
    One,
    /// In row order: row `i` belongs to `keys[i]`.
    Interleaved {
        /// The key of each row.
        keys: &'k [u32],
    },
    /// In key order.
    Runs {
        /// In order of their keys.
        runs: Vec<Run>,
        /// Each row's position in the key order; `None` if the rows are in key order already.
        places: Option<Vec<u32>>,
    },
}

impl Groups<'_> {
    /// Groups rows by key; `total` is the number of keys of the stage.
    pub(crate) fn by_key(keys: &[u32], total: usize) -> Self {
        if keys.is_sorted() {
            return Self::Runs { runs: runs_of(keys.iter().copied()), places: None };
        }
        let (runs, places) =
            if total > COUNTED || keys.len() < total / 8 { by_sorting(keys) } else { by_counting(keys, total) };
        Self::Runs { runs, places: Some(places) }
    }

    /// Puts values into key order.
    pub(crate) fn in_key_order<'v, T: Copy + Default>(&self, values: Cow<'v, [T]>) -> Cow<'v, [T]> {
        let Self::Runs { places: Some(places), .. } = self else {
            return values;
        };
        let mut grouped = vec![T::default(); values.len()];
        for (place, value) in places.iter().zip(values.iter()) {
            grouped[*place as usize] = *value;
        }
        grouped.into()
    }

    /// The row at a place in key order.
    pub(crate) fn row_at(&self, place: usize) -> usize {
        match self {
            Self::Runs { places: Some(places), .. } => {
                places.iter().position(|other| *other as usize == place).unwrap_or(place)
            }
            _ => place,
        }
    }

    /// Whether the rows are in key order already.
    pub(crate) fn keep_order(&self) -> bool {
        !matches!(self, Self::Runs { places: Some(_), .. })
    }

    /// Appends results to `rows`, in row order.
    pub(crate) fn append_in_row_order<T: Copy + Send + Sync>(&self, values: &[T], rows: &mut Vec<T>, threads: usize) {
        match self {
            Self::Runs { places: Some(places), .. } if threads > 1 => {
                rows.par_extend(places.par_iter().with_min_len(1 << 13).map(|place| values[*place as usize]));
            }
            Self::Runs { places: Some(places), .. } => {
                rows.extend(places.iter().map(|place| values[*place as usize]));
            }
            _ => rows.extend_from_slice(values),
        }
    }

    /// Splits runs into at most `parts` consecutive parts with about the same number of rows.
    pub(crate) fn share(runs: &[Run], parts: usize) -> Vec<&[Run]> {
        let total: usize = runs.iter().map(Run::len).sum();
        let target = total.div_ceil(parts.max(1)).max(1);
        let mut shared = Vec::new();
        let (mut begin, mut rows) = (0, 0);
        for (i, run) in runs.iter().enumerate() {
            rows += run.len();
            if rows >= target || i + 1 == runs.len() {
                shared.push(&runs[begin..=i]);
                (begin, rows) = (i + 1, 0);
            }
        }
        shared
    }
}

fn runs_of(keys: impl Iterator<Item = u32>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (row, key) in keys.enumerate() {
        match runs.last_mut() {
            Some(run) if run.key == key => run.end = row + 1,
            _ => runs.push(Run { key, start: row, end: row + 1 }),
        }
    }
    runs
}

/// Sorts the rows by key, eleven bits of the keys at a time.
#[expect(clippy::cast_possible_truncation, reason = "a slice of a batch has at most 2^32 rows")]
fn by_sorting(keys: &[u32]) -> (Vec<Run>, Vec<u32>) {
    const DIGIT: u32 = 11;
    let mut rows: Vec<(u32, u32)> = keys.iter().zip(0..).map(|(key, row)| (*key, row)).collect();
    let mut sorted = vec![(0, 0); rows.len()];
    let bits = u32::BITS - keys.iter().max().map_or(0, |key| *key).leading_zeros();
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit = |key: u32| (key >> shift) as usize & ((1 << DIGIT) - 1);
        let mut next = [0u32; 1 << DIGIT];
        rows.iter().for_each(|(key, _)| next[digit(*key)] += 1);
        let mut start = 0;
        next.iter_mut().for_each(|count| start += std::mem::replace(count, start));
        for row in &rows {
            let place = &mut next[digit(row.0)];
            sorted[*place as usize] = *row;
            *place += 1;
        }
        std::mem::swap(&mut rows, &mut sorted);
    }
    let mut places = vec![0; keys.len()];
    rows.iter().enumerate().for_each(|(place, (_, row))| places[*row as usize] = place as u32);
    (runs_of(rows.iter().map(|(key, _)| *key)), places)
}

#[expect(clippy::cast_possible_truncation, reason = "a slice of a batch has at most 2^32 rows")]
fn by_counting(keys: &[u32], total: usize) -> (Vec<Run>, Vec<u32>) {
    let mut next = vec![0u32; total];
    for key in keys {
        next[*key as usize] += 1;
    }
    let mut runs = Vec::new();
    let mut start = 0;
    for (key, next) in next.iter_mut().enumerate() {
        let end = start + *next as usize;
        if end > start {
            runs.push(Run { key: key as u32, start, end });
        }
        *next = start as u32;
        start = end;
    }
    let places = keys
        .iter()
        .map(|key| {
            let place = &mut next[*key as usize];
            *place += 1;
            *place - 1
        })
        .collect();
    (runs, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_same_order() {
        let keys = [3, 0, 3, 1, 0, 7];
        assert_eq!(by_sorting(&keys), by_counting(&keys, 8));
        let groups = Groups::by_key(&keys, 8);
        let values = groups.in_key_order(Cow::Borrowed(&[10, 20, 30, 40, 50, 60])).into_owned();
        assert_eq!(values, [20, 50, 40, 10, 30, 60]);
        let mut rows = vec![0];
        groups.append_in_row_order(&values, &mut rows, 1);
        assert_eq!(rows, [0, 10, 20, 30, 40, 50, 60]);
    }

    #[test]
    fn parts_cover_all_runs() {
        let runs = runs_of([0, 0, 0, 0, 1, 2, 2, 5].into_iter());
        for parts in 1..6 {
            let shared = Groups::share(&runs, parts);
            assert_eq!(shared.concat(), runs);
            assert!(shared.len() <= parts);
        }
    }
}
