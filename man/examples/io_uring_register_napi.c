/* Polls the network device for 50 microseconds before a wait sleeps, and
 * sets back what was there before.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
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
    struct io_uring_napi napi = { .busy_poll_to = 50,
                                  .prefer_busy_poll = 1 };
    struct io_uring ring;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    ret = io_uring_register_napi(&ring, &napi);
    if (ret == -EINVAL)
        return skip("needs Linux 6.9");
    ok(ret, "io_uring_register_napi");
    /* The structure now holds what was set before: nothing. */
    if (napi.busy_poll_to != 0)
        errx(1, "polling was on: %u", napi.busy_poll_to);
    ok(io_uring_unregister_napi(&ring, &napi),
       "io_uring_unregister_napi");
    if (napi.busy_poll_to != 50)
        errx(1, "polling was %u", napi.busy_poll_to);
    io_uring_queue_exit(&ring);
    return 0;
}
