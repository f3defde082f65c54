//! Statistics, one file each, always in the same order: why, the state, the implementation, the catalog's entries, their
//! reference versions.

pub mod arg_extremum;
pub mod autocorrelation;
pub mod boolean;
pub mod comoment;
pub mod correlation;
pub mod count;
pub mod covariance;
pub mod cumulative;
pub mod edge;
pub mod extremum;
pub mod max_drawdown;
pub mod mean;
pub mod moments;
pub mod ols;
pub mod partial;
pub mod product;
pub mod range;
pub mod regression;
pub mod relative;
pub mod sum;
pub mod trend;
pub mod variance;
pub mod weighted;
pub mod weighted_correlation;
mod whole;
pub mod zscore;
