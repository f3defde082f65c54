//! Large columns: memory that was used before, else huge pages.
//!
//! A fresh column of 40 MB touches 10,000 pages of 4 KiB, and fetching them from the system can take longer than the kernel
//! that fills them: on a virtual machine 4 ns a row, where a rolling mean takes 1.  Two things are done about it.  Memory
//! comes from the allocator that Polars itself uses: it keeps what was freed for a while, so that a column takes the place
//! of one that Polars or a kernel has just dropped.  And Linux is asked for pages of 2 MiB (`madvise`), as NumPy asks for
//! its arrays, so that what is fresh costs 1 ns a row.

use std::alloc::{GlobalAlloc, Layout};

use pyo3_polars::PolarsAllocator;

/// Polars' allocator, with huge pages for large blocks.
pub struct HugePages(PolarsAllocator);

/// Blocks below this are left alone; NumPy's threshold too.
const LARGE: usize = 4 << 20;

impl HugePages {
    pub const fn new() -> Self {
        Self(PolarsAllocator::new())
    }
}

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

// SAFETY: every call is passed on to Polars' allocator as it is; the advice given in between touches no memory.
unsafe impl GlobalAlloc for HugePages {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let block = unsafe { self.0.alloc(layout) };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let block = unsafe { self.0.alloc_zeroed(layout) };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the same allocator with this layout.
        unsafe { self.0.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from the same allocator with this layout.
        let block = unsafe { self.0.realloc(block, layout, size) };
        advise(block, size);
        block
    }
}
