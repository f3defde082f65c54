//! Filters: a weight for each place of the window, whatever the values are.

pub mod fir;
mod shapes;

pub use shapes::SHAPES;
