//! The Python extension module `hypostyle._native`.
//!
//! | module | contents |
//! |---|---|
//! | `module` | its functions and classes |
//! | `stage` | `Stage`, shared by Python threads |
//! | `rows` | single rows: dicts to cells and back |
//! | `frames` | whole frames in and out by the Arrow PyCapsule interface |
//! | `pipeline` | `Pipeline` |

mod frames;
mod module;
mod pipeline;
mod rows;
mod stage;

pub use module::init;
