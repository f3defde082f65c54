//! Custom kernels: a recurrence, a statistic for windows, and a function of a row.

mod fading_peak;
mod relative_spread;
mod rms;

use hypostyle::{Catalog, Result};

/// The kernels of hypostyle and those of this crate.
///
/// # Errors
/// If two kernels have the same name.
pub fn catalog() -> Result<Catalog> {
    Catalog::default().with_entries([fading_peak::FADING_PEAK, rms::RMS, relative_spread::RELATIVE_SPREAD])
}
