//! The switchboard alone in the world. This program has its own entry, memory and end; there is no standard library,
//! no C library and no loader beneath it. If the switchboard ever asked for a clock, a file, a thread or a random
//! number, linking this would fail. Exit code: 0 when it decides as expected, 1 when not, 2 on a panic.
#![no_std]
#![no_main]

extern crate alloc;

mod play;
mod world;

use alloc::string::ToString;
use core::panic::PanicInfo;

/// A morning's inputs, one canonical text on each line, and the hash of the state that they lead to elsewhere.
const INPUTS: &str = include_str!(env!("HOTLINE_BARE_INPUTS"));
const HASH: &str = env!("HOTLINE_BARE_HASH");

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
    let same = play::play(INPUTS).is_some_and(|board| board.state_hash().to_string() == HASH);
    world::end(if same { 0 } else { 1 })
}
