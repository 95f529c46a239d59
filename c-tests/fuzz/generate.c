/* Random sequences: mostly rings that are set up, requests that are prepared, submitted and reaped; else anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"

static uint64_t state;
static struct step *out;
static unsigned nr_out;

/* SplitMix64. */
static uint64_t bits(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t limit)
{
    return bits() % limit;
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

#define PICK(array) ((array)[below(sizeof(array) / sizeof((array)[0]))])

static uint64_t number(void)
{
    static const uint64_t edges[] = {
        0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe,
        0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe, 0xffffffffffffffff,
    };

    switch (below(8)) {
    case 0:
        return PICK(edges);
    case 1:
        return bits() >> below(64);
    case 2:
        return 1ull << below(64);
    case 3:
        return below(64);
    default:
        return below(4);
    }
}

static uint64_t set_up_flags(void)
{
    static const unsigned sets[] = {
        0, 0, 0, IORING_SETUP_COOP_TASKRUN, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_R_DISABLED,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_CQE32, IORING_SETUP_SQE128,
        IORING_SETUP_SUBMIT_ALL, IORING_SETUP_IOPOLL, IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER,
        IORING_SETUP_CLAMP, IORING_SETUP_CQSIZE, IORING_SETUP_CQE_MIXED, IORING_SETUP_SQE_MIXED,
        IORING_SETUP_NO_SQARRAY, IORING_SETUP_NO_MMAP, IORING_SETUP_NO_MMAP | IORING_SETUP_REGISTERED_FD_ONLY,
        IORING_SETUP_SQPOLL, IORING_SETUP_ATTACH_WQ, IORING_SETUP_HYBRID_IOPOLL | IORING_SETUP_IOPOLL,
        IORING_SETUP_SQ_REWIND, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    };
    uint64_t flags = one_in(24) ? bits() >> below(64) : PICK(sets);

    if (one_in(3))
        flags |= PICK(sets);
    /* A submission thread takes time to go to sleep. */
    if (flags & IORING_SETUP_SQPOLL && !one_in(4))
        flags &= ~(uint64_t) IORING_SETUP_SQPOLL;
    return flags;
}

/* What mostly makes sense, so that calls which build upon each other get somewhere. */
static uint64_t draw_mildly(enum kind kind)
{
    static const unsigned resizes[] = {0, 0, IORING_SETUP_CLAMP, IORING_SETUP_CQSIZE};

    switch (kind) {
    case K_FD:
        return one_in(3) ? 14 : one_in(2) ? 4 : below(9);
    case K_RING_FD:
        return 14;
    case K_ENTRIES:
        return 4u << below(4);
    case K_SETUP_FLAGS:
        return PICK(resizes);
    case K_SMALL:
        return one_in(3) ? 2 : one_in(3) ? 0 : 1;
    case K_NUMBER:
        return below(3) ? below(2) : number();
    case K_BUF_RING:
    case K_USER_DATA:
    case K_TAGS:
        return bits();
    case K_WAIT_NR:
        return below(3);
    case K_LENGTH:
        return below(128);
    default:
        return 0;
    }
}

static uint64_t draw(enum kind kind, bool fills)
{
    static const unsigned entries[] = {0, 1, 2, 3, 4, 4, 4, 8, 8, 8, 8, 16, 16, 31, 64, 64, 200, 4096};
    static const unsigned many_entries[] = {32768, 32769, 65536, 0x7fffffff, 0x80000000, 0xffffffff};
    static const unsigned operations[] = {0, 0, 4, 5, 6, 7, 11, 12, 13, 14, 22, 23, 26, 27, 31, 32, 38, 40, 45, 54};
    static const unsigned enter_flags[] = {0, 1, 1, 2, 4, 8, 9, 16, 24, 32, 33, 64, 65, 72, 88, 128};
    static const unsigned sqe_flags[] = {0, 0, 1, 2, 4, 8, 16, 32, 64, 4, 4};
    static const unsigned masks[] = {1, 4, 5, 0x10, 0x2000, 0x80000001, 0};

    switch (kind) {
    case K_ENTRIES:
        return one_in(24) ? PICK(many_entries) : PICK(entries);
    case K_SETUP_FLAGS:
        return set_up_flags();
    case K_SQE_FLAGS:
        return one_in(8) ? number() : PICK(sqe_flags);
    case K_WAIT_NR:
        return one_in(12) ? number() : below(3);
    case K_LENGTH:
        return one_in(fills ? 3 : 2) ? number() : 1 + below(128);
    case K_MEM_SIZE:
        return one_in(4) ? number() : 4096ull << below(5);
    case K_USER_DATA:
        return one_in(3) ? number() : one_in(12) ? ~0ull : 0x100 + below(24);
    case K_SQE_OP:
        return one_in(4) ? number() : PICK(operations);
    case K_REGISTER_OP:
        return one_in(16) ? number() : below(40) | (one_in(8) ? 1u << 31 : 0);
    case K_SMALL:
        return one_in(8) ? number() : below(6);
    case K_RING_FD:
        return one_in(4) ? bits() : 14 + below(6);
    case K_OFFSET:
        return one_in(2) ? number() : 0;
    case K_POLL_MASK:
        return one_in(3) ? number() : PICK(masks);
    case K_ENTER_FLAGS:
        return one_in(16) ? number() : PICK(enter_flags);
    case K_ENTER_SIZE:
        return one_in(8) ? number() : one_in(2) ? 24 : one_in(2) ? 8 : 64;
    case K_MIN_WAIT:
        return one_in(4) ? below(50) : 0;
    case K_BUF_RING_FLAGS:
        return one_in(8) ? number() : one_in(4) ? 2 : one_in(8);
    case K_NUMBER:
    case K_MASK:
        return number();
    default:
        return bits();
    }
}

int find_function(const char *name)
{
    for (unsigned i = 0; i < nr_functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return (int) i;
    fprintf(stderr, "fuzz: there is no function %s\n", name);
    exit(2);
}

static struct step *add(unsigned function, uint64_t ring, bool mildly)
{
    const struct function *f = &functions[function];
    struct step *step = &out[nr_out];

    if (nr_out == MAX_STEPS)
        return NULL;
    nr_out++;
    step->function = (uint16_t) function;
    for (unsigned i = 0; i < MAX_ARGS; i++) {
        enum kind kind = i < f->nr_args ? f->kinds[i] : K_NOTHING;

        step->raw[i] = kind == K_NOTHING ? 0 : mildly ? draw_mildly(kind) : draw(kind, f->flags & FILLS);
        if (kind == K_RING && (i == 0 || f->kinds[0] != K_RING) && !one_in(16))
            step->raw[i] = ring;
        else if (kind == K_RING)
            step->raw[i] = bits();
        if (kind == K_SQE && f->flags & FILLS && !mildly)
            step->raw[i] |= 1;
    }
    return step;
}

static void add_named(const char *name, uint64_t ring)
{
    add((unsigned) find_function(name), ring, false);
}

static unsigned any_filler(void)
{
    unsigned number;

    do
        number = (unsigned) below(nr_functions);
    while (!(functions[number].flags & FILLS));
    return number;
}

/* Operations that complete at once or when the sequence makes them. */
static const char *const timely[] = {
    "io_uring_prep_nop", "io_uring_prep_nop", "io_uring_prep_read", "io_uring_prep_write", "io_uring_prep_poll_add",
    "io_uring_prep_poll_multishot", "io_uring_prep_timeout", "io_uring_prep_timeout_remove", "io_uring_prep_cancel64",
    "io_uring_prep_cancel_fd", "io_uring_prep_send", "io_uring_prep_recv", "io_uring_prep_recv_multishot",
    "io_uring_prep_read_multishot", "io_uring_prep_readv", "io_uring_prep_writev", "io_uring_prep_msg_ring",
    "io_uring_prep_link_timeout", "io_uring_prep_files_update", "io_uring_prep_provide_buffers", "io_uring_prep_close",
    "io_uring_prep_close_direct", "io_uring_prep_socket", "io_uring_prep_socket_direct", "io_uring_prep_pipe",
    "io_uring_prep_read_fixed", "io_uring_prep_write_fixed", "io_uring_prep_sendmsg", "io_uring_prep_recvmsg",
    "io_uring_prep_poll_remove", "io_uring_prep_poll_update", "io_uring_prep_multishot_accept",
    "io_uring_prep_fixed_fd_install", "io_uring_prep_remove_buffers", "io_uring_prep_epoll_ctl",
};

static const char *const submits[] = {
    "io_uring_submit", "io_uring_submit", "io_uring_submit", "io_uring_submit_and_wait",
    "io_uring_submit_and_get_events",
    "io_uring_submit_and_wait_timeout", "io_uring_submit_and_wait_timeout", "io_uring_submit_and_wait_min_timeout",
    "io_uring_submit_and_wait_reg", "io_uring_wait_cqe_timeout", "io_uring_wait_cqes", "__io_uring_get_cqe",
};

static const char *const reaps[] = {
    "io_uring_peek_cqe", "io_uring_peek_cqe", "io_uring_wait_cqe", "io_uring_wait_cqe_nr", "io_uring_wait_cqes",
    "io_uring_wait_cqes_min_timeout", "io_uring_wait_cqe_timeout", "io_uring_peek_batch_cqe", "__io_uring_peek_cqe",
    "io_uring_cqe_iter_init", "io_uring_get_events", "io_uring_cq_ready", "io_uring_cq_has_overflow",
};

static const char *const sees[] = {
    "io_uring_cqe_seen", "io_uring_cqe_seen", "io_uring_cqe_seen", "io_uring_cq_advance",
    "io_uring_buf_ring_cq_advance",
    "io_uring_cqe_iter_next", "io_uring_cqe_iter_next", "io_uring_cqe_get_data64", "io_uring_cqe_nr",
};

static const char *const set_ups[] = {
    "io_uring_queue_init", "io_uring_queue_init", "io_uring_queue_init_params", "io_uring_queue_init_params",
    "io_uring_queue_init_mem", "io_uring_setup", "io_uring_queue_exit",
};

/* Calls that need each other. */
static const char *const chains[][8] = {
    {"io_uring_register_buffers", "io_uring_register_buffers_update_tag", "io_uring_unregister_buffers"},
    {"io_uring_register_buffers_sparse", "io_uring_register_buffers_update_tag", "io_uring_clone_buffers_offset"},
    {"io_uring_register_buffers_tags", "io_uring_clone_buffers", "__io_uring_clone_buffers"},
    {"io_uring_register_files", "io_uring_register_files_update", "io_uring_register_file_alloc_range"},
    {"io_uring_register_files_tags", "io_uring_register_files_update_tag", "io_uring_unregister_files"},
    {"io_uring_register_files_sparse", "io_uring_register_file_alloc_range", "io_uring_register_files_update"},
    {"io_uring_setup_buf_ring", "io_uring_buf_ring_add", "io_uring_buf_ring_advance", "io_uring_buf_ring_available",
     "io_uring_buf_ring_head"},
    {"io_uring_setup_buf_ring", "io_uring_buf_ring_add", "io_uring_buf_ring_cq_advance", "io_uring_free_buf_ring"},
    {"own_set_buf_reg", "io_uring_register_buf_ring", "io_uring_buf_ring_head", "io_uring_unregister_buf_ring"},
    {"io_uring_register_ring_fd", "io_uring_close_ring_fd"},
    {"io_uring_register_ring_fd", "io_uring_submit", "io_uring_unregister_ring_fd"},
    {"own_set_params", "io_uring_resize_rings"},
    {"own_set_params", "io_uring_resize_rings", "io_uring_get_sqe", "io_uring_submit"},
    {"own_set_sync_cancel", "io_uring_register_sync_cancel"},
    {"io_uring_register_eventfd", "io_uring_cq_eventfd_toggle", "io_uring_unregister_eventfd"},
    {"io_uring_register_eventfd_async", "io_uring_cq_eventfd_enabled", "io_uring_unregister_eventfd"},
    {"io_uring_register_personality", "io_uring_unregister_personality"},
    {"own_set_restrictions", "io_uring_register_restrictions", "io_uring_enable_rings"},
    {"own_set_region", "io_uring_register_region", "io_uring_enable_rings", "io_uring_submit_and_wait_reg"},
    {"io_uring_register_iowq_aff", "io_uring_unregister_iowq_aff", "io_uring_register_iowq_max_workers"},
    {"io_uring_register_napi", "io_uring_unregister_napi", "io_uring_register_clock"},
    {"io_uring_prep_msg_ring", "io_uring_register_sync_msg", "io_uring_peek_cqe"},
    {"io_uring_get_probe_ring", "io_uring_opcode_supported", "io_uring_free_probe"},
    {"io_uring_register_probe", "io_uring_opcode_supported"},
};

static void add_chain(uint64_t ring)
{
    const char *const *chain = PICK(chains);

    for (unsigned i = 0; i < 8 && chain[i]; i++)
        add((unsigned) find_function(chain[i]), ring, !one_in(8));
}

static void add_set_up(uint64_t ring)
{
    const char *name = PICK(set_ups);

    if (strcmp(name, "io_uring_queue_exit") == 0 && !one_in(6))
        name = "io_uring_queue_init";
    if (strcmp(name, "io_uring_queue_init")) {
        add_named("own_set_params", ring);
        if (nr_out)
            out[nr_out - 1].raw[0] = 0;
    }
    add_named(name, ring);
    for (unsigned i = 0; i < functions[out[nr_out - 1].function].nr_args; i++)
        if (functions[out[nr_out - 1].function].kinds[i] == K_PARAMS)
            out[nr_out - 1].raw[i] = 0;
    if (strcmp(name, "io_uring_setup") == 0) {
        add_named("io_uring_queue_mmap", ring);
        /* The descriptor of the ring that was just made. */
        out[nr_out - 1].raw[0] = 21;
    }
    if (one_in(10))
        add_named("own_hide_features", ring);
}

static void add_requests(uint64_t ring)
{
    for (unsigned count = 1 + (unsigned) below(one_in(4) ? 10 : 3); count; count--) {
        add_named(one_in(12) ? "io_uring_get_sqe128" : "io_uring_get_sqe", ring);
        if (!one_in(12))
            add(one_in(4) ? any_filler() : (unsigned) find_function(PICK(timely)), ring, false);
        if (one_in(5))
            add_named("io_uring_sqe_set_flags", ring);
        if (one_in(10))
            add_named(one_in(2) ? "io_uring_sqe_set_buf_group" : "io_uring_sqe_set_data64", ring);
    }
    if (!one_in(6))
        add_named(PICK(submits), ring);
}

unsigned generate(uint64_t seed, uint64_t number, struct step *steps)
{
    unsigned wanted = 24 + (unsigned) (number * 37 % 112);

    state = seed * 0xd1342543de82ef95u ^ number * 0x2545f4914f6cdd1du;
    out = steps;
    nr_out = 0;
    add_set_up(0);
    if (one_in(3))
        add_set_up(13);
    while (nr_out < wanted) {
        uint64_t ring = one_in(5) ? 12 + below(4) : 0;

        switch (below(14)) {
        case 0:
            if (one_in(3))
                add_set_up(ring);
            break;
        case 1:
        case 2:
        case 3:
            add_requests(ring);
            break;
        case 4:
        case 5:
            add_named(PICK(reaps), ring);
            add_named(PICK(sees), ring);
            break;
        case 6:
            add_named(one_in(2) ? "own_write" : "own_read", ring);
            break;
        case 7:
        case 8:
            add_chain(ring);
            break;
        default:
            add((unsigned) below(nr_functions), ring, false);
        }
    }
    return nr_out;
}
