// Does I/O through Zig's translation of <liburing.h>: a file, a chain of requests, a timeout, a provided buffer ring.
//
// usage: main FILE

const c = @import("liburing.zig");

// Takes the address of every function of the header.
comptime {
    _ = @import("every_function.zig");
}

fn must(holds: bool, what: [*:0]const u8) void {
    if (holds) return;
    _ = c.printf("FAIL: Zig: %s\n", what);
    c.exit(1);
}

fn nextSqe(ring: *c.struct_io_uring, data: u64) *c.struct_io_uring_sqe {
    const sqe: ?*c.struct_io_uring_sqe = c.io_uring_get_sqe(ring);
    must(sqe != null, "the submission queue is full");
    c.io_uring_sqe_set_data64(sqe.?, data);
    return sqe.?;
}

// Takes the next completion, which must be of the request with this data, and returns its result.
fn reap(ring: *c.struct_io_uring, data: u64, flags: ?*u32) c_int {
    var cqe: [*c]c.struct_io_uring_cqe = null;
    must(c.io_uring_wait_cqe(ring, &cqe) == 0, "io_uring_wait_cqe");
    must(c.io_uring_cqe_get_data64(cqe) == data, "the completion of another request");
    const result = cqe[0].res;
    if (flags) |to| to.* = cqe[0].flags;
    c.io_uring_cqe_seen(ring, cqe);
    return result;
}

// Writes a file and reads it back; links keep the order.
fn file(ring: *c.struct_io_uring, path: [*c]const u8) void {
    var back: [5]u8 = undefined;
    const fd = c.open(path, c.O_RDWR | c.O_CREAT | c.O_TRUNC, @as(c_uint, 0o600));
    must(fd >= 0, "open");

    const write = nextSqe(ring, 1);
    c.io_uring_prep_write(write, fd, "hello", 5, 0);
    c.io_uring_sqe_set_flags(write, c.IOSQE_IO_LINK);
    c.io_uring_prep_read(nextSqe(ring, 2), fd, &back, back.len, 0);
    must(c.io_uring_sq_ready(ring) == 2, "io_uring_sq_ready");
    must(c.io_uring_submit_and_wait(ring, 2) == 2, "io_uring_submit_and_wait");
    must(c.io_uring_cq_ready(ring) == 2, "io_uring_cq_ready");
    must(reap(ring, 1, null) == 5, "write");
    must(reap(ring, 2, null) == 5, "read");
    must(c.memcmp(&back, "hello", 5) == 0, "other data than were written");
    must(c.io_uring_cq_ready(ring) == 0, "io_uring_cq_ready at the end");

    c.io_uring_prep_close(nextSqe(ring, 3), fd);
    must(c.io_uring_submit(ring) == 1, "io_uring_submit");
    must(reap(ring, 3, null) == 0, "close");
}

fn timeout(ring: *c.struct_io_uring) void {
    var cqe: [*c]c.struct_io_uring_cqe = null;
    var time = c.struct___kernel_timespec{ .tv_sec = 0, .tv_nsec = 1000000 };

    must(c.io_uring_peek_cqe(ring, &cqe) == -c.EAGAIN, "io_uring_peek_cqe");
    c.io_uring_prep_timeout(nextSqe(ring, 4), &time, 0, 0);
    must(c.io_uring_submit(ring) == 1, "io_uring_submit");
    must(reap(ring, 4, null) == -c.ETIME, "timeout");
}

// A read from a pipe into a buffer that the kernel picks.
fn buffers(ring: *c.struct_io_uring) void {
    const entries = 4;
    var bytes: [entries][16]u8 = undefined;
    var fds: [2]c_int = undefined;
    var err: c_int = 0;
    var flags: u32 = 0;

    const group: ?*c.struct_io_uring_buf_ring = c.io_uring_setup_buf_ring(ring, entries, 7, 0, &err);
    if (group == null) {
        must(err == -c.EINVAL, "io_uring_setup_buf_ring");
        return; // before Linux 5.19
    }
    const mask = c.io_uring_buf_ring_mask(entries);
    var i: c_int = 0;
    while (i < entries) : (i += 1)
        c.io_uring_buf_ring_add(group.?, &bytes[@intCast(i)], 16, @intCast(i), mask, i);
    c.io_uring_buf_ring_advance(group.?, entries);

    must(c.pipe(&fds) == 0 and c.write(fds[1], "in a pipe", 9) == 9, "pipe");
    const sqe = nextSqe(ring, 5);
    c.io_uring_prep_read(sqe, fds[0], null, 16, 0);
    c.io_uring_sqe_set_flags(sqe, c.IOSQE_BUFFER_SELECT);
    c.io_uring_sqe_set_buf_group(sqe, 7);
    must(c.io_uring_submit(ring) == 1, "io_uring_submit");
    must(reap(ring, 5, &flags) == 9, "read from a pipe");
    must(flags & c.IORING_CQE_F_BUFFER != 0, "no buffer was picked");
    must(c.memcmp(&bytes[flags >> c.IORING_CQE_BUFFER_SHIFT], "in a pipe", 9) == 0, "other data in the buffer");
    must(c.io_uring_free_buf_ring(ring, group.?, entries, 7) == 0, "io_uring_free_buf_ring");
    _ = c.close(fds[0]);
    _ = c.close(fds[1]);
}

pub export fn main(argc: c_int, argv: [*c][*c]u8) c_int {
    var ring: c.struct_io_uring = undefined;
    must(argc == 2, "usage: main FILE");
    const ret = c.io_uring_queue_init(8, &ring, 0);
    if (ret == -c.EPERM or ret == -c.ENOSYS) return 77;
    must(ret == 0, "io_uring_queue_init");
    file(&ring, argv[1]);
    timeout(&ring);
    buffers(&ring);
    c.io_uring_queue_exit(&ring);
    _ = c.printf("Zig, through liburing.h: a file, a timeout and a provided buffer\n");
    return 0;
}
