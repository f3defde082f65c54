//! Smoothers: means that follow a column, and the indicators and filters that are made of them.

pub mod cascade;
pub mod directional;
pub mod holt;
pub mod holt_winters;
pub mod kalman;
pub mod kama;
pub mod lfilter;
pub mod macd;
pub mod momentum;
pub mod seeded;
pub mod trix;
pub mod true_range;

#[cfg(test)]
pub(crate) mod plain;
#[cfg(test)]
pub(crate) mod worked;
