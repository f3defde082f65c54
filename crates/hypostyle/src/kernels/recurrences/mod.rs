//! Recurrences, one file each.

pub mod affine_scan;
pub mod cumsum_clip;
pub mod session_id;
