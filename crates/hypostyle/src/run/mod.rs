//! How kernels run: parameters become plans, plans are bound to columns, and bound kernels read batches with a state per key.

mod alone;
mod batch;
mod composed_kernel;
mod entry;
mod gaps;
mod inputs;
mod keyed;
mod live_row;
mod neighbors;
pub(crate) mod parameters;
mod plan;
mod plans;
pub(crate) mod pool;
mod program_kernel;
mod row_kernel;
mod running;
mod source;
mod validity;
mod window;
mod windowed;
mod wiring;

pub use batch::Batch;
pub use entry::{Entry, Example, Kernel, Shape};
pub use inputs::Inputs;
pub use live_row::LiveRow;
pub(crate) use neighbors::Away;
pub(crate) use plan::find_column;
pub use plan::{Binding, Plan};
pub use pool::set_default_threads;
pub use row_kernel::map_rows;
pub use running::Running;
pub use window::Window;
pub use windowed::{Around, Bare, BesideItself, Then};
pub use wiring::Wiring;
