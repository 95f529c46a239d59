/* Finds out whether io_uring is there, and who refuses it if not. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    struct io_uring_params params;
    int setup, enter;

    /* Where io_uring is allowed, these calls fail because of their
     * arguments. */
    setup = io_uring_setup(0, memset(&params, 0, sizeof(params)));
    enter = io_uring_enter((unsigned) -1, 0, 0, 0, NULL);
    if (setup == -EINVAL && enter == -EBADF)
        printf("allowed\n");
    else if (setup == -ENOSYS && enter == -ENOSYS)
        printf(
            "the kernel does not have it, or a seccomp filter says so\n");
    else if (setup == enter)
        printf("a seccomp filter refuses all of it: %s\n",
               strerror(-setup));
    else if (setup == -EPERM)
        printf(
            "the sysctl kernel.io_uring_disabled, or a filter of this call\n");
    else
        errx(1, "not known: %d, %d", setup, enter);
    return 0;
}
