//! What compiled code is, and what it gets.

/// Which loop the code is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// One row at a time; what each result is goes to a byte.
    Map,
    /// Eight rows at a time, as vectors of two; which results are valid goes to bits.
    Vector,
    /// Rows of one key, with its state in registers.
    Scan,
    /// The same of rows that are all read.
    Whole,
    /// Rows of many keys.
    Keyed,
    /// Windows: the columns are values, and for each window the place of its first value and that after its last one.
    Window,
}

/// What compiled code works on, as it reads it.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) columns: *const *const u64,
    pub(super) valid: *const *const bool,
    pub(super) states: *mut u64,
    pub(super) results: *const *mut u64,
    pub(super) kinds: *const *mut u8,
    pub(super) keys: *const u32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) read: *const bool,
}
