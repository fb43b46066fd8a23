//! A short, portable hash that tells a repeated request from a reused request id. Not for security: whoever may send
//! commands gains nothing by confusing them.

use core::hash::{Hash, Hasher};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// FNV-1a, with every integer fed in little-endian and every length as 64 bits, so that it is the same on any machine.
/// Source: Fowler, Noll, Vo; draft-eastlake-fnv.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    fn write_u16(&mut self, n: u16) {
        self.write(&n.to_le_bytes());
    }
    fn write_u32(&mut self, n: u32) {
        self.write(&n.to_le_bytes());
    }
    fn write_u64(&mut self, n: u64) {
        self.write(&n.to_le_bytes());
    }
    fn write_u128(&mut self, n: u128) {
        self.write(&n.to_le_bytes());
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as i64 as u64);
    }
}

/// The fingerprint of a value.
pub(crate) fn fingerprint<T: Hash>(value: &T) -> u64 {
    let mut fnv = Fnv(OFFSET);
    value.hash(&mut fnv);
    fnv.finish()
}
