//! Exponentially weighted statistics.

pub mod mean;
mod number;
mod pace;
pub mod pairs;
#[cfg(test)]
mod reference;
pub mod spread;
pub mod sum;
mod weighted;
