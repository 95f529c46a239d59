/* Looks whether the kernel knows the requests that a program wants to
 * use. */
#include <err.h>
#include <liburing.h>
#include <stdio.h>

int main(void)
{
    static const int wanted[] = { IORING_OP_READ, IORING_OP_OPENAT,
                                  IORING_OP_ACCEPT };
    struct io_uring_probe *probe = io_uring_get_probe();
    size_t i;

    if (!probe)
        errx(1, "no answer: no io_uring here, or it is refused");
    for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!io_uring_opcode_supported(probe, wanted[i]))
            errx(1, "the kernel does not know opcode %d", wanted[i]);
    printf("the highest opcode is %d\n", probe->last_op);
    if (io_uring_opcode_supported(probe, 255))
        errx(1, "opcode 255 cannot be there");
    io_uring_free_probe(probe);
    return 0;
}
