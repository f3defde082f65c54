//! Which vector instructions the loops that are compiled for several instruction sets use: the best ones that the machine has.
//!
//! `HYPOSTYLE_SIMD=scalar` in the environment turns them off.  That changes no bit of any result, and the laws show it.

use std::sync::OnceLock;

/// The instruction set to run with.
#[inline]
pub(crate) fn arch() -> pulp::Arch {
    static SCALAR: OnceLock<bool> = OnceLock::new();
    if *SCALAR.get_or_init(|| std::env::var_os("HYPOSTYLE_SIMD").is_some_and(|level| level == "scalar")) {
        pulp::Arch::Scalar
    } else {
        pulp::Arch::new()
    }
}
