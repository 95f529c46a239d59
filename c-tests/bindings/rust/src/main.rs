//! Writes a file through liburing-ffi and reads it back: vectors, registered buffers, links, a timeout, and a stream of
//! provided buffers from a socket. It calls symbols only, no inline code of C.
//!
//! Exit status 77: io_uring is refused here.

use std::ffi::{CString, c_int, c_uint};
use std::io::Write;
use std::mem::zeroed;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::ptr::null_mut;
use std::{env, fs, iter};

#[allow(warnings, clippy::all, reason = "generated code, bound whole")]
mod uring {
    include!(concat!(env!("OUT_DIR"), "/uring.rs"));
}
use uring::*;

const BLOCK: usize = 64 * 1024;

struct Ring(Box<io_uring>);

impl Ring {
    fn new(entries: c_uint) -> Result<Ring, c_int> {
        // SAFETY: an all-zero io_uring is a valid value of plain integers and null pointers.
        let mut ring: Box<io_uring> = Box::new(unsafe { zeroed() });
        // SAFETY: this value owns the ring, which does not move until its exit.
        match unsafe { io_uring_queue_init(entries, &mut *ring, 0) } {
            0 => Ok(Ring(ring)),
            error => Err(error),
        }
    }

    fn sqe(&mut self) -> *mut io_uring_sqe {
        // SAFETY: the ring is set up.
        let sqe = unsafe { io_uring_get_sqe(&mut *self.0) };
        assert!(!sqe.is_null(), "the submission queue is full");
        sqe
    }

    fn submit(&mut self) -> c_int {
        // SAFETY: every prepared request points to memory that outlives its completion: see the callers.
        unsafe { io_uring_submit(&mut *self.0) }
    }

    /// The next completion: user data, result, flags.
    fn complete(&mut self) -> (u64, i32, u32) {
        let mut cqe = null_mut();
        // SAFETY: the ring is set up, and the CQE stays valid until it is given back.
        unsafe {
            assert_eq!(io_uring_wait_cqe(&mut *self.0, &mut cqe), 0);
            let seen = (io_uring_cqe_get_data64(cqe), (*cqe).res, (*cqe).flags);
            io_uring_cqe_seen(&mut *self.0, cqe);
            seen
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the ring was set up, and nothing uses it afterwards.
        unsafe { io_uring_queue_exit(&mut *self.0) }
    }
}

fn pattern(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(len)
    .collect()
}

/// Opens, writes from a registered buffer, syncs and reads back through a vector.
fn file(ring: &mut Ring, path: &str) {
    let path = CString::new(path).expect("a path without a zero byte");
    let mut data = pattern(BLOCK);
    let registered = iovec {
        iov_base: data.as_mut_ptr().cast(),
        iov_len: data.len(),
    };
    // SAFETY: in the whole function: each buffer and the path outlive the completion that is waited for below.
    unsafe {
        assert_eq!(io_uring_register_buffers(&mut *ring.0, &registered, 1), 0);
        // O_RDWR | O_CREAT | O_TRUNC
        io_uring_prep_openat(ring.sqe(), -100, path.as_ptr(), 0o2 | 0o100 | 0o1000, 0o600);
        assert_eq!(ring.submit(), 1);
        let (_, fd, _) = ring.complete();
        assert!(fd >= 0, "open: {fd}");

        let sqe = ring.sqe();
        io_uring_prep_write_fixed(sqe, fd, data.as_ptr().cast(), BLOCK as c_uint, 0, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK as c_uint);
        io_uring_sqe_set_data64(sqe, 1);
        let sqe = ring.sqe();
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC as c_uint);
        io_uring_sqe_set_data64(sqe, 2);
        assert_eq!(ring.submit(), 2);
        let (user_data, written, _) = ring.complete();
        assert_eq!((user_data, written), (1, BLOCK as i32));
        let (user_data, synced, _) = ring.complete();
        assert_eq!((user_data, synced), (2, 0));

        let mut halves = [vec![0u8; BLOCK / 2], vec![0u8; BLOCK / 2]];
        let vectors = halves.each_mut().map(|half| iovec {
            iov_base: half.as_mut_ptr().cast(),
            iov_len: half.len(),
        });
        let sqe = ring.sqe();
        io_uring_prep_readv(sqe, fd, vectors.as_ptr(), 2, 0);
        io_uring_sqe_set_data64(sqe, 3);
        assert_eq!(ring.submit(), 1);
        let (user_data, read, _) = ring.complete();
        assert_eq!((user_data, read), (3, BLOCK as i32));
        assert!(halves.concat() == data, "read back something else");
        assert_eq!(io_uring_unregister_buffers(&mut *ring.0), 0);

        io_uring_prep_close(ring.sqe(), fd);
        assert_eq!(ring.submit(), 1);
        assert_eq!(ring.complete().1, 0);
    }
    let on_disk = fs::read(path.to_str().expect("as it was given")).expect("the file is there");
    assert!(on_disk == data, "the file holds something else");
}

fn timeout(ring: &mut Ring) {
    let time = __kernel_timespec {
        tv_sec: 0,
        tv_nsec: 1_000_000,
    };
    // SAFETY: the time outlives the completion.
    unsafe { io_uring_prep_timeout(ring.sqe(), &time, 0, 0) };
    assert_eq!(ring.submit(), 1);
    assert_eq!(ring.complete().1, -62, "a timeout gives -ETIME");
}

/// One multishot request fills provided buffers until the peer closes.
fn stream(ring: &mut Ring) {
    const BUFFERS: u32 = 4;
    const SIZE: usize = 1024;
    let (mut ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut memory = vec![[0u8; SIZE]; BUFFERS as usize];
    let mut error = 0;
    // SAFETY: the buffers and the socket outlive the request: its last completion is waited for.
    unsafe {
        let buffers = io_uring_setup_buf_ring(&mut *ring.0, BUFFERS, 7, 0, &mut error);
        if buffers.is_null() {
            println!("SKIP: this kernel has no buffer rings ({error})");
            return;
        }
        let mask = io_uring_buf_ring_mask(BUFFERS);
        let give = |memory: &mut [[u8; SIZE]], id: u16| {
            let address = memory[usize::from(id)].as_mut_ptr().cast();
            io_uring_buf_ring_add(buffers, address, SIZE as c_uint, id, mask, 0);
            io_uring_buf_ring_advance(buffers, 1);
        };
        for id in 0..BUFFERS as u16 {
            give(&mut memory, id);
        }
        let sqe = ring.sqe();
        io_uring_prep_recv_multishot(sqe, theirs.as_raw_fd(), null_mut(), 0, 0);
        io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT as c_uint);
        (*sqe).__bindgen_anon_4.buf_group = 7;
        assert_eq!(ring.submit(), 1);

        let sent = pattern(20_000);
        let mut received = Vec::new();
        for part in sent.chunks(SIZE) {
            ours.write_all(part).expect("the socket takes it");
            while received.len() < sent.len() {
                let (_, res, flags) = ring.complete();
                assert!(
                    res > 0 && flags & IORING_CQE_F_BUFFER != 0,
                    "{res} {flags:#x}"
                );
                assert!(flags & IORING_CQE_F_MORE != 0, "the request has ended");
                let id = (flags >> IORING_CQE_BUFFER_SHIFT) as u16;
                received.extend_from_slice(&memory[usize::from(id)][..res as usize]);
                give(&mut memory, id);
                if received.len() % SIZE == 0 {
                    break;
                }
            }
        }
        assert!(received == sent, "received something else");
        drop(ours);
        let (_, res, flags) = ring.complete();
        assert_eq!((res, flags & IORING_CQE_F_MORE), (0, 0));
        assert_eq!(io_uring_free_buf_ring(&mut *ring.0, buffers, BUFFERS, 7), 0);
    }
}

fn main() -> ExitCode {
    // SAFETY: the function reads two numbers.
    let version = unsafe { (io_uring_major_version(), io_uring_minor_version()) };
    assert_eq!(
        version,
        (
            IO_URING_VERSION_MAJOR as c_int,
            IO_URING_VERSION_MINOR as c_int
        )
    );
    assert_eq!(LIBURING_UDATA_TIMEOUT, u64::MAX);
    assert_eq!(IORING_ZCRX_AREA_MASK, !((1 << 48) - 1));
    assert_eq!(size_of::<io_uring>(), 216);
    assert_eq!(size_of::<io_uring_sqe>(), 64);

    let mut ring = match Ring::new(8) {
        Ok(ring) => ring,
        // EPERM, ENOSYS
        Err(-1 | -38) => return ExitCode::from(77),
        Err(error) => panic!("no ring: {error}"),
    };
    let path = env::args()
        .nth(1)
        .expect("usage: liburing-bindings-test FILE");
    file(&mut ring, &path);
    timeout(&mut ring);
    stream(&mut ring);
    println!("Rust, through bindgen: a file, a timeout and a stream of provided buffers");
    ExitCode::SUCCESS
}
