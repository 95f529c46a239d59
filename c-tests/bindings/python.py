#!/usr/bin/env python3
"""Bind <liburing-ffi.h> through cffi, without a compiler, and do I/O on files and a pipe.

usage: python.py HEADER LIBRARY FILE

Exit status 77: io_uring is refused here.
"""

import errno
import os
import re
import sys

import cffi

# Types that the header takes from the C library and the kernel; "..." and a tag alone are types passed only by address.
SYSTEM = """
typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32; typedef unsigned long long __u64;
typedef signed char __s8; typedef short __s16; typedef int __s32; typedef long long __s64;
typedef __u64 __aligned_u64; typedef int __kernel_rwf_t; typedef unsigned int mode_t; typedef unsigned int socklen_t;
typedef long off_t; typedef long long loff_t; typedef unsigned int id_t; typedef int idtype_t;
typedef struct liburing_sigset sigset_t; typedef struct liburing_siginfo siginfo_t;
typedef struct liburing_cpus cpu_set_t;
struct iovec { void *iov_base; size_t iov_len; };
struct __kernel_timespec { long long tv_sec; long long tv_nsec; };
struct open_how { __u64 flags; __u64 mode; __u64 resolve; };
"""

BLOCK = 16384


def bind(header):
    """The header as cffi wants it: without preprocessor lines, with values as plain numbers."""
    with open(header) as file:
        text = file.read()
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    text = re.sub(r'^#ifdef __cplusplus\n(.*\n)*?#endif$', '', text, flags=re.M)
    text = re.sub(r'^#.*$', '', text, flags=re.M).replace('__extension__', '')
    text = re.sub(r'(0x[0-9a-f]+)U', r'\1', text)
    text = re.sub(r'\b(\d+)U\b', r'\1', text)
    ffi = cffi.FFI()
    ffi.cdef(SYSTEM + text)
    return ffi


class Ring:
    def __init__(self, ffi, lib, entries):
        self.ffi, self.lib = ffi, lib
        self.ring = ffi.new('struct io_uring *')
        result = lib.io_uring_queue_init(entries, self.ring, 0)
        if result:
            raise OSError(-result, os.strerror(-result))

    def sqe(self, data=0):
        sqe = self.lib.io_uring_get_sqe(self.ring)
        assert sqe != self.ffi.NULL, 'the submission queue is full'
        self.lib.io_uring_sqe_set_data64(sqe, data)
        return sqe

    def submit(self, count):
        assert self.lib.io_uring_submit_and_wait(self.ring, count) == count

    def complete(self):
        cqe = self.ffi.new('struct io_uring_cqe **')
        assert self.lib.io_uring_wait_cqe(self.ring, cqe) == 0
        seen = (self.lib.io_uring_cqe_get_data64(cqe[0]), cqe[0].res)
        self.lib.io_uring_cqe_seen(self.ring, cqe[0])
        return seen

    def walk(self):
        """The completions that are there now, by the iterator functions behind C's macro."""
        cqe = self.ffi.new('struct io_uring_cqe **')
        iterator = self.ffi.new('struct io_uring_cqe_iter *', self.lib.io_uring_cqe_iter_init(self.ring))
        seen = []
        while self.lib.io_uring_cqe_iter_next(iterator, cqe):
            seen.append((self.lib.io_uring_cqe_get_data64(cqe[0]), cqe[0].res))
        self.lib.io_uring_cq_advance(self.ring, len(seen))
        return seen

    def close(self):
        self.lib.io_uring_queue_exit(self.ring)


def file_job(ring, path):
    """Four blocks written at once, read back at once."""
    ffi, lib = ring.ffi, ring.lib
    data = os.urandom(4 * BLOCK)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        out = ffi.from_buffer(data)
        for block in range(4):
            lib.io_uring_prep_write(ring.sqe(block), fd, out + block * BLOCK, BLOCK, block * BLOCK)
        ring.submit(4)
        assert sorted(ring.walk()) == [(block, BLOCK) for block in range(4)]
        with open(path, 'rb') as file:
            assert file.read() == data, 'the file holds something else'

        back = bytearray(len(data))
        into = ffi.from_buffer(back)
        vectors = ffi.new('struct iovec[2]')
        for half in range(2):
            vectors[half].iov_base = into + half * 2 * BLOCK
            vectors[half].iov_len = 2 * BLOCK
        lib.io_uring_prep_readv(ring.sqe(9), fd, vectors, 2, 0)
        ring.submit(1)
        assert ring.complete() == (9, 4 * BLOCK)
        assert back == data, 'read back something else'
    finally:
        os.close(fd)


def pipe_job(ring):
    """A linked timeout ends a read of an empty pipe; then a read gets the data of a write."""
    ffi, lib = ring.ffi, ring.lib
    reader, writer = os.pipe()
    try:
        back = ffi.new('char[]', 64)
        time = ffi.new('struct __kernel_timespec *', {'tv_sec': 0, 'tv_nsec': 1000000})
        sqe = ring.sqe(1)
        lib.io_uring_prep_read(sqe, reader, back, 64, (1 << 64) - 1)
        lib.io_uring_sqe_set_data64(sqe, 1)
        lib.io_uring_sqe_set_flags(sqe, lib.IOSQE_IO_LINK)
        sqe = ring.sqe()
        lib.io_uring_prep_link_timeout(sqe, time, 0)
        lib.io_uring_sqe_set_data64(sqe, 2)
        ring.submit(2)
        assert dict([ring.complete(), ring.complete()]) == {1: -errno.ECANCELED, 2: -errno.ETIME}

        text = ffi.new('char[]', b'through a pipe')
        lib.io_uring_prep_read(ring.sqe(), reader, back, 64, (1 << 64) - 1)
        lib.io_uring_prep_write(ring.sqe(), writer, text, 14, (1 << 64) - 1)
        ring.submit(2)
        assert [result for _, result in ring.walk()] == [14, 14]
        assert ffi.string(back) == b'through a pipe'
    finally:
        os.close(reader)
        os.close(writer)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    ffi = bind(sys.argv[1])
    lib = ffi.dlopen(sys.argv[2])
    assert (lib.io_uring_major_version(), lib.io_uring_minor_version()) == (
        lib.IO_URING_VERSION_MAJOR, lib.IO_URING_VERSION_MINOR)
    assert lib.LIBURING_UDATA_TIMEOUT == (1 << 64) - 1
    for structure, size in ('io_uring', 216), ('io_uring_sqe', 64), ('io_uring_params', 120), ('io_uring_buf_reg', 40):
        assert ffi.sizeof(f'struct {structure}') == size, structure
    try:
        ring = Ring(ffi, lib, 8)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            sys.exit(77)
        raise
    file_job(ring, sys.argv[3])
    pipe_job(ring)
    ring.close()
    print('Python, through cffi: a file, a linked timeout and a pipe')


if __name__ == '__main__':
    main()
