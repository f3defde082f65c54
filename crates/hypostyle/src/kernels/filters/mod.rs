//! Filters: a weight for each position of the window, whatever the values are.

pub mod fir;
mod shapes;

pub use shapes::SHAPES;
