//! Large columns: memory that was used before, else huge pages.
//!
//! A fresh column of 40 MB touches 10,000 pages of 4 KiB, and fetching them from the system can take longer than the kernel
//! that fills them: on a virtual machine 4 ns a row, where a rolling mean takes 1.  Two things are done about it.  Memory
//! comes from the allocator that Polars itself uses: it keeps what was freed for a while, so that a column takes the place
//! of one that Polars or a kernel has just dropped.  And Linux is asked for pages of 2 MiB (`madvise`), as NumPy asks for
//! its arrays, so that what is fresh costs 1 ns a row.
//!
//! Asking for Polars' allocator imports Polars.  The command `hypostyle` doesn't need it, says so in its environment
//! (`hypostyle_cli`), and gets the system's allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, Ordering};

use pyo3_polars::PolarsAllocator;

/// Polars' allocator, with huge pages for large blocks.
pub struct HugePages(PolarsAllocator);

/// Blocks below this are left alone; NumPy's threshold too.
const LARGE: usize = 4 << 20;

impl HugePages {
    pub const fn new() -> Self {
        Self(PolarsAllocator::new())
    }

    /// Polars' allocator; `None` where this process is to do without Polars.  The first call decides, once for all, so that
    /// every block goes back to where it came from.
    #[inline]
    fn polars(&self) -> Option<&PolarsAllocator> {
        match ALONE.load(Ordering::Relaxed) {
            POLARS => Some(&self.0),
            SYSTEM => None,
            _ => self.decide(),
        }
    }

    #[cold]
    fn decide(&self) -> Option<&PolarsAllocator> {
        // SAFETY: the name ends with a zero byte, and the environment is not changed while a module is being loaded, which
        // is when the first block is asked for.
        let alone = unsafe { !libc::getenv(c"HYPOSTYLE_ALONE".as_ptr()).is_null() };
        let choice = if alone { SYSTEM } else { POLARS };
        let first = ALONE.compare_exchange(UNKNOWN, choice, Ordering::Relaxed, Ordering::Relaxed);
        let choice = first.map_or_else(|other| other, |_| choice);
        (choice == POLARS).then_some(&self.0)
    }
}

/// Whose allocator this process uses.
static ALONE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const POLARS: u8 = 1;
const SYSTEM: u8 = 2;

#[cfg(target_os = "linux")]
#[inline]
fn advise(block: *mut u8, size: usize) {
    const PAGE: usize = 4096;
    if size < LARGE || block.is_null() {
        return;
    }
    let begin = (block as usize).next_multiple_of(PAGE);
    let end = (block as usize + size) & !(PAGE - 1);
    // SAFETY: the range lies within the block that was just allocated, and the advice changes no contents. A kernel
    // without huge pages refuses, which does no harm.
    unsafe {
        libc::madvise(begin as *mut libc::c_void, end - begin, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
#[inline]
fn advise(_block: *mut u8, _size: usize) {}

// SAFETY: every call is passed on to one allocator as it is, the same for the whole life of the process; the advice given in
// between touches no memory.
unsafe impl GlobalAlloc for HugePages {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let block = match self.polars() {
            Some(polars) => unsafe { polars.alloc(layout) },
            None => unsafe { System.alloc(layout) },
        };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let block = match self.polars() {
            Some(polars) => unsafe { polars.alloc_zeroed(layout) },
            None => unsafe { System.alloc_zeroed(layout) },
        };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the same allocator with this layout.
        match self.polars() {
            Some(polars) => unsafe { polars.dealloc(block, layout) },
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from the same allocator with this layout.
        let block = match self.polars() {
            Some(polars) => unsafe { polars.realloc(block, layout, size) },
            None => unsafe { System.realloc(block, layout, size) },
        };
        advise(block, size);
        block
    }
}
