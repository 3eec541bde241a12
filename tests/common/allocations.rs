// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts what Rust code allocates on this thread while something runs, and tells where. Used by a program as its global allocator.
#![allow(dead_code)] // Each user takes a part.
#![allow(unsafe_code)] // An allocator cannot be had without it; this one hands everything on to the system's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// The system's allocator, counting.
pub(crate) struct Counting;

/// What was allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocated {
    /// Blocks, those that were made larger among them.
    pub(crate) blocks: usize,
    /// Their bytes.
    pub(crate) bytes: usize,
    /// Blocks of all code, where the program has [`note_any`] told.
    pub(crate) any: usize,
}

thread_local! {
    /// Whether this thread is being watched, and whether its allocations are traced.
    static WATCHED: Cell<(bool, bool)> = const { Cell::new((false, false)) };
    static SEEN: Cell<Allocated> = const { Cell::new(Allocated { blocks: 0, bytes: 0, any: 0 }) };
    static TRACES: RefCell<Vec<Backtrace>> = const { RefCell::new(Vec::new()) };
}

/// Notes an allocation, where this thread is watched.
fn note(bytes: usize) {
    // A thread that is ending has no such variables any more.
    let _ = WATCHED.try_with(|watched| {
        let (counted, traced) = watched.get();
        if !counted {
            return;
        }
        // Neither count nor trace what this itself allocates.
        watched.set((false, false));
        SEEN.set(Allocated {
            blocks: SEEN.get().blocks + 1,
            bytes: SEEN.get().bytes + bytes,
            ..SEEN.get()
        });
        if traced {
            TRACES.with_borrow_mut(|traces| traces.push(Backtrace::force_capture()));
        }
        watched.set((counted, traced));
    });
}

/// Notes an allocation of whatever code, where this thread is watched.
pub(crate) fn note_any() {
    let _ = WATCHED.try_with(|watched| {
        if watched.get().0 {
            SEEN.set(Allocated {
                any: SEEN.get().any + 1,
                ..SEEN.get()
            });
        }
    });
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the promises of this trait, which are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// What this thread allocates in Rust code while `f` runs.
pub(crate) fn count<R>(f: impl FnOnce() -> R) -> (R, Allocated) {
    watch(false, f)
}

fn watch<R>(traced: bool, f: impl FnOnce() -> R) -> (R, Allocated) {
    SEEN.set(Allocated::default());
    WATCHED.set((true, traced));
    let result = f();
    WATCHED.set((false, false));
    (result, SEEN.get())
}

/// Where `f` allocates: for each place how often, the commonest first. A place is named by the innermost functions of this repository.
pub(crate) fn places<R>(f: impl FnOnce() -> R) -> (R, Vec<(usize, String)>) {
    let (result, _) = watch(true, f);
    let mut all = BTreeMap::new();
    for trace in TRACES.take() {
        *all.entry(place(&trace.to_string())).or_insert(0) += 1;
    }
    let mut all: Vec<_> = all.into_iter().map(|(place, n)| (n, place)).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    (result, all)
}

/// How many functions name a place.
const DEPTH: usize = 3;

fn place(trace: &str) -> String {
    let functions = trace
        .lines()
        .filter_map(|l| l.trim_start().split_once(": "))
        .filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()))
        .map(|(_, name)| name);
    let ours = functions.filter(|name| {
        let name = name.trim_start_matches('<');
        name.starts_with("liveness::") || name.starts_with("gstliveness::")
    });
    let named: Vec<_> = ours.take(DEPTH).collect();
    if named.is_empty() {
        return "outside of this repository".into();
    }
    named.join(" < ")
}
