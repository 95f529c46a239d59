/* Helpers that bring a ring into the state that a row needs. */
#include "steps.h"

#include <liburing.h>
#include <unistd.h>

struct shared *shared;

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
