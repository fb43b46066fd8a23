//! What a C library and an operating system would have given: memory, five ways to move and compare bytes, an end.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::asm;
use core::cell::UnsafeCell;
use core::ptr::null_mut;

const MEMORY_BYTES: usize = 16 << 20;

/// Hands out memory from one block and takes none back.
struct Block {
    memory: UnsafeCell<[u8; MEMORY_BYTES]>,
    used: UnsafeCell<usize>,
}

// SAFETY: the program has one thread.
unsafe impl Sync for Block {}

// SAFETY: what is handed out lies inside the block, is aligned, and is never handed out twice.
unsafe impl GlobalAlloc for Block {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.memory.get().cast::<u8>();
        // SAFETY: one thread, so nobody else looks at the count.
        let used = unsafe { &mut *self.used.get() };
        let start = (base as usize + *used).next_multiple_of(layout.align()) - base as usize;
        let Some(end) = start.checked_add(layout.size()).filter(|end| *end <= MEMORY_BYTES) else {
            return null_mut();
        };
        *used = end;
        // SAFETY: start is at most the block's length.
        unsafe { base.add(start) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: Block = Block { memory: UnsafeCell::new([0; MEMORY_BYTES]), used: UnsafeCell::new(0) };

/// The only instruction of the program that reaches the world.
#[inline(never)]
pub(crate) fn end(code: i32) -> ! {
    // SAFETY: exit_group takes one number and does not return.
    unsafe { asm!("syscall", in("rax") 231, in("rdi") code, options(noreturn, nostack)) }
}

// The compiler calls these by name. In assembly, or it would see through a loop and call them from inside themselves.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller owns both ranges.
    unsafe {
        asm!("rep movsb", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= count {
        // SAFETY: going up never overwrites what is still to be read.
        return unsafe { memcpy(to, from, count) };
    }
    let (last_to, last_from) = (to.wrapping_add(count).wrapping_sub(1), from.wrapping_add(count).wrapping_sub(1));
    // SAFETY: the caller owns both ranges; going down never overwrites what is still to be read.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") count => _, inout("rdi") last_to => _,
            inout("rsi") last_from => _, options(nostack));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, count: usize) -> *mut u8 {
    // SAFETY: the caller owns the range.
    unsafe {
        asm!("rep stosb", inout("rcx") count => _, inout("rdi") to => _, in("al") value as u8,
            options(nostack, preserves_flags));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    for at in 0..count {
        // SAFETY: the caller owns both ranges.
        let (a, b) = unsafe { (left.add(at).read(), right.add(at).read()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    // SAFETY: as for memcmp.
    unsafe { memcmp(left, right, count) }
}

// The prebuilt `alloc` could unwind and names these two; this program cannot unwind, so they are never called.

#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() -> ! {
    end(3)
}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    end(3)
}
