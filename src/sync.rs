// SPDX-License-Identifier: MIT OR Apache-2.0
//! One way to take a lock, for the library and the elements alike.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex of which each change is whole in itself, so that a panic elsewhere, which poisons it, leaves nothing half done.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
