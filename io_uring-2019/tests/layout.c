/* Every offset, size and constant of the headers. LIBRARY: those of liburing.h as well; SPLIT: of its first shape. */
#include <stddef.h>
#ifdef LIBRARY
#include "liburing.h"
#else
#include "io_uring.h"
#endif

#define HOLDS(condition) _Static_assert(condition, #condition)
#define AT(structure, member, offset, size)                                         \
    HOLDS(offsetof(struct structure, member) == offset);                            \
    HOLDS(sizeof(((struct structure *) 0)->member) == size)

#ifndef LINUX_IO_URING_H
#error the guard is another one
#endif

HOLDS(sizeof(struct io_uring_iocb) == 32);
AT(io_uring_iocb, opcode, 0, 1);
AT(io_uring_iocb, flags, 1, 1);
AT(io_uring_iocb, ioprio, 2, 2);
AT(io_uring_iocb, fd, 4, 4);
AT(io_uring_iocb, off, 8, 8);
AT(io_uring_iocb, addr, 16, 8);
AT(io_uring_iocb, __pad, 16, 8);
AT(io_uring_iocb, len, 24, 4);
AT(io_uring_iocb, rw_flags, 28, 4);
AT(io_uring_iocb, __resv, 28, 4);

HOLDS(sizeof(struct io_uring_event) == 16);
AT(io_uring_event, index, 0, 8);
AT(io_uring_event, res, 8, 4);
AT(io_uring_event, flags, 12, 4);

HOLDS(sizeof(struct io_sqring_offsets) == 40);
AT(io_sqring_offsets, head, 0, 4);
AT(io_sqring_offsets, tail, 4, 4);
AT(io_sqring_offsets, ring_mask, 8, 4);
AT(io_sqring_offsets, ring_entries, 12, 4);
AT(io_sqring_offsets, flags, 16, 4);
AT(io_sqring_offsets, dropped, 20, 4);
AT(io_sqring_offsets, array, 24, 4);
AT(io_sqring_offsets, resv, 28, 12);

HOLDS(sizeof(struct io_cqring_offsets) == 40);
AT(io_cqring_offsets, head, 0, 4);
AT(io_cqring_offsets, tail, 4, 4);
AT(io_cqring_offsets, ring_mask, 8, 4);
AT(io_cqring_offsets, ring_entries, 12, 4);
AT(io_cqring_offsets, overflow, 16, 4);
AT(io_cqring_offsets, events, 20, 4);
AT(io_cqring_offsets, resv, 24, 16);

HOLDS(sizeof(struct io_uring_params) == 112);
AT(io_uring_params, sq_entries, 0, 4);
AT(io_uring_params, cq_entries, 4, 4);
AT(io_uring_params, flags, 8, 4);
AT(io_uring_params, sq_thread_cpu, 12, 2);
AT(io_uring_params, resv, 14, 18);
AT(io_uring_params, sq_off, 32, 40);
AT(io_uring_params, cq_off, 72, 40);

HOLDS(IORING_SETUP_IOPOLL == 1);
HOLDS(IORING_SETUP_FIXEDBUFS == 2);
HOLDS(IORING_SETUP_SQTHREAD == 4);
HOLDS(IORING_SETUP_SQWQ == 8);
HOLDS(IORING_SETUP_SQPOLL == 16);
HOLDS(IORING_OP_READ == 1);
HOLDS(IORING_OP_WRITE == 2);
HOLDS(IORING_OP_FSYNC == 3);
HOLDS(IORING_OP_FDSYNC == 4);
HOLDS(IORING_OP_READ_FIXED == 5);
HOLDS(IORING_OP_WRITE_FIXED == 6);
HOLDS(IOEV_FLAG_CACHEHIT == 1);
HOLDS(IORING_OFF_SQ_RING == 0);
HOLDS(IORING_OFF_CQ_RING == 0x8000000);
HOLDS(IORING_OFF_IOCB == 0x10000000);
HOLDS(IORING_SQ_NEED_WAKEUP == 1);
HOLDS(IORING_ENTER_GETEVENTS == 1);

#ifdef LIBRARY
HOLDS(sizeof(struct io_uring_sq) == 80);
AT(io_uring_sq, khead, 0, 8);
AT(io_uring_sq, ktail, 8, 8);
AT(io_uring_sq, kring_mask, 16, 8);
AT(io_uring_sq, kring_entries, 24, 8);
AT(io_uring_sq, kflags, 32, 8);
AT(io_uring_sq, kdropped, 40, 8);
AT(io_uring_sq, array, 48, 8);
AT(io_uring_sq, iocbs, 56, 8);
AT(io_uring_sq, iocb_head, 64, 4);
AT(io_uring_sq, iocb_tail, 68, 4);
AT(io_uring_sq, ring_sz, 72, 8);

HOLDS(sizeof(struct io_uring_cq) == 56);
AT(io_uring_cq, khead, 0, 8);
AT(io_uring_cq, ktail, 8, 8);
AT(io_uring_cq, kring_mask, 16, 8);
AT(io_uring_cq, kring_entries, 24, 8);
AT(io_uring_cq, koverflow, 32, 8);
AT(io_uring_cq, events, 40, 8);
AT(io_uring_cq, ring_sz, 48, 8);

/* The prototypes, by assignment. */
int (*setup)(unsigned, struct iovec *, struct io_uring_params *) = io_uring_setup;
int (*enter)(unsigned, unsigned, unsigned, unsigned) = io_uring_enter;
#ifdef SPLIT
int (*init)(unsigned, struct io_uring_params *, struct iovec *, struct io_uring_sq *,
            struct io_uring_cq *) = io_uring_queue_init;
void (*quit)(int, struct io_uring_sq *, struct io_uring_cq *) = io_uring_queue_exit;
int (*get)(int, struct io_uring_cq *, struct io_uring_event **) = io_uring_get_completion;
int (*submit)(int, struct io_uring_sq *) = io_uring_submit;
struct io_uring_iocb *(*take)(struct io_uring_sq *) = io_uring_get_iocb;
#else
HOLDS(sizeof(struct io_uring) == 144);
AT(io_uring, sq, 0, 80);
AT(io_uring, cq, 80, 56);
AT(io_uring, ring_fd, 136, 4);
int (*init)(unsigned, struct io_uring_params *, struct iovec *, struct io_uring *) = io_uring_queue_init;
void (*quit)(struct io_uring *) = io_uring_queue_exit;
int (*get)(struct io_uring *, struct io_uring_event **) = io_uring_get_completion;
int (*wait_)(struct io_uring *, struct io_uring_event **) = io_uring_wait_completion;
int (*submit)(struct io_uring *) = io_uring_submit;
struct io_uring_iocb *(*take)(struct io_uring *) = io_uring_get_iocb;
struct io_uring_iocb *(*lead)(struct io_uring *, struct io_uring_event *) = io_uring_iocb_from_ev;
#endif
#endif

int main(void)
{
    return 0;
}
