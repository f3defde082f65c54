//! Ordered windows, one file each, and the structures that keep values in order.

mod abreast;
mod block_deviation;
mod block_order;
mod block_rank;
mod block_trimmed;
pub mod distinct;
mod exact_sum;
pub mod median;
pub mod occurrences;
pub mod quantile;
pub mod rank;
mod ranked_windows;
pub mod robust;
pub mod sorted;
pub mod spearman;
pub mod spread;
pub mod top;
pub mod trimmed;
pub mod weighted_quantile;
