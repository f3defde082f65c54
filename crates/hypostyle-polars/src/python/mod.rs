//! The Python extension module `hypostyle._native`.
//!
//! | module | contents |
//! |---|---|
//! | `module` | its functions and classes |
//! | `stage` | `Stage`, shared by Python threads |
//! | `rows` | single rows: dicts to cells and back |
//! | `frames` | whole frames in and out by the Arrow PyCapsule interface |
//! | `numpy` | columns of NumPy in and out |
//! | `pipeline` | `Pipeline` |

mod frames;
mod module;
mod numpy;
mod pipeline;
mod rows;
mod stage;

pub use module::init;
