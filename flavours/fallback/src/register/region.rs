//! Registering memory for the arguments of waits.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use super::args::{at, errno, one};
use crate::mapping::Mapping;
use crate::resources::region::Region;
use crate::ring::Ring;
use crate::sys::page_size;

/// Where a region that was made here is mapped from (`IORING_MAP_OFF_PARAM_REGION`).
pub const OFFSET: u64 = 0x2000_0000;

pub unsafe fn register(ring: &Arc<Ring>, arg: *mut c_void, nr: u32) -> c_int {
    if arg.is_null() || nr != 1 {
        return -libc::EINVAL;
    }
    // SAFETY: the structures that the opcode takes, says the caller.
    errno(unsafe {
        one::<io_uring_mem_region_reg>(arg).and_then(|given| {
            let described: *mut io_uring_region_desc = at(given.region_uptr);
            let region = one::<io_uring_region_desc>(described.cast())?;
            let region = make(ring, &given, &region)?;
            if region.own.is_some() {
                (&raw mut (*described).mmap_offset).write_unaligned(OFFSET);
            }
            let mut state = ring.state.lock();
            if state.region.is_some() {
                return Err(-libc::EBUSY);
            }
            state.region = Some(region);
            Ok(0)
        })
    })
}

fn make(
    ring: &Ring,
    given: &io_uring_mem_region_reg,
    region: &io_uring_region_desc,
) -> Result<Region, c_int> {
    if ring.state.lock().region.is_some() {
        return Err(-libc::EBUSY);
    }
    let for_waits = given.flags & IORING_MEM_REGION_REG_WAIT_ARG as u64 != 0;
    if given.__resv != [0; 2]
        || given.flags & !(IORING_MEM_REGION_REG_WAIT_ARG as u64) != 0
        || (for_waits && !ring.has(IORING_SETUP_R_DISABLED))
        // Relaxed: that the program enables it at this moment comes before or after.
        || (for_waits && !ring.disabled.load(Ordering::Relaxed))
        || region.__resv != [0; 4]
        || region.flags & !(IORING_MEM_REGION_TYPE_USER as u32) != 0
    {
        return Err(-libc::EINVAL);
    }
    let users = region.flags & IORING_MEM_REGION_TYPE_USER as u32 != 0;
    if users != (region.user_addr != 0) {
        return Err(-libc::EFAULT);
    }
    if region.size == 0 || region.mmap_offset != 0 || region.id != 0 {
        return Err(-libc::EINVAL);
    }
    if (region.user_addr | region.size) as usize & (page_size() - 1) != 0 {
        return Err(-libc::EINVAL);
    }
    if region.size / page_size() as u64 > i32::MAX as u64 {
        return Err(-libc::E2BIG);
    }
    if region.user_addr.checked_add(region.size).is_none() {
        return Err(-libc::EOVERFLOW);
    }
    let size = region.size as usize;
    let own = if users {
        if !crate::sys::is_mapped(region.user_addr as usize, size) {
            return Err(-libc::EFAULT);
        }
        None
    } else {
        Some(Mapping::new(size)?)
    };
    Ok(Region {
        start: own
            .as_ref()
            .map_or(region.user_addr as usize, Mapping::address),
        size,
        own,
        for_waits,
    })
}

/// The arguments of a wait, by their offset in the region.
pub fn wait_argument(ring: &Ring, offset: usize) -> Result<io_uring_reg_wait, c_int> {
    let state = ring.state.lock();
    let within = |region: &&Region| {
        let end = offset.checked_add(size_of::<io_uring_reg_wait>());
        region.for_waits && end.is_some_and(|end| end <= region.size)
    };
    let region = state
        .region
        .as_ref()
        .filter(within)
        .filter(|_| offset % size_of::<u64>() == 0)
        .ok_or(-libc::EFAULT)?;
    let start: *const u8 = std::ptr::with_exposed_provenance(region.start + offset);
    // SAFETY: within the region, for whose memory the program vouches, and aligned to a word.
    Ok(unsafe { start.cast::<io_uring_reg_wait>().read_unaligned() })
}

/// Maps a region that was made here. `None`: the offset names none.
pub fn map(ring: &Arc<Ring>, length: usize, offset: u64) -> Option<isize> {
    if offset != OFFSET {
        return None;
    }
    let state = ring.state.lock();
    let own = state.region.as_ref().and_then(|region| region.own.as_ref());
    Some(own.map_or(-libc::EINVAL as isize, |own| own.for_program(length)))
}
