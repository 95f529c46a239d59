/*
 * Around each call: calls by which the program itself would be at fault are left out, and so is what the two libraries
 * do differently on purpose. Each such exclusion is marked with DIFFERS and says why.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "fuzz.h"

static struct io_uring_params params_before[2];

static bool is(const char *name, const char *other)
{
    return strcmp(name, other) == 0;
}

static bool begins(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

static bool sets_up(const char *name)
{
    return begins(name, "io_uring_queue_init") || is(name, "io_uring_queue_mmap");
}

/* It asks the kernel and needs no ring memory, so it may be given a ring that is not set up: zeros. */
static bool takes_dead_ring(const char *name)
{
    return sets_up(name) || begins(name, "io_uring_register_") || begins(name, "io_uring_unregister_") ||
           strstr(name, "clone_buffers") || strstr(name, "_buf_ring") || is(name, "io_uring_enable_rings") ||
           is(name, "io_uring_ring_dontfork") || is(name, "io_uring_set_iowait") ||
           is(name, "io_uring_close_ring_fd") || is(name, "io_uring_get_probe_ring");
}

static void forget(int ring)
{
    if (w->sqe_ring == ring)
        w->sqe = NULL;
    if (w->cqe_ring == ring)
        w->seen_cqe = NULL;
    if (w->iter_ring == ring)
        w->iter_ring = -1;
}

static unsigned ready(int ring)
{
    return *w->ring[ring].cq.ktail - *w->ring[ring].cq.khead;
}

static unsigned mem_of(uint64_t address)
{
    for (unsigned i = 0; i < 2; i++)
        if (address >= (uintptr_t) w->mem[i] && address < (uintptr_t) w->mem[i] + MEM_SIZE)
            return i + 1;
    return 0;
}

static struct buf_ring *buf_ring_at(uint64_t address)
{
    for (unsigned i = 0; i < NR_BUF_RINGS; i++)
        if (address && (uintptr_t) w->buf_ring[i].ring == address)
            return &w->buf_ring[i];
    return NULL;
}

static struct buf_ring *free_buf_ring(void)
{
    for (unsigned i = 0; i < NR_BUF_RINGS; i++)
        if (!w->buf_ring[i].ring)
            return &w->buf_ring[i];
    return NULL;
}

static bool is_live_ring(int fd)
{
    for (unsigned i = 0; i < NR_RINGS; i++)
        if (w->live[i] && w->ring[i].ring_fd == fd)
            return true;
    return false;
}

/* DIFFERS: where the library finds the memory, ordinary pages will do, in one mapping; upstream wants huge ones. */
static bool needs_memory(const char *name, const uint64_t *a)
{
    if (is(name, "io_uring_queue_init"))
        return a[2] & IORING_SETUP_NO_MMAP;
    return is(name, "io_uring_queue_init_params") &&
           ((struct io_uring_params *) (uintptr_t) a[2])->flags & IORING_SETUP_NO_MMAP;
}

static bool may_set_up(const char *name, int ring, uint64_t *a)
{
    if (w->live[ring] || needs_memory(name, a))
        return false;
    memcpy(params_before, w->params, sizeof(w->params));
    if (is(name, "io_uring_queue_init")) {
        /* The idle time would be a second. */
        a[2] &= ~(uint64_t) IORING_SETUP_SQPOLL;
    } else if (is(name, "io_uring_queue_init_mem")) {
        unsigned mem = mem_of(a[3]);

        for (unsigned i = 0; i < NR_RINGS; i++)
            if (w->live[i] && w->in_mem[i] == mem)
                return false;
        if (a[4] > (uintptr_t) w->mem[mem - 1] + MEM_SIZE - a[3])
            a[4] = (uintptr_t) w->mem[mem - 1] + MEM_SIZE - a[3];
        memset(w->mem[mem - 1], 0, MEM_SIZE);
    } else if (is(name, "io_uring_queue_mmap")) {
        /* Parameters are those of the ring, or the descriptor is none of a ring. */
        if (is_live_ring((int) a[0]))
            return false;
        /* DIFFERS: completions of a polled ring are looked for in the kernel; upstream forgets to enter it. */
        if ((int) a[0] == w->setup_fd && w->setup_params.flags & IORING_SETUP_IOPOLL)
            return false;
        if ((int) a[0] == w->setup_fd)
            *(struct io_uring_params *) (uintptr_t) a[1] = w->setup_params;
        else if ((int) a[0] < FIRST_FILE || (int) a[0] > LISTENER || (int) a[0] == ZERO_FILE)
            return false;
        /* DIFFERS: SQEs of 4 GiB and more are refused; upstream asks for a mapping of what is left of the size. */
        if (((struct io_uring_params *) (uintptr_t) a[1])->sq_entries >= 1u << 25)
            return false;
    }
    return true;
}

static bool may_resize(int ring, struct io_uring_params *p)
{
    const struct io_uring *r = &w->ring[ring];

    /* DIFFERS: the array of SQE numbers is found where the kernel does not tell; upstream overwrites counters. */
    if (!(r->flags & IORING_SETUP_NO_SQARRAY))
        return false;
    /* DIFFERS: SQEs that were taken and not submitted are kept; upstream loses them. */
    if (r->sq.sqe_tail != *r->sq.ktail || *r->sq.ktail != *r->sq.khead)
        return false;
    /* DIFFERS: new rings are mapped as those of set-up; upstream does that by features that the kernel does not tell. */
    p->features = r->features;
    /* DIFFERS: with the descriptor closed it fails before the kernel acts; upstream's ring is lost. */
    return r->ring_fd != -1;
}

static bool may_use_cqes(const char *name, int ring, uint64_t *a)
{
    if (is(name, "io_uring_cqe_seen"))
        return (a[1] != (uintptr_t) w->seen_cqe || w->cqe_ring == ring) &&
               ready(ring) >= (((struct io_uring_cqe *) (uintptr_t) a[1])->flags & IORING_CQE_F_32 ? 2 : 1);
    if (is(name, "io_uring_cq_advance"))
        a[1] %= ready(ring) + 1;
    else if (is(name, "io_uring_buf_ring_cq_advance"))
        a[2] %= ready(ring) + 1;
    else if (is(name, "__io_uring_buf_ring_cq_advance"))
        a[2] %= ready(ring) + 1, a[3] &= 7;
    else if (is(name, "io_uring_peek_batch_cqe"))
        a[2] %= sizeof(w->cqe) / sizeof(w->cqe[0]) + 1;
    return true;
}

static bool may_use_buf_ring(const char *name, uint64_t *a)
{
    struct buf_ring *br;

    if (is(name, "io_uring_setup_buf_ring")) {
        /* DIFFERS: IOU_PBUF_RING_MMAP is taken; upstream fails. */
        a[3] &= ~(uint64_t) IOU_PBUF_RING_MMAP;
        return free_buf_ring() != NULL;
    }
    if (is(name, "io_uring_free_buf_ring")) {
        br = buf_ring_at(a[1]);
        a[1] = br ? a[1] : 0;
        a[2] = br ? br->entries : 0;
    } else if (is(name, "io_uring_buf_ring_add")) {
        br = buf_ring_at(a[0]);
        a[4] = (br ? br->entries : 64) - 1;
        a[2] = in_data(a[1], a[2] & 0xff) ? a[2] & 0xff : 0;
    } else if (is(name, "io_uring_buf_ring_advance")) {
        a[1] &= 7;
    }
    return true;
}

static bool may_register(uint64_t *a)
{
    unsigned opcode = (unsigned) a[1] & ~IORING_REGISTER_USE_REGISTERED_RING;

    /* The library would not know of it. */
    if (opcode == IORING_REGISTER_RESIZE_RINGS)
        return false;
    for (unsigned i = 0; i < NR_RINGS && opcode == IORING_UNREGISTER_RING_FDS; i++)
        if (w->live[i] && w->ring[i].ring_fd == -1)
            return false;
    if (in_data(a[2], 0) && !in_data(a[2], 4096))
        a[2] = (uintptr_t) w->data;
    return true;
}

static bool may_wait(const char *name, int ring, uint64_t *a)
{
    bool old = !(w->ring[ring].features & IORING_FEAT_EXT_ARG);
    unsigned pending = w->ring[ring].sq.sqe_tail - *w->ring[ring].sq.khead;

    /*
     * DIFFERS: where the kernel takes a part of the requests, because one is refused, the rest is submitted before the
     * wait; upstream leaves it in the SQ if the wait has a limit.
     */
    if (begins(name, "io_uring_submit_and_wait_") && pending > 1 && !(w->ring[ring].flags & IORING_SETUP_SUBMIT_ALL))
        return false;

    /* DIFFERS: nothing is published where the kernel has no such wait; upstream publishes and fails. */
    if (old && is(name, "io_uring_submit_and_wait_reg"))
        return false;
    for (unsigned i = 0; old && i < MAX_ARGS; i++)
        /*
         * DIFFERS: a timeout request of the library's own is taken back when the wait ends, and the results are those of
         * newer kernels; upstream leaves it pending.
         */
        if ((a[i] >= (uintptr_t) w->time && a[i] < (uintptr_t) &w->time[NR_TIMES]) || a[i] == UNMAPPED)
            return false;
    /* DIFFERS: the least time to wait is kept also without a limit; upstream forgets it. */
    if (is(name, "io_uring_submit_and_wait_min_timeout") && a[3] == 0)
        a[4] = 0;
    return true;
}

/* No part of what is published: it might end within a chain. */
static uint64_t whole(uint64_t to_submit)
{
    for (unsigned i = 0; i < NR_RINGS; i++) {
        unsigned published = w->live[i] ? *w->ring[i].sq.ktail - *w->ring[i].sq.khead : 0;

        if ((unsigned) to_submit != 0 && (unsigned) to_submit < published)
            to_submit = published;
    }
    return to_submit;
}

/* Microseconds after which a wait is interrupted, and again. */
#define WAIT_LIMIT 1000
/* The same while a submission thread may bring what is waited for. */
#define THREAD_WAIT_LIMIT 30000

static bool has_submission_thread(void)
{
    for (unsigned i = 0; i < NR_RINGS; i++)
        if (w->live[i] && w->ring[i].flags & IORING_SETUP_SQPOLL)
            return true;
    return false;
}

void limit_wait(const struct function *f, bool begin)
{
    int microseconds = !begin ? 0 : has_submission_thread() ? THREAD_WAIT_LIMIT : WAIT_LIMIT;
    const struct itimerval limit = {{0, microseconds}, {0, microseconds}};

    if (f->flags & BLOCKS)
        setitimer(ITIMER_REAL, &limit, NULL);
}

/*
 * A submission thread works meanwhile: a call that submits and looks for a completion must wait for that, and not for a
 * time that may pass before. The step after finds the thread asleep.
 */
static bool may_race(const char *name, uint64_t *a)
{
    if (!has_submission_thread())
        return true;
    if (begins(name, "io_uring_enter") || is(name, "io_uring_register") || is(name, "io_uring_submit_and_wait_reg"))
        return false;
    for (unsigned i = 0; i < MAX_ARGS; i++) {
        if (a[i] >= (uintptr_t) w->time && a[i] < (uintptr_t) &w->time[FIRST_LONG_TIME])
            a[i] = (uintptr_t) &w->time[FIRST_LONG_TIME];
        /* The wait is over before it begins. */
        if (a[i] == UNMAPPED && strstr(name, "wait"))
            return false;
    }
    if (begins(name, "io_uring_submit_and_wait_") && (unsigned) a[2] == 0)
        a[2] = 1;
    if (is(name, "__io_uring_get_cqe") && (unsigned) a[3] == 0)
        a[3] = 1;
    return true;
}

static bool may_use_message(const char *name, const uint64_t *a)
{
    return !is(name, "io_uring_recvmsg_validate") || in_data(a[0], 64);
}

static bool may_probe(const char *name, uint64_t *a)
{
    if (is(name, "io_uring_opcode_supported"))
        a[1] = (int) a[1] < 0 ? (uint64_t) -1 : a[1];
    else if (is(name, "io_uring_free_probe"))
        a[0] = (uintptr_t) w->probe;
    else if (is(name, "io_uring_get_probe"))
        /* DIFFERS: its ring limits the workers of a thread that had none before to 64; upstream's to 2. */
        return !w->probe && w->had_ring;
    else if (is(name, "io_uring_get_probe_ring"))
        return !w->probe;
    else if (is(name, "io_uring_register_probe"))
        a[2] = (unsigned) a[2] > 256 ? 256 + (a[2] & 1) * 1000 : a[2];
    return true;
}

/* DIFFERS: lengths that a request cannot carry are capped to what it transfers; upstream keeps their lower 32 bits. */
static void shorten(const char *name, uint64_t *a)
{
    static const char *const names[] = {"send", "sendto", "send_zc", "send_zc_fixed", "recv", "recv_multishot"};
    const uint64_t longest = 0x7ffff000;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is(name + strlen("io_uring_prep_"), names[i]) && a[3] > longest)
            a[3] &= 0xffff;
    if (is(name, "io_uring_prep_send_bundle") && a[2] > longest)
        a[2] &= 0xffff;
}

bool before(const char *name, uint64_t *a)
{
    int first = -1;

    if (begins(name, "io_uring_prep_"))
        shorten(name, a);
    if (begins(name, "io_uring_prep_") || begins(name, "io_uring_sqe_set_"))
        return true;
    tame_pending();
    for (unsigned i = 0; i < MAX_ARGS; i++) {
        int ring = ring_of((void *) (uintptr_t) a[i]);

        if (ring >= 0 && !w->live[ring] && !takes_dead_ring(name))
            return false;
        if (ring >= 0 && first < 0)
            first = ring;
    }
    if (!may_race(name, a))
        return false;
    if (strstr(name, "wait") && first >= 0 && w->live[first] && !may_wait(name, first, a))
        return false;
    if (sets_up(name))
        return may_set_up(name, first, a);
    if (strstr(name, "probe") || strstr(name, "opcode_supported"))
        return may_probe(name, a);
    if (is(name, "io_uring_resize_rings"))
        return may_resize(first, (struct io_uring_params *) (uintptr_t) a[1]);
    /* A ring that is known by its index only ends with that, in the background. */
    if (is(name, "io_uring_unregister_ring_fd"))
        return w->ring[first].ring_fd != -1;
    /* In memory that the parameters name there may be a ring. */
    if (is(name, "io_uring_setup"))
        return w->setup_fd == -1 && !(((struct io_uring_params *) (uintptr_t) a[1])->flags & IORING_SETUP_NO_MMAP);
    if (is(name, "io_uring_register"))
        return may_register(a);
    if (begins(name, "io_uring_register_files") && !strstr(name, "update")) {
        unsigned nr = (unsigned) a[is(name, "io_uring_register_files_tags") ? 3 : strstr(name, "sparse") ? 1 : 2];

        /* DIFFERS: the limit is raised to what is needed; upstream asks for more, which may be refused. */
        if (nr > FD_HARD_LIMIT - FD_LIMIT && nr <= FD_HARD_LIMIT)
            return false;
    }
    if (is(name, "io_uring_enter") || is(name, "io_uring_enter2"))
        a[1] = whole(a[1]);
    if (is(name, "__io_uring_get_cqe"))
        a[2] = whole(a[2]);
    if (is(name, "io_uring_cqe_iter_next"))
        return w->iter_ring >= 0;
    if (begins(name, "io_uring_recvmsg"))
        return may_use_message(name, a);
    if (first >= 0 && w->live[first] && !may_use_cqes(name, first, a))
        return false;
    if (strstr(name, "buf_ring"))
        return (w->live[first < 0 ? 0 : first] || !strstr(name, "cq_advance")) && may_use_buf_ring(name, a);
    return true;
}

static void after_set_up(const char *name, int ring, const uint64_t *a, int result)
{
    if (result < 0) {
        /* DIFFERS: a set-up that fails leaves zeros, and flags as given; upstream leaves what it had got to. */
        memset(&w->ring[ring], 0, sizeof(w->ring[ring]));
        memcpy(w->params, params_before, sizeof(w->params));
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct io_uring_params *p = &w->params[i];

        /* Where the library mapped memory is the kernel's choice. */
        if (p->sq_off.user_addr > 1 && !mem_of(p->sq_off.user_addr)) {
            p->sq_off.user_addr = p->cq_off.user_addr = 1;
        }
    }
    w->live[ring] = w->had_ring = true;
    w->mapped[ring] = is(name, "io_uring_queue_mmap");
    w->in_mem[ring] = is(name, "io_uring_queue_init_mem") ? mem_of(a[3]) : 0;
    if (w->mapped[ring]) {
        struct io_uring_sq *sq = &w->ring[ring].sq;

        /* DIFFERS: the array of SQE numbers is filled in; upstream leaves it zero. */
        for (unsigned i = 0; i < sq->ring_entries && !(w->ring[ring].flags & IORING_SETUP_NO_SQARRAY); i++)
            sq->array[i] = i;
        w->setup_fd = -1;
    }
}

static void after_exit(int ring)
{
    /* DIFFERS: the ring is as after failed set-up, so that exit may be called again; upstream leaves it as it was. */
    memset(&w->ring[ring], 0, sizeof(w->ring[ring]));
    w->live[ring] = false;
    w->in_mem[ring] = 0;
    forget(ring);
}

/* Lets submission threads finish and go to sleep, which makes what comes next independent of time. */
static void settle(void)
{
    for (unsigned i = 0; i < NR_RINGS; i++) {
        const struct io_uring *ring = &w->ring[i];

        if (!w->live[i] || !(ring->flags & IORING_SETUP_SQPOLL))
            continue;
        for (unsigned turn = 0; turn < 200000; turn++) {
            if (__atomic_load_n(ring->sq.khead, __ATOMIC_ACQUIRE) == *ring->sq.ktail &&
                __atomic_load_n(ring->sq.kflags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
                break;
            sched_yield();
        }
    }
}

uint64_t after(const char *name, const uint64_t *a, uint64_t result)
{
    int first = -1;

    for (unsigned i = 0; i < MAX_ARGS && first < 0; i++)
        first = ring_of((void *) (uintptr_t) a[i]);
    if (begins(name, "io_uring_prep_") || begins(name, "io_uring_sqe_set_"))
        return result;
    if (sets_up(name)) {
        after_set_up(name, first, a, (int) result);
    } else if (is(name, "io_uring_queue_exit")) {
        after_exit(first);
    } else if (is(name, "io_uring_resize_rings")) {
        forget(first);
    } else if (begins(name, "io_uring_get_sqe")) {
        w->sqe = (struct io_uring_sqe *) (uintptr_t) result;
        w->sqe_ring = first;
        if (w->sqe)
            w->sqe->user_data = w->next_user_data++;
    } else if (is(name, "io_uring_cqe_iter_init")) {
        w->iter_ring = first;
    } else if (is(name, "io_uring_setup") && (int) result >= 0) {
        w->setup_fd = (int) result;
        w->setup_params = *(struct io_uring_params *) (uintptr_t) a[1];
    } else if (is(name, "own_close") && (int) a[0] == w->setup_fd) {
        w->setup_fd = -1;
    } else if (begins(name, "io_uring_get_probe")) {
        w->probe = (struct io_uring_probe *) (uintptr_t) result;
    } else if (is(name, "io_uring_free_probe")) {
        w->probe = NULL;
    } else if (is(name, "io_uring_setup_buf_ring") && result) {
        *free_buf_ring() = (struct buf_ring) {(struct io_uring_buf_ring *) (uintptr_t) result, (unsigned) a[1]};
    } else if (is(name, "io_uring_free_buf_ring") && (int) result == 0 && buf_ring_at(a[1])) {
        buf_ring_at(a[1])->ring = NULL;
    } else if (begins(name, "io_uring_register_files") && (int) result < 0) {
        struct rlimit limit = {FD_LIMIT, FD_HARD_LIMIT};

        /* DIFFERS: a failed registration puts the limit on open descriptors back. */
        setrlimit(RLIMIT_NOFILE, &limit);
    } else if (begins(name, "io_uring_mlock_size") && ((int64_t) result > 0 || (int64_t) result == -EINVAL)) {
        /* DIFFERS: kernels that count rings as locked memory again are known; upstream answers 0 whatever is asked. */
        result = 0;
    }
    if (is(name, "io_uring_cqe_iter_next"))
        first = w->iter_ring;
    if (first >= 0 && w->live[first] && w->cqe[0]) {
        w->seen_cqe = w->cqe[0];
        w->cqe_ring = first;
    }
    if (w->sqe && w->live[w->sqe_ring] && w->ring[w->sqe_ring].sq.sqe_tail == *w->ring[w->sqe_ring].sq.ktail)
        w->sqe = NULL;
    settle();
    return result;
}
