/*
 * The functions and macros of the header that no library has. Each is compared with a second description of its effect.
 */
#include <string.h>

#include "parity.h"

static struct world before;

static void random_sqe(void)
{
    for (unsigned i = 0; i < sizeof(w.sqes[0]); i++)
        ((unsigned char *) w.sqes)[i] = (unsigned char) bits();
    before = w;
}

/* The SQE is unchanged, except for these bytes. */
static bool sqe_has(unsigned offset, const void *bytes, unsigned length)
{
    memcpy((char *) before.sqes + offset, bytes, length);
    return memcmp(&w, &before, sizeof(w)) == 0;
}

static bool pointer_is_address(void)
{
    uint64_t address = value();

    return uring_ptr_to_u64((const void *) (uintptr_t) address) == (uintptr_t) address;
}

static bool target_counts_from_one(void)
{
    __u32 slot = (__u32) value(), number = slot + 1;

    random_sqe();
    __io_uring_set_target_fixed_file(w.sqes, slot);
    return sqe_has(44, &number, sizeof(number));
}

static bool poll_mask_has_halves_in_order(void)
{
    unsigned mask = (unsigned) value(), carried = __io_uring_prep_poll_mask(mask);
    unsigned char bytes[4];
    __u16 low;

    /* Kernels that read only 16 bits find the lower half first. */
    memcpy(bytes, &carried, sizeof(bytes));
    memcpy(&low, bytes, sizeof(low));
    return low == (__u16) mask && (carried == mask || carried == (mask << 16 | mask >> 16));
}

static bool uring_cmd_sets_common_fields(void)
{
    uint64_t op = value(), cmd_op = value(), fd = value();
    struct io_uring_sqe wanted;

    random_sqe();
    __io_uring_prep_uring_cmd(w.sqes, (int) op, (__u32) cmd_op, (int) fd);
    wanted = before.sqes[0];
    ((unsigned char *) &wanted)[0] = (unsigned char) op;
    wanted.fd = (int) fd;
    memset((char *) &wanted + 8, 0, 20);
    wanted.cmd_op = (__u32) cmd_op;
    return sqe_has(0, &wanted, sizeof(wanted));
}

static bool initialize_clears_the_rest(void)
{
    /* All but opcode, fd, off, addr, len and user_data. */
    static const struct {
        unsigned from, to;
    } cleared[] = {{1, 4}, {28, 32}, {40, 64}};
    struct io_uring_sqe wanted;

    random_sqe();
    io_uring_initialize_sqe(w.sqes);
    wanted = before.sqes[0];
    for (unsigned i = 0; i < 3; i++)
        memset((char *) &wanted + cleared[i].from, 0, cleared[i].to - cleared[i].from);
    return sqe_has(0, &wanted, sizeof(wanted));
}

static bool shifts_follow_flags(void)
{
    unsigned flags = (unsigned) bits();

    make_ring();
    return io_uring_sqe_shift_from_flags(flags) == (flags >> 10 & 1) &&
           io_uring_cqe_shift_from_flags(flags) == (flags >> 11 & 1) &&
           io_uring_sqe_shift(&w.ring) == (w.ring.flags >> 10 & 1) &&
           io_uring_cqe_shift(&w.ring) == (w.ring.flags >> 11 & 1);
}

static bool sq_head_is_loaded(void)
{
    make_ring();
    return io_uring_load_sq_head(&w.ring) == w.sq_head;
}

/* The same as the symbol that both libraries have. */
static bool get_sqe_is_the_symbol(void)
{
    struct io_uring_sqe *(*symbol)(struct io_uring *) = (struct io_uring_sqe * (*)(struct io_uring *))
        library_fn("io_uring_get_sqe");
    struct world after;
    struct io_uring_sqe *sqe;

    make_ring();
    before = w;
    sqe = _io_uring_get_sqe(&w.ring);
    after = w;
    w = before;
    return symbol(&w.ring) == sqe && memcmp(&w, &after, sizeof(w)) == 0;
}

static bool skip_takes_internal_cqes(void)
{
    struct io_uring_cqe *cqe = cqe_at(0);
    bool filler, timeout, skipped;
    int err, first = (int) value();

    make_ring();
    filler = cqe->flags & IORING_CQE_F_SKIP;
    timeout = cqe->user_data == ~(uint64_t) 0 && !(w.ring.features & IORING_FEAT_EXT_ARG);
    before = w;
    err = first;
    skipped = io_uring_skip_cqe(&w.ring, cqe, &err);
    if (!filler && timeout && cqe->res < 0)
        first = cqe->res;
    if (filler || timeout)
        before.cq_head += cqe->flags & IORING_CQE_F_32 ? 2 : 1;
    return err == first && skipped == ((filler || timeout) && err == 0) && memcmp(&w, &before, sizeof(w)) == 0;
}

/* The loop visits what the functions of the library under test visit, also inside another loop. */
static bool loop_walks(void)
{
    struct io_uring_cqe_iter (*init)(const struct io_uring *) =
        (struct io_uring_cqe_iter(*)(const struct io_uring *)) library_fn("io_uring_cqe_iter_init");
    bool (*next)(struct io_uring_cqe_iter *, struct io_uring_cqe **) =
        (bool (*)(struct io_uring_cqe_iter *, struct io_uring_cqe **)) library_fn("io_uring_cqe_iter_next");
    struct io_uring_cqe_iter iter;
    struct io_uring_cqe *cqe, *inner, *wanted;
    unsigned head, inner_head, first;
    bool good = true;

    make_ring();
    iter = init(&w.ring);
    first = iter.head;
    io_uring_for_each_cqe(&w.ring, head, cqe) {
        good = good && head == iter.head && next(&iter, &wanted) && wanted == cqe;
        io_uring_for_each_cqe(&w.ring, inner_head, inner) {
            good = good && inner_head == first;
            break;
        }
    }
    return good && head == iter.tail && !next(&iter, &wanted);
}

static bool version_is_compared(void)
{
    int major = (int) below(4), minor = (int) below(20);
    bool newer = major > IO_URING_VERSION_MAJOR || (major == IO_URING_VERSION_MAJOR && minor > IO_URING_VERSION_MINOR);

    return IO_URING_CHECK_VERSION(major, minor) == newer;
}

static bool barriers_move_values(void)
{
    unsigned number = (unsigned) bits(), other = 0;
    void *pointer = &number, *copy = NULL;
    unsigned short narrow = 0;

    IO_URING_WRITE_ONCE(other, number);
    io_uring_smp_mb();
    io_uring_smp_store_release(&copy, pointer);
    io_uring_smp_store_release(&narrow, (unsigned short) number);
    return IO_URING_READ_ONCE(other) == number && io_uring_smp_load_acquire(&copy) == pointer &&
           io_uring_smp_load_acquire(&narrow) == (unsigned short) number;
}

const struct local_case local_cases[] = {
    {"uring_ptr_to_u64", pointer_is_address},
    {"__io_uring_set_target_fixed_file", target_counts_from_one},
    {"__io_uring_prep_poll_mask", poll_mask_has_halves_in_order},
    {"__io_uring_prep_uring_cmd", uring_cmd_sets_common_fields},
    {"io_uring_initialize_sqe", initialize_clears_the_rest},
    {"io_uring_sqe_shift", shifts_follow_flags},
    {"io_uring_cqe_shift", shifts_follow_flags},
    {"io_uring_sqe_shift_from_flags", shifts_follow_flags},
    {"io_uring_cqe_shift_from_flags", shifts_follow_flags},
    {"io_uring_load_sq_head", sq_head_is_loaded},
    {"_io_uring_get_sqe", get_sqe_is_the_symbol},
    {"io_uring_skip_cqe", skip_takes_internal_cqes},
    {"io_uring_for_each_cqe", loop_walks},
    {"IO_URING_CHECK_VERSION", version_is_compared},
    {"io_uring_smp_load_acquire", barriers_move_values},
};
const unsigned nr_local_cases = sizeof(local_cases) / sizeof(local_cases[0]);
