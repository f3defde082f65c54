//! Specifications are judged once: what was planned is found again by its text.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{Arc, RwLock};

use hashbrown::HashMap;
use hypostyle::{KernelSpec, PlannedKernel, PlannedKernels, Result};

use crate::catalog::catalog;

/// The specification of one kernel, as JSON, judged.
///
/// # Errors
/// As `Catalog::plan`.
pub fn planned(spec: &str) -> Result<Arc<PlannedKernel>> {
    static KNOWN: Memo<String, PlannedKernel> = Memo::new();
    KNOWN.find(spec, || catalog().plan(&KernelSpec::from_json(spec)?))
}

/// The specifications of kernels that run together.
///
/// # Errors
/// As `Catalog::plan_all`.
pub fn planned_together(specs: &[String]) -> Result<Arc<PlannedKernels>> {
    static KNOWN: Memo<Vec<String>, PlannedKernels> = Memo::new();
    KNOWN.find(specs, || {
        let kernels = specs.iter().map(|spec| planned(spec).map(|kernel| PlannedKernel::clone(&kernel)));
        PlannedKernels::new(kernels.collect::<Result<_>>()?)
    })
}

/// Most programs use fewer; beyond, all are forgotten and made anew as they are asked for.
const MOST: usize = 4096;

/// What was made from keys that were seen before.
pub struct Memo<K, V>(RwLock<Option<HashMap<K, Arc<V>>>>);

impl<K: Eq + Hash, V> Memo<K, V> {
    pub const fn new() -> Self {
        Self(RwLock::new(None))
    }

    /// The value of a key, made by `make` if the key is new.  Locks are never waited for: a process forked while another
    /// thread held one would wait forever, and making a value takes microseconds.
    ///
    /// # Errors
    /// Those of `make`, which are not kept.
    pub fn find<Q, E>(
        &self,
        key: &Q,
        make: impl FnOnce() -> std::result::Result<V, E>,
    ) -> std::result::Result<Arc<V>, E>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let known = self.0.try_read().ok();
        if let Some(value) = known.as_ref().and_then(|known| known.as_ref()).and_then(|known| known.get(key)) {
            return Ok(value.clone());
        }
        drop(known);
        let value = Arc::new(make()?);
        if let Ok(mut known) = self.0.try_write() {
            let known = known.get_or_insert_default();
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(key.to_owned(), value.clone());
        }
        Ok(value)
    }
}
