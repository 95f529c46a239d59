/*
 * Prints, as rows of Rust source, what the running kernel refuses of each opcode: a request that it takes is submitted
 * again and again, each time with one field or flag more, and its result compared. Files are made in the current folder.
 *
 * usage: refusals < names of the opcodes, in their order
 */
#include "requests.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As helpers.py numbers them. */
enum field { OFF, ADDR, LEN, OP_FLAGS, IOPRIO, BUFFER, FILE_INDEX, ADDR3, FIELDS };

/* More than a request of another kind: no completion came. */
#define NOTHING (1 << 30)
#define MINE 0x11

static struct io_uring ring;
static unsigned set_up_flags;
static bool open_already, in_flight;
/* Descriptors from here on are closed after each request. */
static int first_own;

static void open_ring(unsigned flags)
{
    struct iovec vector = { memory, SIZE };
    int failed, fds[8] = { file, -1, -1, -1, -1, -1, -1, -1 };

    if (open_already) {
        io_uring_free_buf_ring(&ring, buffers, 8, GROUP);
        io_uring_queue_exit(&ring);
    }
    MUST(io_uring_queue_init(8, &ring, flags) == 0);
    MUST(io_uring_register_buffers(&ring, &vector, 1) == 0);
    MUST(io_uring_register_files(&ring, fds, 8) == 0);
    buffers = io_uring_setup_buf_ring(&ring, 8, GROUP, 0, &failed);
    MUST(buffers != NULL);
    set_up_flags = flags;
    open_already = true;
    in_flight = false;
    first_own = dup(file);
    close(first_own);
}

static void nothing_left(void)
{
    close_range(first_own, ~0U, 0);
    /* What is still in flight goes with its ring. */
    if (in_flight)
        open_ring(set_up_flags);
}

static void put(struct io_uring_sqe *sqe, enum field field, uint64_t value)
{
    switch (field) {
    case OFF:
        sqe->off = value;
        break;
    case ADDR:
        sqe->addr = value;
        break;
    case LEN:
        sqe->len = value;
        break;
    case OP_FLAGS:
        sqe->rw_flags = value;
        break;
    case IOPRIO:
        sqe->ioprio = value;
        break;
    case BUFFER:
        sqe->buf_index = value;
        break;
    case FILE_INDEX:
        sqe->file_index = value;
        break;
    case ADDR3:
        sqe->addr3 = value;
        break;
    default:
        MUST(!"a field");
    }
}

/* The result of the request with MINE, or NOTHING. */
static int result(void)
{
    struct io_uring_cqe *cqe;
    struct timespec before, now;
    bool stays = false;
    int res = NOTHING;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    do {
        io_uring_get_events(&ring);
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            if (cqe->user_data == MINE && !(cqe->flags & IORING_CQE_F_NOTIF)) {
                res = cqe->res;
                stays = cqe->flags & IORING_CQE_F_MORE;
            }
            io_uring_cqe_seen(&ring, cqe);
        }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (res == NOTHING && (now.tv_sec - before.tv_sec) * 1000 + (now.tv_nsec - before.tv_nsec) / 1000000 < 100);
    in_flight = res == NOTHING || stays;
    return res;
}

enum form { FIRST, SECOND };

/* The result of a request of this opcode with a value in one field, unless that is FIELDS, and with these flags. */
static int formed(enum form form, unsigned op, enum field field, uint64_t value, unsigned flags)
{
    struct io_uring_sqe request, *sqe;
    int res;

    memset(&request, 0, sizeof(request));
    if (form == FIRST)
        MUST(valid(op, &request));
    else if (!another(op, &request))
        return -EINVAL;
    if (field != FIELDS)
        put(&request, field, value);
    request.flags |= flags;
    request.user_data = MINE;
    if (op == IORING_OP_LINK_TIMEOUT) {
        sqe = io_uring_get_sqe(&ring);
        io_uring_prep_nop(sqe);
        sqe->flags |= IOSQE_IO_LINK;
        sqe->user_data = 0;
    }
    sqe = io_uring_get_sqe(&ring);
    MUST(sqe != NULL);
    *sqe = request;
    MUST(io_uring_submit(&ring) >= 1);
    res = result();
    io_uring_cq_advance(&other, io_uring_cq_ready(&other));
    nothing_left();
    return res;
}

static int with(unsigned op, enum field field, uint64_t value, unsigned flags)
{
    return formed(FIRST, op, field, value, flags);
}

static unsigned width(enum field field)
{
    switch (field) {
    case IOPRIO:
    case BUFFER:
        return 16;
    case OFF:
    case ADDR:
    case ADDR3:
        return 64;
    default:
        return 32;
    }
}

/* What a field's value does: nothing, or whatever is in its lower half is refused, or something. */
enum effect { IGNORED, REFUSED, HEEDED };

static enum effect effect(unsigned op, enum field field, int usual)
{
    const uint64_t values[] = { (uintptr_t) more, 3, 0x180, 0x7fff, 0x80808080, ~0ULL };
    unsigned bits = width(field), same = 0, refused = 0, cut_off = 0, all = bits + sizeof(values) / sizeof(values[0]);

    for (unsigned i = 0; i < all; i++) {
        uint64_t value = i < bits ? 1ULL << i : values[i - bits];
        int res = with(op, field, value, 0);

        refused += res == -EINVAL;
        same += res == usual;
        /* Of some fields the kernel takes the lower half. */
        cut_off += res == usual && !(uint32_t) value;
    }
    return same == all ? IGNORED : refused + cut_off == all ? REFUSED : HEEDED;
}

/* Whether bits of a field are refused in each form of the opcode. */
static bool refuses(unsigned op, enum field field, uint64_t bits)
{
    int selected = with(op, field, bits, IOSQE_BUFFER_SELECT);

    return with(op, field, bits, 0) == -EINVAL && (selected == -EINVAL || selected == -EOPNOTSUPP)
        && formed(SECOND, op, field, bits, 0) == -EINVAL;
}

/* The bits that the kernel refuses there, alone and with any other. */
static uint32_t refused_bits(unsigned op, enum field field)
{
    unsigned bits = width(field);
    uint32_t refused = 0;

    for (unsigned bit = 0; bit < bits; bit++) {
        bool always = true;

        for (unsigned second = 0; always && second < bits; second++)
            always = refuses(op, field, 1ULL << bit | 1ULL << second);
        refused |= always ? 1U << bit : 0;
    }
    return refused;
}

/* Flags that the files, sockets and memory of a request decide on, not the opcode; and numbers, which are no flags. */
static bool decided_elsewhere(unsigned op)
{
    switch (op) {
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_SEND_ZC:
    case IORING_OP_SENDMSG_ZC:
    case IORING_OP_RECV:
    case IORING_OP_RECVMSG:
    case IORING_OP_FADVISE:
    case IORING_OP_MADVISE:
        return true;
    default:
        return false;
    }
}

/* Flags of any SQE that are refused. */
static unsigned refused_flags(unsigned op, int usual)
{
    static const unsigned flags[] = { IOSQE_FIXED_FILE, IOSQE_BUFFER_SELECT, IOSQE_CQE_SKIP_SUCCESS };
    unsigned refused = 0;

    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        int res = with(op, FIELDS, 0, flags[i]);

        if (res != usual && (res == -EINVAL || res == -EBADF || res == -EOPNOTSUPP))
            refused |= flags[i];
    }
    return refused;
}

/* Flags of the C library, whose numbers differ from one architecture to another. */
static const struct {
    unsigned op;
    const char *name;
    uint32_t flag;
} named[] = {
#define NAMED(op, name) { op, #name, name }
    NAMED(IORING_OP_ACCEPT, SOCK_CLOEXEC),
    NAMED(IORING_OP_ACCEPT, SOCK_NONBLOCK),
    NAMED(IORING_OP_PIPE, O_CLOEXEC),
    NAMED(IORING_OP_PIPE, O_DIRECT),
    /* As O_NOTIFICATION_PIPE. */
    NAMED(IORING_OP_PIPE, O_EXCL),
    NAMED(IORING_OP_PIPE, O_NONBLOCK),
};

/* The refused flags of an opcode: their number, or all but those that have a name. */
static void print_flags(unsigned op, uint32_t refused)
{
    const char *before = "!(";
    uint32_t taken = 0;

    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (named[i].op == op && !(refused & named[i].flag)) {
            printf("%slibc::%s", before, named[i].name);
            before = " | ";
            taken |= named[i].flag;
        }
    }
    if (!taken) {
        printf("%#x", refused);
        return;
    }
    if (~refused != taken)
        fprintf(stderr, "refusals: opcode %u takes %#x as well: name it\n", op, ~refused & ~taken);
    MUST(~refused == taken);
    printf(") as u32");
}

static void print_bits(unsigned fields)
{
    printf("0b");
    for (unsigned field = FIELDS; field-- > 0;)
        putchar('0' + (fields >> field & 1));
}

int main(void)
{
    char name[64];

    memory = page();
    more = page();
    signal(SIGXFSZ, SIG_IGN);
    MUST(setrlimit(RLIMIT_FSIZE, &(struct rlimit) { 1 << 20, 1 << 20 }) == 0);
    MUST(mkdir("directory", 0700) == 0);
    file = open("file", O_RDWR | O_CREAT, 0600);
    MUST(file >= 0 && write(file, memory, SIZE) == SIZE);
    MUST(io_uring_queue_init(256, &other, 0) == 0);
    for (unsigned op = 0; op < IORING_OP_LAST; op++) {
        unsigned fields = 0, heeded = 0, flags, op_flags = 0, ioprio, len = 0;
        struct io_uring_sqe probe;
        bool iopoll;
        int usual;

        MUST(scanf("%63s", name) == 1);
        memset(&probe, 0, sizeof(probe));
        open_ring(0);
        if (!valid(op, &probe)) {
            nothing_left();
            printf("    (%s, None),\n", name);
            continue;
        }
        nothing_left();
        usual = with(op, FIELDS, 0, 0);
        if (usual == -EINVAL || usual == NOTHING) {
            fprintf(stderr, "refusals: %s: the kernel does not take the request: %d\n", name, usual);
            return 1;
        }
        for (enum field field = 0; field < FIELDS; field++) {
            enum effect what = effect(op, field, usual);

            fields |= (what == REFUSED) << field;
            heeded |= (what == HEEDED) << field;
        }
        if (!decided_elsewhere(op))
            op_flags = refused_bits(op, OP_FLAGS);
        ioprio = refused_bits(op, IOPRIO);
        if (op == IORING_OP_POLL_ADD || op == IORING_OP_POLL_REMOVE)
            len = refused_bits(op, LEN);
        flags = refused_flags(op, usual);
        open_ring(IORING_SETUP_IOPOLL);
        iopoll = with(op, FIELDS, 0, 0) == -EINVAL;
        printf("    (%s, Some(Refuses { fields: ", name);
        print_bits(fields);
        printf(", heeded: ");
        print_bits(heeded);
        printf(", op_flags: ");
        print_flags(op, op_flags);
        printf(", ioprio: %#x, len: %#x, flags: %#x, iopoll: %s })),\n", ioprio, len, flags, iopoll ? "true" : "false");
    }
    return 0;
}
