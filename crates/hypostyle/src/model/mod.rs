//! What kernels are made of: the traits, without keys, windows, threads or Arrow's arrays.

mod branch;
mod by_row;
mod gap_fill;
mod lanewise;
mod neighbors;
mod ordered_window;
mod program;
mod recurrence;
mod row_function;
pub(crate) mod scale;
mod statistic;

pub(crate) use branch::rarely;
pub use by_row::ByRow;
pub use gap_fill::{Beside, GapFill, RowPlace};
pub use lanewise::{Flat, Lanewise, Sums, always, joined, more_than};
pub use neighbors::Neighbors;
pub use ordered_window::OrderedWindow;
pub use program::{Cells, Lane, Program, ProgramColumn, ProgramRows, Refused, RowKeys, StateField, Valid};
pub use recurrence::Recurrence;
pub use row_function::RowFunction;
pub(crate) use statistic::as_f64;
pub use statistic::{Blocks, Part, Statistic, Summary, TILE, Tile};
