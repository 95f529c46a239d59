/* Compares what a ring takes with the limit on locked memory before it is
 * set up.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

int main(void)
{
    struct rlimit limit;
    struct io_uring ring;
    ssize_t size = io_uring_mlock_size(4096, 0);

    ok((int) size, "io_uring_mlock_size");
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        err(1, "getrlimit");
    if (size == 0)
        printf("this kernel does not count rings as locked memory\n");
    else if (limit.rlim_cur != RLIM_INFINITY &&
             (rlim_t) size > limit.rlim_cur)
        printf("%zd bytes are needed, the limit is %llu\n", size,
               (unsigned long long) limit.rlim_cur);
    else
        printf("%zd bytes fit\n", size);

    /* Without enough of it, set-up gives -ENOMEM: take a smaller ring
     * then. */
    unsigned entries = 4096;
    int ret;

    while ((ret = io_uring_queue_init(entries, &ring, 0)) == -ENOMEM &&
           entries > 8)
        entries /= 2;
    ok(ret, "io_uring_queue_init");
    io_uring_queue_exit(&ring);
    return 0;
}
