// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C library's allocator, counting: this program's `malloc` stands before it, for GLib, GStreamer and ONNX Runtime as well.
#![allow(unsafe_code)] // Nobody else can count them. Every call is handed on as it came.

use std::ffi::c_void;

use super::allocations::note_any;

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    note_any();
    // SAFETY: that of the caller's.
    unsafe { __libc_malloc(size) }
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    note_any();
    // SAFETY: that of the caller's.
    unsafe { __libc_calloc(count, size) }
}

#[unsafe(no_mangle)]
extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    note_any();
    // SAFETY: that of the caller's.
    unsafe { __libc_realloc(block, size) }
}
