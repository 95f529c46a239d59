/* All rows, and what their files share. Compiled once with each library's headers, and linked to that library. */
#include "steps.h"

#include <liburing.h>
#include <stdlib.h>
#include <unistd.h>

void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: %s went wrong\n", shared->name, what);
        _exit(3);
    }
}

void take_nops(struct io_uring *ring, unsigned nr)
{
    while (nr--)
        io_uring_prep_nop(io_uring_get_sqe(ring));
}

/* Puts `nr` completions into the CQ. */
void complete(struct io_uring *ring, unsigned nr)
{
    take_nops(ring, nr);
    check(io_uring_submit_and_wait(ring, nr) == (int) nr, "completing");
}

void drain(struct io_uring *ring)
{
    io_uring_cq_advance(ring, io_uring_cq_ready(ring));
}

ROW void nothing(struct io_uring *ring) { (void) ring; }

void run_rows(void)
{
    struct io_uring ring;

    check(io_uring_queue_init(64, &ring, 0) == 0, "setting a ring up");
    COUNT("nothing", nothing(&ring));
    count_queues(&ring);
    count_inlines(&ring);
    count_buf_ring(&ring);
    count_preps();
    count_register(&ring);
    io_uring_queue_exit(&ring);
    count_setup();
}
