//! A batch as the kernels of a stage read it: each column once, as numbers, in key order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::buffer::NullBuffer;

use super::source::Source;
use super::wiring::Wiring;
use crate::error::Result;
use crate::keys::groups::Groups;
use crate::spec::{Bounds, First};
use crate::values::{Domain, Values, read};

/// A batch whose columns are read once for all kernels and grouped by key once.
pub struct Batch<'a> {
    pub(crate) record: &'a RecordBatch,
    pub(crate) groups: &'a Groups<'a>,
    pub(crate) threads: usize,
    values: HashMap<(usize, Domain), Values<'a>>,
    valid: HashMap<usize, Vec<bool>>,
    /// Each row's number within its key, if a kernel needs it.
    pub(crate) positions: Cow<'a, [i64]>,
}

impl<'a> Batch<'a> {
    /// `positions` are the rows' numbers within their keys, in the rows' order, if a kernel needs them.
    ///
    /// # Errors
    /// An internal one if a kernel reads a column in a domain that does not read its type.
    pub(crate) fn new<'w>(
        record: &'a RecordBatch,
        groups: &'a Groups<'a>,
        threads: usize,
        wirings: impl Iterator<Item = &'w Wiring>,
        positions: &'a [i64],
    ) -> Result<Self> {
        let positions = groups.in_key_order(positions.into());
        let mut batch = Self { record, groups, threads, values: HashMap::new(), valid: HashMap::new(), positions };
        for wiring in wirings {
            for source in &wiring.sources {
                match source {
                    Source::Column { index, domain, .. } => batch.prepare(*index, *domain)?,
                    Source::Presence(index) => batch.prepare(*index, Domain::Presence)?,
                    Source::Constant(_) | Source::Position => {}
                }
            }
            let bounds = wiring.bounds.as_ref();
            let bounds = bounds.into_iter().flat_map(|bounds| [Some(bounds.column), bounds.time]).flatten();
            for column in wiring.time.into_iter().chain(bounds) {
                batch.prepare(column, Domain::Integer)?;
            }
        }
        Ok(batch)
    }

    fn prepare(&mut self, index: usize, domain: Domain) -> Result<()> {
        let array: &'a ArrayRef = self.record.column(index);
        let groups = self.groups;
        if let Entry::Vacant(place) = self.values.entry((index, domain)) {
            place.insert(match read(array, domain)? {
                Values::Float(values) => Values::Float(groups.in_key_order(values)),
                Values::Integer(values) => Values::Integer(groups.in_key_order(values)),
                other => other,
            });
        }
        if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
            let valid = || groups.in_key_order(Cow::Owned(flags_of(&nulls))).into_owned();
            self.valid.entry(index).or_insert_with(valid);
        }
        Ok(())
    }

    pub(crate) fn values(&self, source: &Source) -> Values<'_> {
        match source {
            Source::Constant(x) => Values::Constant(*x),
            Source::Position => Values::Integer(Cow::Borrowed(&self.positions)),
            Source::Presence(index) => match self.valid.get(index) {
                Some(valid) => Values::Float(valid.iter().map(|valid| f64::from(u8::from(*valid))).collect()),
                None => Values::Constant(1.0),
            },
            Source::Column { index, domain, .. } => match self.values.get(&(*index, *domain)) {
                Some(Values::Float(values)) => Values::Float(Cow::Borrowed(values)),
                Some(Values::Integer(values)) => Values::Integer(Cow::Borrowed(values)),
                _ => Values::Nothing,
            },
        }
    }

    /// The columns that a kernel reads.
    pub(crate) fn columns(&self, sources: &[Source]) -> Vec<Values<'_>> {
        sources.iter().map(|source| self.values(source)).collect()
    }

    pub(crate) fn times(&self, index: usize) -> &[i64] {
        match self.values.get(&(index, Domain::Integer)) {
            Some(Values::Integer(times)) => times,
            _ => &[],
        }
    }

    /// The times of the rows and where each one's window begins; if rows are counted, their numbers are the times.
    pub(crate) fn firsts<'b>(&'b self, bounds: &Bounds) -> (&'b [i64], Vec<First>) {
        let times = bounds.time.map_or(&*self.positions, |time| self.times(time));
        let places = times.iter().zip(self.times(bounds.column));
        let mut firsts: Vec<First> = places.map(|(place, bound)| bounds.first(*place, *bound)).collect();
        if let Some(valid) = self.valid.get(&bounds.column) {
            let nulls = firsts.iter_mut().zip(valid).filter(|(_, valid)| !**valid);
            nulls.for_each(|(first, _)| *first = First::Missing);
        }
        (times, firsts)
    }

    /// Which rows are valid in all sources that are required.
    pub(crate) fn valid(&self, sources: &[Source]) -> Option<Cow<'_, [bool]>> {
        let mut all: Option<Cow<[bool]>> = None;
        for source in sources {
            let Source::Column { index, required: true, .. } = source else { continue };
            if let Some(valid) = self.valid.get(index) {
                match &mut all {
                    None => all = Some(Cow::Borrowed(valid)),
                    Some(all) => all.to_mut().iter_mut().zip(valid).for_each(|(all, valid)| *all &= valid),
                }
            }
        }
        all
    }
}

/// Bits as flags, 64 at a time.
fn flags_of(nulls: &NullBuffer) -> Vec<bool> {
    let mut flags = Vec::with_capacity(nulls.len() + 64);
    for word in nulls.inner().bit_chunks().iter_padded() {
        flags.extend_from_slice(&std::array::from_fn::<bool, 64, _>(|bit| word >> bit & 1 == 1));
    }
    flags.truncate(nulls.len());
    flags
}
