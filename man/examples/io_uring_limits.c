/* Prints what a program may use here. */
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
    struct rlimit memory, files, processes;
    struct io_uring ring;
    unsigned workers[2] = { 0, 0 };

    if (getrlimit(RLIMIT_MEMLOCK, &memory) < 0 ||
        getrlimit(RLIMIT_NOFILE, &files) < 0 ||
        getrlimit(RLIMIT_NPROC, &processes) < 0)
        err(1, "getrlimit");
    printf(
        "locked memory: %llu bytes; a ring of 4096 entries takes %lld\n",
        (unsigned long long) memory.rlim_cur,
        (long long) io_uring_mlock_size(4096, 0));
    printf("descriptors: %llu, threads and processes: %llu\n",
           (unsigned long long) files.rlim_cur,
           (unsigned long long) processes.rlim_cur);

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    if (io_uring_register_iowq_max_workers(&ring, workers) == 0)
        printf("workers: %u for files, %u for sockets and pipes\n",
               workers[0], workers[1]);
    io_uring_queue_exit(&ring);
    if (io_uring_queue_init(32769, &ring, 0) != -EINVAL)
        errx(1, "32768 entries are the most");
    return 0;
}
