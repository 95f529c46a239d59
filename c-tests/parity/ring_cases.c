/* The functions that act on rings, buffer rings, CQEs and received messages. */
#include <string.h>

#include "parity.h"

#define CALL(name) ((__typeof__(&name)) fn)
#define BUF_RING ((struct io_uring_buf_ring *) (void *) w.bufs)
#define OUT ((struct io_uring_recvmsg_out *) (void *) w.buffer)

static uint64_t address(const void *pointer)
{
    return (uintptr_t) pointer;
}

/* Result and arguments of a function, by the kind of function. */
#define VALUE_OF_RING(name)                                   \
    static void call_##name(any_fn fn)                        \
    {                                                         \
        w.result = (uint64_t) CALL(name)(&w.ring);            \
    }
#define POINTER_OF_RING(name)                                 \
    static void call_##name(any_fn fn)                        \
    {                                                         \
        w.result = address(CALL(name)(&w.ring));              \
    }

VALUE_OF_RING(io_uring_sq_ready)
VALUE_OF_RING(io_uring_sq_space_left)
VALUE_OF_RING(io_uring_sqring_wait)
VALUE_OF_RING(io_uring_cq_ready)
VALUE_OF_RING(io_uring_cq_has_overflow)
VALUE_OF_RING(io_uring_cq_eventfd_enabled)
POINTER_OF_RING(io_uring_get_sqe)
POINTER_OF_RING(io_uring_get_sqe128)

/* Also with a full queue, which random counters seldom give. */
static void prepare_sq(void)
{
    make_ring();
    if (one_in(4))
        w.ring.sq.sqe_tail = w.sq_head + w.ring.sq.ring_entries - (unsigned) below(3);
}

static void call_io_uring_cq_eventfd_toggle(any_fn fn)
{
    w.result = (uint64_t) CALL(io_uring_cq_eventfd_toggle)(&w.ring, arg[0] & 1);
}

static void prepare_toggle(void)
{
    make_ring();
    arg[0] = bits();
}

static void call_io_uring_cq_advance(any_fn fn)
{
    CALL(io_uring_cq_advance)(&w.ring, (unsigned) arg[0]);
}

static void prepare_advance(void)
{
    make_ring();
    arg[0] = value();
    arg[1] = value();
    if (arg[0] == 0 && one_in(2))
        memset(&w.ring, 0, sizeof(w.ring));
}

static void call_io_uring_cqe_seen(any_fn fn)
{
    CALL(io_uring_cqe_seen)(&w.ring, arg[0] ? cqe_at(0) : NULL);
}

static void call_io_uring_cqe_nr(any_fn fn)
{
    w.result = CALL(io_uring_cqe_nr)(cqe_at(0));
}

static void call_io_uring_cqe_get_data(any_fn fn)
{
    w.result = address(CALL(io_uring_cqe_get_data)(cqe_at(0)));
}

static void call_io_uring_cqe_get_data64(any_fn fn)
{
    w.result = CALL(io_uring_cqe_get_data64)(cqe_at(0));
}

static void call_io_uring_cqe_iter_init(any_fn fn)
{
    w.iter = CALL(io_uring_cqe_iter_init)(&w.ring);
}

static void prepare_iter(void)
{
    make_ring();
    w.iter.cqes = w.ring.cq.cqes;
    w.iter.mask = w.ring.cq.ring_mask;
    w.iter.shift = (unsigned) below(2);
    w.iter.head = w.cq_head;
    w.iter.tail = w.cq_tail;
}

/* As far as it goes. */
static void call_io_uring_cqe_iter_next(any_fn fn)
{
    w.result = 0;
    while (w.result < ENTRIES && CALL(io_uring_cqe_iter_next)(&w.iter, &w.cqe))
        w.result = w.result + 1 + (address(w.cqe) << 32);
}

static void call___io_uring_peek_cqe(any_fn fn)
{
    w.result = (uint64_t) CALL(__io_uring_peek_cqe)(&w.ring, &w.cqe, arg[0] & 1 ? &w.count : NULL);
}

static void call_io_uring_peek_cqe(any_fn fn)
{
    w.result = (uint64_t) CALL(io_uring_peek_cqe)(&w.ring, &w.cqe);
}

static void call_io_uring_wait_cqe(any_fn fn)
{
    w.result = (uint64_t) CALL(io_uring_wait_cqe)(&w.ring, &w.cqe);
}

static void call_io_uring_wait_cqe_nr(any_fn fn)
{
    w.result = (uint64_t) CALL(io_uring_wait_cqe_nr)(&w.ring, &w.cqe, (unsigned) arg[0] & 3);
}

static void call_io_uring_opcode_supported(any_fn fn)
{
    w.result = (uint64_t) CALL(io_uring_opcode_supported)((struct io_uring_probe *) (void *) w.probe, (int) arg[0]);
}

static void prepare_probe(void)
{
    arg[0] = one_in(2) ? value() : below(256);
}

static void prepare_buf_ring(void)
{
    make_ring();
    arg[0] = value();                 /* address, or a count */
    arg[1] = value();                 /* length, or another count */
    arg[2] = value();                 /* number */
    arg[3] = (1u << below(7)) - 1;    /* mask */
    arg[4] = one_in(2) ? below(ENTRIES) : value();
}

static void call_io_uring_buf_ring_mask(any_fn fn)
{
    w.result = (uint64_t) CALL(io_uring_buf_ring_mask)((__u32) arg[0]);
}

static void call_io_uring_buf_ring_init(any_fn fn)
{
    CALL(io_uring_buf_ring_init)(BUF_RING);
}

static void call_io_uring_buf_ring_add(any_fn fn)
{
    CALL(io_uring_buf_ring_add)(BUF_RING, (void *) (uintptr_t) arg[0], (unsigned) arg[1], (unsigned short) arg[2],
                                (int) arg[3], (int) arg[4]);
}

static void call_io_uring_buf_ring_advance(any_fn fn)
{
    CALL(io_uring_buf_ring_advance)(BUF_RING, (int) arg[0]);
}

static void call_io_uring_buf_ring_cq_advance(any_fn fn)
{
    CALL(io_uring_buf_ring_cq_advance)(&w.ring, BUF_RING, (int) arg[0]);
}

static void call___io_uring_buf_ring_cq_advance(any_fn fn)
{
    CALL(__io_uring_buf_ring_cq_advance)(&w.ring, BUF_RING, (int) arg[0], (int) arg[1]);
}

/* The function asks the kernel, which has no such ring. parity.c also tests one that exists. */
static void call_io_uring_buf_ring_available(any_fn fn)
{
    w.result = (uint64_t) CALL(io_uring_buf_ring_available)(&w.ring, BUF_RING, (unsigned short) arg[2]);
}

/* A message whose parts lie inside the buffer, with one of its control messages in arg[1]. */
static void prepare_message(void)
{
    struct cmsghdr *cmsg;

    w.msg.msg_namelen = (socklen_t) (8 * below(8));
    w.msg.msg_controllen = 8 * below(16);
    OUT->controllen = (__u32) (one_in(8) ? below(16) : 8 * below(16));
    OUT->namelen = (__u32) below(64);
    arg[0] = one_in(4) ? value() : below(sizeof(w.buffer));
    arg[1] = w.msg.msg_namelen + 8 * below(16);
    cmsg = (struct cmsghdr *) (void *) ((char *) (OUT + 1) + arg[1]);
    for (char *at = (char *) cmsg; at + sizeof(struct cmsghdr) <= (char *) (w.buffer + 64); at += sizeof(size_t)) {
        size_t len = one_in(3) ? below(16) : below(64);

        memcpy(at, &len, sizeof(len));
    }
}

/* Lengths of every size. The sum of a length and an address must not pass the end of memory. */
static void prepare_lengths(void)
{
    w.msg.msg_namelen = (socklen_t) (one_in(2) ? below(64) : value());
    w.msg.msg_controllen = (size_t) (one_in(2) ? below(64) : value() >> 17);
    arg[0] = one_in(2) ? below(200) : value();
    /* The buffer ends at the end of one of the parts, or near it. */
    if (one_in(2)) {
        w.msg.msg_namelen %= 256;
        w.msg.msg_controllen %= 256;
        arg[0] = sizeof(*OUT) + w.msg.msg_namelen + (one_in(2) ? w.msg.msg_controllen : 0) + below(3) - 1;
    }
}

static void prepare_any_length(void)
{
    prepare_lengths();
    if (one_in(2))
        w.msg.msg_controllen = (size_t) value();
}

static void call_io_uring_recvmsg_validate(any_fn fn)
{
    w.result = address(CALL(io_uring_recvmsg_validate)(w.buffer, (int) arg[0], &w.msg));
}

static void call_io_uring_recvmsg_name(any_fn fn)
{
    w.result = address(CALL(io_uring_recvmsg_name)(OUT));
}

static void call_io_uring_recvmsg_payload(any_fn fn)
{
    w.result = address(CALL(io_uring_recvmsg_payload)(OUT, &w.msg));
}

static void call_io_uring_recvmsg_payload_length(any_fn fn)
{
    w.result = CALL(io_uring_recvmsg_payload_length)(OUT, (int) arg[0], &w.msg);
}

static void call_io_uring_recvmsg_cmsg_firsthdr(any_fn fn)
{
    w.result = address(CALL(io_uring_recvmsg_cmsg_firsthdr)(OUT, &w.msg));
}

static void call_io_uring_recvmsg_cmsg_nexthdr(any_fn fn)
{
    struct cmsghdr *cmsg = (struct cmsghdr *) (void *) ((char *) (OUT + 1) + arg[1]);

    w.result = address(CALL(io_uring_recvmsg_cmsg_nexthdr)(OUT, &w.msg, cmsg));
}

#define CASE(name, prepare) {#name, (any_fn) name, prepare, call_##name}

const struct ring_case ring_cases[] = {
    CASE(io_uring_sq_ready, prepare_sq),
    CASE(io_uring_sq_space_left, prepare_sq),
    CASE(io_uring_sqring_wait, prepare_sq),
    CASE(io_uring_get_sqe, prepare_sq),
    CASE(io_uring_get_sqe128, prepare_sq),
    CASE(io_uring_cq_ready, make_ring),
    CASE(io_uring_cq_has_overflow, make_ring),
    CASE(io_uring_cq_eventfd_enabled, make_ring),
    CASE(io_uring_cq_eventfd_toggle, prepare_toggle),
    CASE(io_uring_cq_advance, prepare_advance),
    CASE(io_uring_cqe_seen, prepare_advance),
    CASE(io_uring_cqe_nr, make_ring),
    CASE(io_uring_cqe_get_data, make_ring),
    CASE(io_uring_cqe_get_data64, make_ring),
    CASE(io_uring_cqe_iter_init, make_ring),
    CASE(io_uring_cqe_iter_next, prepare_iter),
    CASE(__io_uring_peek_cqe, prepare_toggle),
    CASE(io_uring_peek_cqe, make_ring),
    CASE(io_uring_wait_cqe, make_ring),
    CASE(io_uring_wait_cqe_nr, prepare_toggle),
    CASE(io_uring_opcode_supported, prepare_probe),
    CASE(io_uring_buf_ring_mask, prepare_buf_ring),
    CASE(io_uring_buf_ring_init, prepare_buf_ring),
    CASE(io_uring_buf_ring_add, prepare_buf_ring),
    CASE(io_uring_buf_ring_advance, prepare_buf_ring),
    CASE(io_uring_buf_ring_cq_advance, prepare_buf_ring),
    CASE(__io_uring_buf_ring_cq_advance, prepare_buf_ring),
    CASE(io_uring_buf_ring_available, prepare_buf_ring),
    CASE(io_uring_recvmsg_validate, prepare_any_length),
    CASE(io_uring_recvmsg_name, prepare_message),
    CASE(io_uring_recvmsg_payload, prepare_lengths),
    CASE(io_uring_recvmsg_payload_length, prepare_lengths),
    CASE(io_uring_recvmsg_cmsg_firsthdr, prepare_message),
    CASE(io_uring_recvmsg_cmsg_nexthdr, prepare_message),
};
const unsigned nr_ring_cases = sizeof(ring_cases) / sizeof(ring_cases[0]);
