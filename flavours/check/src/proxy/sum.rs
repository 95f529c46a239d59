//! Sums of memory that requests read.

use crate::memory;
use crate::request::Request;

/// So many bytes of a request are summed up.
const MOST: u64 = 64 << 10;
/// The memory of a request.
pub struct Sum {
    pub user_data: u64,
    /// Which request it is.
    pub number: u64,
    pub sum: u64,
}

/// A sum of its contents. None if there is no memory, or it cannot be read.
pub fn sum(request: &Request) -> Option<u64> {
    const CHUNK: usize = 4096;
    let mut bytes = [0u8; CHUNK];
    let (mut sum, mut left, mut any) = (0u64, MOST, false);
    for range in request.ranges() {
        if range.written || range.until_taken {
            continue;
        }
        let (mut at, mut len) = (range.start, range.len.min(left));
        left -= len;
        while len != 0 {
            let part = bytes.get_mut(..len.min(CHUNK as u64) as usize)?;
            if !memory::read(at, part) {
                return None;
            }
            for byte in &*part {
                sum = (sum.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            }
            at += part.len() as u64;
            len -= part.len() as u64;
            any = true;
        }
    }
    any.then_some(sum)
}
