/* Demands liburing 2.6 when it is compiled, and compares with the library
 * that is there when it runs.
 */
#include <err.h>
#include <liburing.h>
#include <stdio.h>

#if IO_URING_CHECK_VERSION(2, 6)
#error "this program needs liburing 2.6 or newer"
#endif

int main(void)
{
    printf("compiled with %d.%d, running on %d.%d\n",
           IO_URING_VERSION_MAJOR, IO_URING_VERSION_MINOR,
           io_uring_major_version(), io_uring_minor_version());
    /* True means: older than that. */
    if (io_uring_check_version(2, 6))
        errx(1, "the library is older than 2.6");
    if (!io_uring_check_version(99, 0))
        errx(1, "no version 99 exists yet");
    return 0;
}
