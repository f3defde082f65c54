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
use std::ptr::null_mut;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

/// The functions of an allocator, as Polars lends its own to plugins.
#[repr(C)]
struct Functions {
    alloc: unsafe extern "C" fn(usize, usize) -> *mut u8,
    dealloc: unsafe extern "C" fn(*mut u8, usize, usize),
    alloc_zeroed: unsafe extern "C" fn(usize, usize) -> *mut u8,
    realloc: unsafe extern "C" fn(*mut u8, usize, usize, usize) -> *mut u8,
}

/// Those of the system.
static SYSTEM: Functions = Functions {
    alloc: system_alloc,
    dealloc: system_dealloc,
    alloc_zeroed: system_alloc_zeroed,
    realloc: system_realloc,
};

/// Whose allocator this process uses.  The first call decides, once for all, so that every block goes back to where it came
/// from.
static CHOSEN: AtomicPtr<Functions> = AtomicPtr::new(null_mut());

#[inline]
fn functions() -> &'static Functions {
    // SAFETY: null, or a pointer to functions that live as long as the process.
    match unsafe { CHOSEN.load(Relaxed).as_ref() } {
        Some(functions) => functions,
        None => decide(),
    }
}

#[cold]
fn decide() -> &'static Functions {
    let choice = functions_of_polars().unwrap_or(&SYSTEM);
    let first = CHOSEN.compare_exchange(null_mut(), std::ptr::from_ref(choice).cast_mut(), Relaxed, Relaxed);
    // SAFETY: another thread was first with such a pointer, else `choice` counts.
    first.map_or_else(|other| unsafe { &*other }, |_| choice)
}

/// Polars' allocator; `None` where this process is to do without Polars, or has another Polars.  Nothing may be allocated
/// here.
fn functions_of_polars() -> Option<&'static Functions> {
    // SAFETY: the names end with a zero byte, and the environment is not changed while a module is being loaded, which is
    // when the first block is asked for.
    if unsafe { !libc::getenv(c"HYPOSTYLE_ALONE".as_ptr()).is_null() || pyo3::ffi::Py_IsInitialized() == 0 } {
        return None;
    }
    // SAFETY: Python runs, and the lock is taken for the call; Polars keeps the functions for as long as the process lives.
    unsafe {
        let state = pyo3::ffi::PyGILState_Ensure();
        let capsule = pyo3::ffi::PyCapsule_Import(c"polars.polars._allocator".as_ptr(), 0);
        if capsule.is_null() {
            pyo3::ffi::PyErr_Clear();
        }
        pyo3::ffi::PyGILState_Release(state);
        capsule.cast::<Functions>().as_ref()
    }
}

fn layout(size: usize, align: usize) -> Layout {
    // SAFETY: both are those of a layout that a caller of the allocator made.
    unsafe { Layout::from_size_align_unchecked(size, align) }
}

unsafe extern "C" fn system_alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller's promises are the same, here and below.
    unsafe { System.alloc(layout(size, align)) }
}

unsafe extern "C" fn system_dealloc(block: *mut u8, size: usize, align: usize) {
    // SAFETY: as above.
    unsafe { System.dealloc(block, layout(size, align)) }
}

unsafe extern "C" fn system_alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    // SAFETY: as above.
    unsafe { System.alloc_zeroed(layout(size, align)) }
}

unsafe extern "C" fn system_realloc(block: *mut u8, old: usize, align: usize, size: usize) -> *mut u8 {
    // SAFETY: as above.
    unsafe { System.realloc(block, layout(old, align), size) }
}

/// Polars' allocator, with huge pages for large blocks.
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

// SAFETY: every call is passed on to one allocator as it is, the same for the whole life of the process; the advice given in
// between touches no memory.
unsafe impl GlobalAlloc for HugePages {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same, here and below.
        let block = unsafe { (functions().alloc)(layout.size(), layout.align()) };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { (functions().alloc_zeroed)(layout.size(), layout.align()) };
        advise(block, layout.size());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the same allocator with this layout.
        unsafe { (functions().dealloc)(block, layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from the same allocator with this layout.
        let block = unsafe { (functions().realloc)(block, layout.size(), layout.align(), size) };
        advise(block, size);
        block
    }
}
