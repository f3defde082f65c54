//! Large columns on huge pages.
//!
//! A fresh column of 40 MB touches 10,000 pages of 4 KiB, and fetching them from the kernel can take longer than the kernel
//! that fills them: on a virtual machine 6 ns a row, where a rolling mean takes 2.  Linux hands out 2 MiB pages where it is
//! asked to (`madvise`), as NumPy asks for its arrays.  Nothing else of the system's allocator is changed.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, with huge pages for large blocks.
pub struct HugePages;

/// Blocks below this are left alone; NumPy's threshold too.
const LARGE: usize = 4 << 20;

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

// SAFETY: every call is passed on to the system's allocator as it is; the advice given in between touches no memory.
unsafe impl GlobalAlloc for HugePages {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let block = unsafe { System.alloc(layout) };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let block = unsafe { System.alloc_zeroed(layout) };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from `System` with this layout.
        unsafe { System.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from `System` with this layout.
        let block = unsafe { System.realloc(block, layout, size) };
        advise(block, size);
        block
    }
}
