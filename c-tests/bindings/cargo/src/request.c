/* C code of a Rust crate. */
#include <liburing.h>
#include <string.h>

unsigned opcode_of_read(void)
{
    struct io_uring_sqe sqe;
    char byte;

    memset(&sqe, 0, sizeof(sqe));
    io_uring_prep_read(&sqe, 0, &byte, 1, 0);
    return sqe.opcode;
}
