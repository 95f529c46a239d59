//! Which CPUs the machine has.

use core::ffi::c_uint;

use uring_core::errno::Result;

use crate::path;
use crate::sys::files;

/// Whether the machine has this CPU, no matter whether this process may use it. True where `/sys` does not tell.
pub fn may_exist(cpu: u16) -> bool {
    // Every machine has CPU 0. If that cannot be opened either, `/sys` does not tell.
    find(cpu).is_ok() || find(0).is_err()
}

/// Opens the directory of a CPU.
fn find(cpu: u16) -> Result<()> {
    let directory = path::open_numbered(b"/sys/devices/system/cpu/cpu", cpu as c_uint, false)?;
    files::close(directory);
    Ok(())
}
