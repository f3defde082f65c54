//! Memory that is no longer needed.

/// This much spare capacity is kept.
pub(super) const SPARE: usize = 1 << 12;

/// Returns the spare capacity of a vector that held much more before.
pub(super) fn give_back<T>(items: &mut Vec<T>) {
    if items.capacity() > 2 * items.len() + SPARE {
        items.shrink_to_fit();
    }
}
