//! The memory that reads and writes transfer.

use crate::request::Req;
use crate::sys;

/// The vector that the program names.
pub fn program_vectors(req: &Req) -> &[libc::iovec] {
    let at: *mut libc::iovec = req.address();
    if req.sqe.len == 0 {
        return &[];
    }
    // SAFETY: the program vouches for the vector until the request is submitted; afterwards the copy is used.
    unsafe { std::slice::from_raw_parts(at, req.sqe.len as usize) }
}

/// The memory to transfer, from what has been transferred on.
pub fn with_vectors<T>(req: &Req, then: impl FnOnce(&[libc::iovec]) -> T) -> T {
    from(req, req.done, then)
}

/// The same from so many bytes on.
fn from<T>(req: &Req, done: usize, then: impl FnOnce(&[libc::iovec]) -> T) -> T {
    // At first the kernel cuts off what is too much for a request.
    let most = if done == 0 {
        usize::MAX
    } else {
        sys::MOST_BYTES
    };
    if let Some(picked) = &req.picked {
        return then(&[rest(picked.address, picked.length.min(most), done)]);
    }
    if !req.is_vector() {
        let address = req.address::<u8>().addr();
        let length = (req.sqe.len as usize).min(most);
        return then(&[rest(address, length, done)]);
    }
    let vectors = match &req.stable {
        Some(stable) => &stable.iovecs,
        None => program_vectors(req),
    };
    if done == 0 {
        return then(vectors);
    }
    let (mut skip, mut room) = (done, most.saturating_sub(done));
    let left: Vec<_> = vectors
        .iter()
        .filter_map(|vector| {
            let skipped = skip.min(vector.iov_len);
            skip -= skipped;
            let length = vector.iov_len.min(skipped.saturating_add(room));
            room -= length - skipped;
            (skipped < length).then(|| rest(vector.iov_base.addr(), length, skipped))
        })
        .collect();
    then(&left)
}

fn rest(address: usize, length: usize, done: usize) -> libc::iovec {
    libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(address + done),
        iov_len: length - done,
    }
}

/// Bytes that are left to transfer after so many.
fn left(req: &Req, done: usize) -> usize {
    from(req, done, |vectors| {
        vectors
            .iter()
            .map(|vector| vector.iov_len)
            .fold(0, usize::saturating_add)
            .min(sys::MOST_BYTES.saturating_sub(done))
    })
}

/// Bytes that are left to transfer.
pub fn wanted(req: &Req) -> usize {
    left(req, req.done)
}

/// Whether so many bytes are less than a request asks for, and that matters to what comes of it.
pub fn is_part(req: &Req, transferred: usize) -> bool {
    req.minds_part() && left(req, 0) != transferred
}
