//! Kernels that fill rows without a value, also from the values after them.

use super::inputs::Inputs;
use super::keyed::Keyed;
use super::plan::{Binding, Plan};
use super::running::Running;
use super::wiring::Wiring;
use crate::drive::gaps::Gaps;
use crate::error::Result;
use crate::model::GapFill;

impl Plan {
    /// A kernel that needs all later rows of its key.
    pub(crate) fn of_all_rows(bind: impl Fn(&Binding) -> Result<Box<dyn Running>> + Send + Sync + 'static) -> Self {
        Self::new(bind).with_latency(usize::MAX, None)
    }

    /// Fills the rows without a value; for [`Plan::of_all_rows`].
    ///
    /// # Errors
    /// A column that is missing or has a type that the kernel cannot use.
    pub(crate) fn gaps<F: GapFill>(inputs: &Inputs, binding: &Binding, function: F) -> Result<Box<dyn Running>> {
        let wiring = inputs.bind::<F::Value, F::Value>(binding)?;
        Ok(Keyed::boxed(Gaps { function }, Wiring { looks_ahead: true, ..wiring }))
    }
}
