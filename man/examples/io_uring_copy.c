/* Copies a file with several requests in flight. Each slot has a block of
 * its own, which it reads, then writes; then it takes the next block.
 * user_data leads from a completion to its slot. With two names it copies
 * the one to the other; without, a file of its own.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS 8
#define BLOCK 65536

struct slot {
    __u64 offset;       /* of the block in both files */
    unsigned size;      /* of the block */
    unsigned done;      /* bytes of it that were read, or written */
    int writing;
    char data[BLOCK];
};

struct copying {
    struct io_uring ring;
    int from, to;
    __u64 next, size;   /* where the next block begins; the file's size */
    unsigned in_flight;
    int error;          /* the first one, as a negative errno */
};

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

/* Prepares the rest of what the slot is doing. There is an SQE: the ring
 * has one for each slot, and a slot has one request at a time. */
static void go_on(struct copying *c, struct slot *slot)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
    char *data = slot->data + slot->done;
    unsigned size = slot->size - slot->done;
    __u64 offset = slot->offset + slot->done;

    if (slot->writing)
        io_uring_prep_write(sqe, c->to, data, size, offset);
    else
        io_uring_prep_read(sqe, c->from, data, size, offset);
    io_uring_sqe_set_data(sqe, slot);
    c->in_flight++;
}

/* Gives the slot the next block, if there is one. */
static void next_block(struct copying *c, struct slot *slot)
{
    __u64 left = c->size - c->next;

    if (left == 0 || c->error)
        return;
    slot->offset = c->next;
    slot->size = left < BLOCK ? (unsigned) left : BLOCK;
    slot->done = 0;
    slot->writing = 0;
    c->next += slot->size;
    go_on(c, slot);
}

/* Handles the result of the slot's request. After an error nothing new is
 * begun. */
static void completed(struct copying *c, struct slot *slot, int res)
{
    c->in_flight--;
    if (res == -EINTR && !c->error) {
        go_on(c, slot);
        return;
    }
    /* 0: the file became shorter meanwhile, or nothing can be written. */
    if (res <= 0 && !c->error)
        c->error = res < 0 ? res : -EIO;
    if (c->error)
        return;
    slot->done += (unsigned) res;
    if (slot->done < slot->size) {
        go_on(c, slot);
    } else if (!slot->writing) {
        slot->writing = 1;
        slot->done = 0;
        go_on(c, slot);
    } else {
        next_block(c, slot);
    }
}

/* Returns 0 or a negative errno. No request is in flight afterwards. */
static int copy(struct copying *c)
{
    static struct slot slots[SLOTS];
    struct io_uring_cqe *cqe;
    int i, ret;

    for (i = 0; i < SLOTS; i++)
        next_block(c, &slots[i]);
    while (c->in_flight > 0) {
        ret = io_uring_submit_and_wait(&c->ring, 1);
        if (ret != -EINTR)
            ok(ret, "io_uring_submit_and_wait");
        while (io_uring_peek_cqe(&c->ring, &cqe) == 0) {
            struct slot *slot = io_uring_cqe_get_data(cqe);
            int res = cqe->res;

            io_uring_cqe_seen(&c->ring, cqe);
            completed(c, slot, res);
        }
    }
    return c->error;
}

int main(int argc, char *argv[])
{
    static struct copying c;
    struct stat status;
    char byte = 0;

    if (argc == 3) {
        c.from = open(argv[1], O_RDONLY);
        c.to = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    } else {
        c.from = memfd_create("from", 0);
        c.to = memfd_create("to", 0);
        if (pwrite(c.from, "x", 1, 3000000) != 1)
            err(1, "pwrite");
    }
    if (c.from < 0 || c.to < 0 || fstat(c.from, &status) < 0)
        err(1, "open");
    c.size = (__u64) status.st_size;
    ok(io_uring_queue_init(SLOTS, &c.ring, 0), "io_uring_queue_init");
    ok(copy(&c), "copy");
    io_uring_queue_exit(&c.ring);
    if (argc != 3 && (pread(c.to, &byte, 1, 3000000) != 1 || byte != 'x'))
        errx(1, "the copy is not complete");
    /* Some file systems report that a write failed only now. */
    if (close(c.to) < 0)
        err(1, "close");
    return 0;
}
