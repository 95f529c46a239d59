//! Making, naming, connecting and ending sockets.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uring_core::abi::*;

use super::common::{poll_first, socket_option, unused, wait_in_worker};
use crate::batch::{Batch, post_more};
use crate::op::{Outcome, res};
use crate::register::files;
use crate::request::How;
use crate::request::{Class, Place, Req};
use crate::ring::Ring;
use crate::sys::{self, sys};

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;

pub fn check_socket(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[addr, req.op_flags().into(), req.buf_index().into()])?;
    let flags = req.offset() as c_int & !0xf;
    let known = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    if flags & !known != 0 {
        return Err(-libc::EINVAL);
    }
    if req.file_index() != 0 && flags & libc::SOCK_CLOEXEC != 0 {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

/// A new descriptor as a result: into a slot where the request names one.
fn install(ring: &Arc<Ring>, req: &Req, ret: isize) -> c_int {
    match (ret, req.file_index()) {
        (0.., IORING_FILE_INDEX_ALLOC) => files::install_owned(ring, ret as c_int, None),
        (0.., slot @ 1..) => files::install_owned(ring, ret as c_int, Some(slot - 1)),
        _ => res(ret),
    }
}

pub fn socket(ring: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    // SAFETY: no memory is named.
    let ret = unsafe { sys!(SYS_socket, req.sqe.fd, req.offset(), req.sqe.len) };
    Outcome::Done(install(ring, req, ret), 0)
}

/// The length of a socket's address. The kernel takes 32 bits of the field.
fn address_length(req: &Req) -> usize {
    req.offset() as u32 as usize
}

/// The refusals of a socket's address.
fn check_address(req: &Req) -> Result<(), c_int> {
    match address_length(req) {
        0 => Ok(()),
        length if length > size_of::<libc::sockaddr_storage>() => Err(-libc::EINVAL),
        _ => sys::not_null(req.address::<u8>()),
    }
}

/// Copies a socket's address.
pub fn copy_address(req: &mut Req) -> Result<(), c_int> {
    let at: *const u8 = req.address();
    let length = address_length(req);
    if length > 0 {
        // SAFETY: the program vouches for an address of this length.
        let bytes = unsafe { std::slice::from_raw_parts(at, length) }.to_vec();
        req.stable().bytes = bytes;
    }
    Ok(())
}

fn address(req: &Req) -> *const u8 {
    match req
        .stable
        .as_ref()
        .filter(|stable| !stable.bytes.is_empty())
    {
        Some(stable) => stable.bytes.as_ptr(),
        None => req.address(),
    }
}

pub fn check_bind(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.sqe.len.into(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])?;
    check_address(req)
}

pub fn bind(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    // SAFETY: an address of this length.
    Outcome::Done(
        res(unsafe { sys!(SYS_bind, req.fd(), address(req), address_length(req)) }),
        0,
    )
}

pub fn check_listen(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[
        addr,
        req.offset(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])
}

pub fn listen(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    // SAFETY: no memory is named.
    Outcome::Done(res(unsafe { sys!(SYS_listen, req.fd(), req.sqe.len) }), 0)
}

pub fn check_shutdown(_: &Ring, req: &Req) -> Result<(), c_int> {
    let addr = req.address::<u8>().addr() as u64;
    unused(&[
        addr,
        req.offset(),
        req.op_flags().into(),
        req.buf_index().into(),
        req.file_index().into(),
    ])
}

pub fn shutdown(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    // SAFETY: no memory is named.
    Outcome::Done(res(unsafe { sys!(SYS_shutdown, req.fd(), req.sqe.len) }), 0)
}

pub fn check_accept(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[req.sqe.len.into(), req.buf_index().into()])?;
    let flags = u32::from(req.sqe.ioprio);
    if flags & !(IORING_ACCEPT_MULTISHOT | IORING_ACCEPT_DONTWAIT | IORING_ACCEPT_POLL_FIRST) != 0 {
        return Err(-libc::EINVAL);
    }
    let asked = req.op_flags() as c_int;
    if asked & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) != 0 {
        return Err(-libc::EINVAL);
    }
    if req.file_index() != 0 && asked & libc::SOCK_CLOEXEC != 0 {
        return Err(-libc::EINVAL);
    }
    if flags & IORING_ACCEPT_MULTISHOT != 0 {
        // Each connection would write over the last one's address, or into its slot.
        let named = !req.address::<u8>().is_null() || req.offset() != 0;
        if named || req.file_index() != 0 && req.file_index() != IORING_FILE_INDEX_ALLOC {
            return Err(-libc::EINVAL);
        }
    }
    Ok(())
}

/// Whether a socket waits for connections. Of what is none the call tells.
fn listens(fd: c_int) -> bool {
    socket_option(fd, libc::SO_ACCEPTCONN) == Ok(1)
}

pub fn accept(ring: &Arc<Ring>, req: &mut Req, how: How, batch: &mut Batch) -> Outcome {
    let flags = u32::from(req.sqe.ioprio);
    let multishot = flags & IORING_ACCEPT_MULTISHOT != 0;
    if how == How::Try && flags & IORING_ACCEPT_POLL_FIRST != 0 && req.id == 0 {
        return poll_first(IN, flags & IORING_ACCEPT_DONTWAIT == 0);
    }
    let fd = req.fd();
    loop {
        let open = sys::open_flags(fd);
        if open < 0 {
            return Outcome::Done(open, 0);
        }
        // Relaxed: as far as this thread can know, somebody hears of the connection.
        if ring.given_up.load(Ordering::Relaxed) {
            return Outcome::Done(-libc::ECANCELED, 0);
        }
        // A blocking listener makes a caller wait even after it was ready: another one may have been faster.
        if how != How::Block && open & libc::O_NONBLOCK == 0 {
            let there = sys::poll_now(fd, libc::POLLIN);
            // One that does not listen is refused by the call, where it could not keep the caller.
            if there == 0 && listens(fd) {
                if flags & IORING_ACCEPT_DONTWAIT != 0 {
                    return Outcome::Done(-libc::EAGAIN, 0);
                }
                return Outcome::Park(Place::Poll(IN));
            }
            return Outcome::Park(Place::Worker(Class::Unbounded));
        }
        // Another thread may have taken the one that was there.
        if how == How::Block && listens(fd) && !wait_in_worker(ring, req, IN) {
            return Outcome::Done(-libc::ECANCELED, 0);
        }
        // SAFETY: room for the address, which the program vouches for, or null.
        let ret = unsafe {
            sys!(
                SYS_accept4,
                fd,
                req.address::<u8>(),
                req.address2::<u8>(),
                req.op_flags()
            )
        };
        if how == How::Block {
            // Relaxed: the lock that is taken next orders it.
            if ret >= 0 && ring.closed.load(Ordering::Relaxed) {
                // Nobody hears of the connection. Whoever made it must not wait for an answer.
                sys::close(ret as c_int);
                return Outcome::Done(-libc::ECANCELED, 0);
            }
            // Before its completion is seen, upon which it may be cancelled.
            let mut state = ring.state.lock();
            let info = state.pending.get_mut(req.id);
            info.into_iter().for_each(|info| info.held = false);
        }
        if ret == -libc::EAGAIN as isize && flags & IORING_ACCEPT_DONTWAIT == 0 {
            return Outcome::Park(Place::Poll(IN));
        }
        let result = install(ring, req, ret);
        if result < 0 {
            return Outcome::Done(result, 0);
        }
        // The kernel says so of TCP alone.
        let tcp = || socket_option(fd, libc::SO_PROTOCOL) == Ok(libc::IPPROTO_TCP);
        let more = if sys::poll_now(fd, libc::POLLIN) > 0 && tcp() {
            IORING_CQE_F_SOCK_NONEMPTY
        } else {
            0
        };
        if !multishot || !post_more(ring, req, result, more, batch) {
            return Outcome::Done(result, more);
        }
        if how == How::Block {
            // The next one is waited for in epoll.
            return Outcome::Park(Place::Poll(IN));
        }
    }
}

pub fn check_connect(_: &Ring, req: &Req) -> Result<(), c_int> {
    unused(&[
        req.sqe.len.into(),
        req.buf_index().into(),
        req.op_flags().into(),
        req.file_index().into(),
    ])?;
    check_address(req)
}

/// Connects without a wait.
fn connect_at_once(req: &Req) -> isize {
    let fd = req.fd();
    let open = sys::open_flags(fd);
    if open < 0 {
        return open as isize;
    }
    let kind = match socket_option(fd, libc::SO_TYPE) {
        Ok(kind) => kind,
        // No socket: its flags are not touched.
        Err(error) => return error as isize,
    };
    let connect = || {
        // SAFETY: an address of this length.
        unsafe { sys!(SYS_connect, fd, address(req), address_length(req)) }
    };
    // Datagrams: it never waits.
    if open & libc::O_NONBLOCK != 0 || kind == libc::SOCK_DGRAM {
        return connect();
    }
    let set = |flags| {
        // SAFETY: no memory is named.
        unsafe { sys!(SYS_fcntl, fd, libc::F_SETFL, flags) }
    };
    // The call has no flag of its own. Others that wait fail on such a socket until it is connected, and do not wait.
    set(open | libc::O_NONBLOCK);
    let ret = connect();
    set(open);
    ret
}

pub fn connect(_: &Arc<Ring>, req: &mut Req, how: How, _: &mut Batch) -> Outcome {
    let fd = req.fd();
    match how {
        How::Try => {
            let mut error = -connect_at_once(req) as c_int;
            // An earlier attempt failed, and its error was taken in another way. The socket is as new from here on.
            if error == libc::ECONNABORTED {
                error = -connect_at_once(req) as c_int;
            }
            match error {
                libc::EINPROGRESS => Outcome::Park(Place::Poll(OUT)),
                // A local socket whose queue is full: nothing tells when it is not.
                libc::EAGAIN if sys::open_flags(fd) & libc::O_NONBLOCK == 0 => {
                    Outcome::Park(Place::Worker(Class::Unbounded))
                }
                error => Outcome::Done(-error, 0),
            }
        }
        // The call takes the error of the attempt, after which the socket may connect anew.
        How::Ready => match -connect_at_once(req) as c_int {
            libc::EISCONN | libc::EBADFD => match socket_option(fd, libc::SO_ERROR) {
                Ok(error) => Outcome::Done(-error, 0),
                Err(error) => Outcome::Done(error, 0),
            },
            libc::EINPROGRESS | libc::EALREADY => Outcome::Park(Place::Poll(OUT)),
            error => Outcome::Done(-error, 0),
        },
        How::Block => {
            // SAFETY: an address of this length.
            let ret = unsafe { sys!(SYS_connect, fd, address(req), address_length(req)) };
            Outcome::Done(res(ret), 0)
        }
    }
}

pub fn check_command(_: &Ring, req: &Req) -> Result<(), c_int> {
    let known = IORING_URING_CMD_FIXED;
    unused(&[(req.op_flags() & !known).into(), req.offset() >> 32])?;
    // Only commands that complete again and again choose buffers.
    if req.has(IOSQE_BUFFER_SELECT) {
        Err(-libc::EINVAL)
    } else {
        Ok(())
    }
}

/// What `URING_CMD` asks of a socket. Other files have no commands here.
pub fn command(_: &Arc<Ring>, req: &mut Req, _: How, _: &mut Batch) -> Outcome {
    let fd = req.fd();
    let kind = sys::file_type(fd);
    if kind < 0 {
        return Outcome::Done(kind, 0);
    }
    if kind as libc::mode_t != libc::S_IFSOCK {
        return Outcome::Done(-libc::EOPNOTSUPP, 0);
    }
    let command = req.offset() as u32;
    // SAFETY: all readings of the unions are plain numbers.
    let (level, name, value) = unsafe {
        (
            req.sqe.__anon2.__anon1.level,
            req.sqe.__anon2.__anon1.optname,
            req.sqe.__anon6.optval as usize,
        )
    };
    let length = req.file_index();
    if command == SOCKET_URING_OP_SIOCINQ as u32 || command == SOCKET_URING_OP_SIOCOUTQ as u32 {
        let request = if command == SOCKET_URING_OP_SIOCINQ as u32 {
            libc::FIONREAD
        } else {
            libc::TIOCOUTQ
        };
        let mut count: c_int = 0;
        // SAFETY: the kernel writes one number.
        let ret = unsafe { sys!(SYS_ioctl, fd, request, &raw mut count) };
        return Outcome::Done(if ret < 0 { res(ret) } else { count }, 0);
    }
    if command == SOCKET_URING_OP_GETSOCKOPT as u32 {
        if level != libc::SOL_SOCKET as u32 {
            return Outcome::Done(-libc::EOPNOTSUPP, 0);
        }
        let mut size = length as libc::socklen_t;
        // SAFETY: room for the value, which the program vouches for, and its size.
        let ret = unsafe { sys!(SYS_getsockopt, fd, level, name, value, &raw mut size) };
        return Outcome::Done(if ret < 0 { res(ret) } else { size as c_int }, 0);
    }
    if command == SOCKET_URING_OP_SETSOCKOPT as u32 {
        // SAFETY: a value that the program vouches for.
        return Outcome::Done(
            res(unsafe { sys!(SYS_setsockopt, fd, level, name, value, length) }),
            0,
        );
    }
    if command == SOCKET_URING_OP_GETSOCKNAME as u32 {
        if length > 1 {
            return Outcome::Done(-libc::EINVAL, 0);
        }
        let size = value;
        let address = req.address::<u8>();
        // SAFETY: room for an address and its size, which the program vouches for.
        let ret = unsafe {
            if length == 0 {
                sys!(SYS_getsockname, fd, address, size)
            } else {
                sys!(SYS_getpeername, fd, address, size)
            }
        };
        return Outcome::Done(res(ret), 0);
    }
    Outcome::Done(-libc::EOPNOTSUPP, 0)
}
