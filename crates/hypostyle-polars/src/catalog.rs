//! The kernels of this library.  A process may have loaded several such libraries, each with its own.

use std::sync::OnceLock;

use hypostyle::Catalog;

static CATALOG: OnceLock<Catalog> = OnceLock::new();

/// Sets the catalog, to which users' own functions are added; the first call counts, as a module is initialized once.
///
/// # Errors
/// If it has a kernel of that name.
pub fn set(catalog: Catalog) -> hypostyle::Result<()> {
    let _ = CATALOG.set(catalog.with_kernels(hypostyle_jit::kernels())?);
    Ok(())
}

/// The catalog; without [`set`] that of hypostyle.
pub fn catalog() -> &'static Catalog {
    CATALOG.get_or_init(hypostyle_jit::catalog)
}
