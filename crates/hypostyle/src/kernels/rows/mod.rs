//! Row functions, one file each.

pub mod risk_score;
pub mod row_dot;
