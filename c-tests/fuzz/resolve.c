/* From what was drawn to the argument that is passed. */
#include "fuzz.h"

/* One of the elements of an array of the world; now and then nothing, or an address with nothing there. */
#define ONE_OF(array, raw) pointer_into((array), sizeof((array)[0]), sizeof(array) / sizeof((array)[0]), (raw))

/* For pointers that only the kernel follows. */
static uint64_t pointer_into(const void *array, size_t size, size_t count, uint64_t raw)
{
    if ((raw >> 32 & 31) == 31)
        return 0;
    if ((raw >> 32 & 31) == 30)
        return UNMAPPED;
    return (uintptr_t) array + raw % count * size;
}

static uint64_t descriptor(uint64_t raw)
{
    static const int others[] = {-1, 999, -100, 0, 1, 2, 3, 4, 5, 19, 20, FD_LIMIT - 2};
    unsigned number = raw & 31;

    if (number < 14)
        return (uint64_t) (int64_t) (FIRST_FILE + (int) (number % 9));
    if (number < 20)
        return (uint64_t) (int64_t) w->ring[number % NR_RINGS].ring_fd;
    if (number == 20)
        return (uint64_t) (int64_t) w->ring[0].enter_ring_fd;
    if (number == 21)
        return (uint64_t) (int64_t) w->setup_fd;
    return (uint64_t) (int64_t) others[(raw >> 8) % (sizeof(others) / sizeof(others[0]))];
}

uint64_t resolve(enum kind kind, uint64_t raw)
{
    switch (kind) {
    case K_RING:
        return (uintptr_t) &w->ring[raw % 16 < 12 ? 0 : raw % NR_RINGS];
    case K_SQE:
        return (uintptr_t) (w->sqe && raw % 16 ? w->sqe : &w->free_sqe[0]);
    case K_CQE:
        return w->seen_cqe ? (uintptr_t) w->seen_cqe : (uintptr_t) w->free_cqe;
    case K_CQE_OUT:
        return (uintptr_t) &w->cqe[0];
    case K_ITER:
        return (uintptr_t) &w->iter;
    case K_PARAMS:
        return (uintptr_t) &w->params[raw % 2];
    case K_PROBE:
        return w->probe && raw & 1 ? (uintptr_t) w->probe : (uintptr_t) w->free_probe;
    case K_BUF_RING:
        raw %= NR_BUF_RINGS + 1;
        return raw < NR_BUF_RINGS && w->buf_ring[raw].ring ? (uintptr_t) w->buf_ring[raw].ring : (uintptr_t) w->bufs;
    case K_TIME:
        return ONE_OF(w->time, raw);
    case K_SIGSET:
        return raw % 4 ? 0 : ONE_OF(w->sigset, raw >> 2);
    case K_IOVECS:
        return ONE_OF(w->iovec, raw % 16 ? 0 : raw);
    case K_FILES:
        return ONE_OF(w->files, raw);
    case K_INTS:
        return ONE_OF(w->ints, raw % 16 ? 0 : raw);
    case K_COUNTS:
        return (uintptr_t) &w->counts[raw % 4];
    case K_TAGS:
        return raw % 3 ? 0 : ONE_OF(w->tags, raw >> 2);
    case K_MSG:
        return (uintptr_t) &w->msg[raw % 2];
    case K_PATH:
        return ONE_OF(w->path, raw);
    case K_BUF_REG:
        return (uintptr_t) &w->buf_reg[raw % 2];
    case K_RESTRICTIONS:
        return ONE_OF(w->restriction, raw);
    case K_SYNC_CANCEL:
        return ONE_OF(w->sync_cancel, raw);
    case K_REGION:
        return (uintptr_t) &w->region;
    case K_MESSAGE:
    case K_CMSG:
        return (uintptr_t) w->data + raw % 32 * 8;
    case K_DATA:
        return pointer_into(w->data, 8, DATA_SIZE / 8, raw);
    case K_MEM:
        return (uintptr_t) w->mem[raw % 2] + (raw % 16 == 7 ? 64 : 0);
    case K_ENTER_ARG:
        return raw % 8 == 7 ? pointer_into(w->data, 8, 1, raw) : (uintptr_t) &w->enter_arg[raw % 2];
    case K_ERR:
        return (uintptr_t) &w->err;
    case K_HEAD:
        return (uintptr_t) &w->head;
    case K_FD:
    case K_RING_FD:
        return descriptor(raw);
    case K_WAIT_NR:
        /* Linux 6.18 waits for 2^31 completions in a busy loop that not even SIGKILL ends. */
        return raw & 0x7fffffff;
    default:
        return raw;
    }
}
