/*
 * A static program that frees memory of the library by free(), and calls no other function of libc's heap. With musl,
 * the program then contains free(), but not malloc().
 */
#include <liburing.h>
#include <stdlib.h>

int main(void)
{
    for (int i = 0; i < 100; i++) {
        struct io_uring_probe *probe = io_uring_get_probe();

        if (!probe)
            return 77;
        if (!io_uring_opcode_supported(probe, IORING_OP_READV))
            return 1;
        free(probe);
    }
    return 0;
}
