/* All rows. Compiled once with each library's headers, and linked to that library. */
#include "steps-rows.h"

#include <liburing.h>

ROW void nothing(struct io_uring *ring) { (void) ring; }

void run_rows(void)
{
    struct io_uring ring;

    check(io_uring_queue_init(64, &ring, 0) == 0, "setting a ring up");
    COUNT("nothing", nothing(&ring));
    count_queues(&ring);
    count_cycles(&ring);
    count_inlines(&ring);
    count_buf_ring(&ring);
    count_preps();
    count_register(&ring);
    io_uring_queue_exit(&ring);
    count_setup();
}
