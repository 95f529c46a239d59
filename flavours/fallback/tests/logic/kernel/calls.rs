//! The simulated system calls.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_long};

use super::state::{File, Kernel, at, with};

/// As the system call of this number.
///
/// # Safety
///
/// As for `sys::call`.
pub unsafe fn call(number: usize, args: [usize; 6]) -> isize {
    let [first, second, third, fourth, ..] = args;
    let fd = first as c_int;
    // SAFETY: addresses are the caller's, as the calls ask for them.
    unsafe {
        match number as c_long {
            libc::SYS_gettid => with(|kernel| kernel.thread) as isize,
            libc::SYS_getpid => 1,
            libc::SYS_kcmp => with(|kernel| kernel.compare(fourth as c_int, args[4] as c_int)),
            libc::SYS_sched_yield | libc::SYS_madvise => 0,
            libc::SYS_rt_sigprocmask => 0,
            libc::SYS_setfsuid | libc::SYS_setfsgid | libc::SYS_getgroups => 0,
            libc::SYS_capget => 0,
            libc::SYS_sched_getaffinity => {
                at::<u64>(third).write(1);
                8
            }
            libc::SYS_prlimit64 => {
                at::<[u64; 2]>(fourth).write([with(|kernel| kernel.limit); 2]);
                0
            }
            libc::SYS_io_setup | libc::SYS_memfd_create | libc::SYS_futex_waitv => {
                -libc::ENOSYS as isize
            }
            libc::SYS_futex => futex(first, second as c_int, third as u32, at(fourth)),
            libc::SYS_mincore => with(|kernel| {
                let there = |address: &usize| !(first..first + second).contains(address);
                if kernel.unmapped.iter().all(there) {
                    0
                } else {
                    -libc::ENOMEM as isize
                }
            }),
            libc::SYS_mmap => with(|kernel| kernel.map(second)),
            libc::SYS_mremap => with(|kernel| kernel.map_again(first, second)),
            libc::SYS_munmap => with(|kernel| kernel.unmap(first)),
            libc::SYS_eventfd2 => with(|kernel| kernel.open(File::Eventfd(0)) as isize),
            libc::SYS_epoll_create1 => {
                with(|kernel| kernel.open(File::Epoll(BTreeMap::new())) as isize)
            }
            libc::SYS_close => with(|kernel| kernel.close(fd)),
            libc::SYS_fcntl => with(|kernel| kernel.fcntl(fd, second as c_int, third as c_int)),
            libc::SYS_fstat => with(|kernel| kernel.fstat(fd, at(second))),
            libc::SYS_fstatfs => {
                at::<libc::statfs>(second).write(std::mem::zeroed());
                0
            }
            libc::SYS_ioctl => {
                assert_eq!(second as u64, libc::FIONREAD as u64);
                let count = with(|kernel| match &*kernel.files[&fd].file.borrow() {
                    File::Stream { came, .. } => came.borrow().len(),
                    _ => 0,
                });
                at::<c_int>(third).write(count as c_int);
                0
            }
            libc::SYS_getsockopt => {
                at::<c_int>(fourth).write(libc::SOCK_STREAM);
                0
            }
            libc::SYS_epoll_ctl => with(|kernel| {
                let event = if fourth == 0 {
                    None
                } else {
                    Some(at::<libc::epoll_event>(fourth).read())
                };
                kernel.control(fd, second as c_int, third as c_int, event)
            }),
            libc::SYS_epoll_pwait2 => {
                let span = crate::sys::nanoseconds(&at::<libc::timespec>(fourth).read());
                with(|kernel| kernel.wait(fd, at(second), third, span))
            }
            libc::SYS_epoll_pwait => with(|kernel| kernel.wait(fd, at(second), third, 0)),
            libc::SYS_ppoll => with(|kernel| kernel.poll(at(first), second, at(third))),
            libc::SYS_read => with(|kernel| kernel.transfer(fd, &[(second, third)], None, false)),
            libc::SYS_write => with(|kernel| kernel.transfer(fd, &[(second, third)], None, true)),
            libc::SYS_recvfrom => {
                with(|kernel| kernel.transfer(fd, &[(second, third)], None, false))
            }
            libc::SYS_sendto => with(|kernel| kernel.transfer(fd, &[(second, third)], None, true)),
            libc::SYS_preadv2 | libc::SYS_pwritev2 => {
                let offset = (fourth as u64 != u64::MAX).then_some(fourth);
                let write = number as c_long == libc::SYS_pwritev2;
                with(|kernel| kernel.transfer(fd, &pieces(at(second), third), offset, write))
            }
            libc::SYS_recvmsg | libc::SYS_sendmsg => {
                let message = at::<libc::msghdr>(second).read();
                let all = pieces(message.msg_iov, message.msg_iovlen as usize);
                let write = number as c_long == libc::SYS_sendmsg;
                with(|kernel| kernel.transfer(fd, &all, None, write))
            }
            other => panic!("call {other} is not simulated"),
        }
    }
}

/// # Safety
///
/// There must be a vector of so many elements.
unsafe fn pieces(vector: *const libc::iovec, count: usize) -> Vec<(usize, usize)> {
    (0..count)
        // SAFETY: says the caller.
        .map(|index| unsafe { vector.add(index).read() })
        .map(|piece| (piece.iov_base.expose_provenance(), piece.iov_len))
        .collect()
}

/// # Safety
///
/// The word must be valid, and so must the time of a wait.
unsafe fn futex(word: usize, op: c_int, value: u32, time: *const libc::timespec) -> isize {
    match op & 0x7f {
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
            with(|kernel| kernel.woken.push(word));
            0
        }
        libc::FUTEX_WAIT_BITSET => {
            // SAFETY: says the caller. Nobody else is there who would change it.
            if unsafe { at::<u32>(word).read() } != value {
                return -libc::EAGAIN as isize;
            }
            // SAFETY: says the caller.
            let until = crate::sys::nanoseconds(&unsafe { time.read() });
            with(|kernel| {
                let far = kernel.now + 1_000_000_000_000;
                assert!(until < far, "a wait that nothing ends");
                kernel.now = kernel.now.max(until);
            });
            -libc::ETIMEDOUT as isize
        }
        other => panic!("futex operation {other} is not simulated"),
    }
}

impl Kernel {
    /// # Safety
    ///
    /// The pieces must be memory.
    unsafe fn transfer(
        &mut self,
        fd: c_int,
        pieces: &[(usize, usize)],
        offset: Option<usize>,
        write: bool,
    ) -> isize {
        let room = self.room;
        let Some(entry) = self.files.get(&fd) else {
            return -libc::EBADF as isize;
        };
        let length = pieces.iter().map(|(_, length)| length).sum::<usize>();
        let bytes = pieces
            .iter()
            .flat_map(|(start, length)| *start..*start + *length);
        // SAFETY: within the pieces.
        let read = |address: usize| unsafe { at::<u8>(address).read() };
        // SAFETY: within the pieces.
        let put = |(address, byte): (usize, u8)| unsafe { at::<u8>(address).write(byte) };
        match (&mut *entry.file.borrow_mut(), write) {
            (File::Eventfd(count), true) => {
                *count += 1;
                8
            }
            (File::Eventfd(0), false) => -libc::EAGAIN as isize,
            (File::Eventfd(count), false) => {
                *count = 0;
                8
            }
            (File::Stream { .. }, _) if offset.is_some() => -libc::ESPIPE as isize,
            (File::Stream { goes, .. }, true) => {
                let mut goes = goes.borrow_mut();
                let left = room.saturating_sub(goes.len()).min(length);
                if left == 0 && length != 0 {
                    return -libc::EAGAIN as isize;
                }
                goes.extend(bytes.take(left).map(read));
                left as isize
            }
            (File::Stream { came, hung_up, .. }, false) => {
                let mut came = came.borrow_mut();
                let count = came.len().min(length);
                if count == 0 && length != 0 && !*hung_up.borrow() {
                    return -libc::EAGAIN as isize;
                }
                bytes.zip(came.drain(..count)).for_each(put);
                count as isize
            }
            (File::Disk(contents), true) => {
                let offset = offset.unwrap_or(0);
                contents.resize(contents.len().max(offset + length), 0);
                for (to, byte) in contents.iter_mut().skip(offset).zip(bytes.map(read)) {
                    *to = byte;
                }
                length as isize
            }
            (File::Disk(contents), false) => {
                let offset = offset.unwrap_or(0).min(contents.len());
                let count = (contents.len() - offset).min(length);
                bytes
                    .zip(contents[offset..].iter().copied().take(count))
                    .for_each(put);
                count as isize
            }
            (File::Epoll(_), _) => -libc::EINVAL as isize,
        }
    }
}
