//! What outlives a run: the state that the next run continues from, and the checkpoints that a killed run resumes from.

pub(crate) mod checkpoint;
pub(crate) mod state_file;
