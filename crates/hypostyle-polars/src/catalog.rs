//! The kernels of this library.  A process may have loaded several such libraries, each with its own.

use std::sync::OnceLock;

use hypostyle::Catalog;

static CATALOG: OnceLock<Catalog> = OnceLock::new();

/// Sets the catalog; the first call counts, as a module is initialized once.
pub fn set(catalog: Catalog) {
    let _ = CATALOG.set(catalog);
}

/// The catalog; without [`set`] that of hypostyle.
pub fn catalog() -> &'static Catalog {
    CATALOG.get_or_init(Catalog::default)
}
