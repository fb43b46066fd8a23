//! The switchboard alone in the world. This program has its own entry, memory and end; there is no standard library,
//! no C library and no loader beneath it. If the switchboard ever asked for a clock, a file, a thread or a random
//! number, linking this would fail. Exit code: 0 when it decides as expected, 1 when not, 2 on a panic.
#![no_std]
#![no_main]

extern crate alloc;

mod world;

use core::panic::PanicInfo;

use switchboard::canonical;
use switchboard::plan::PlanDraft;

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    world::end(2)
}

/// Where the kernel enters: it leaves the stack aligned to 16, and the call puts it where a function expects it.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn _start() -> ! {
    core::arch::naked_asm!("call {begin}", "ud2", begin = sym begin)
}

extern "C" fn begin() -> ! {
    world::end(if decides() { 0 } else { 1 })
}

/// Puts a plan through the canonical encoding and back.
fn decides() -> bool {
    let text = canonical::encode(&PlanDraft::default());
    let again = canonical::decode::<PlanDraft>(&text).map(|draft| canonical::encode(&draft));
    again.is_ok_and(|again| canonical::Hash::of(&again) == canonical::Hash::of(&text))
}
