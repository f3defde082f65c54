//! A kernel with its parameters as plain data, and how the parameters are read against the kernel's table.

mod arguments;
mod kernel_spec;
mod other_names;
mod parameter;
mod window;

pub use arguments::{Arguments, NumberOrColumn};
pub use kernel_spec::{KernelSpec, Value};
pub use parameter::{Family, Kind, Literal, Parameter};
pub(crate) use window::check_bound_type;
pub use window::{Bounds, Closed, Duration, DurationError, Extent, First, Offset};
