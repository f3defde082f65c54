//! What happens in a sequence of rows: detectors, counters, and values that hold over time.

pub mod age;
pub mod counter;
pub mod cusum;
pub mod ffill;
pub mod inventory;
pub mod latch;
pub mod min_spacing;
pub mod page_hinkley;
pub mod rate;
pub mod since_true;
pub mod state_machine;
pub mod streak;
mod time;
pub mod time_weighted;
pub mod token_bucket;
pub mod zigzag;
