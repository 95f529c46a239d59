/* At most two worker threads for files and four for sockets, on the first
 * CPU only.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

static int skip(const char *reason)
{
    printf("SKIP: %s\n", reason);
    return 77;
}

int main(void)
{
    unsigned limits[2] = { 2, 4 };
    struct io_uring ring;
    cpu_set_t cpus;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_iowq_max_workers(&ring, limits);
    if (ret == -EINVAL)
        return skip("needs Linux 5.15");
    ok(ret, "io_uring_register_iowq_max_workers");
    printf("before: %u and %u\n", limits[0], limits[1]);

    /* Zeros change nothing and ask. */
    limits[0] = limits[1] = 0;
    ok(io_uring_register_iowq_max_workers(&ring, limits),
       "io_uring_register_iowq_max_workers");
    if (limits[0] != 2 || limits[1] != 4)
        errx(1, "now %u and %u", limits[0], limits[1]);

    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    ok(io_uring_register_iowq_aff(&ring, sizeof(cpus), &cpus),
       "io_uring_register_iowq_aff");
    ok(io_uring_unregister_iowq_aff(&ring),
       "io_uring_unregister_iowq_aff");
    io_uring_queue_exit(&ring);
    return 0;
}
