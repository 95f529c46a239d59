/* Asks for flags and opcodes, without a ring. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
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
    struct io_uring_query_opcode answer;
    struct io_uring_query_hdr query;
    int ret;

    memset(&answer, 0, sizeof(answer));
    memset(&query, 0, sizeof(query));
    query.query_op = IO_URING_QUERY_OPCODES;
    query.query_data = (uintptr_t) &answer;
    query.size = sizeof(answer);
    ret = io_uring_register_query(&query);
    if (ret == -EINVAL || ret == -EBADF)
        return skip("needs Linux 6.18");
    ok(ret, "io_uring_register_query");
    ok(query.result, "IO_URING_QUERY_OPCODES");

    printf("%u opcodes, set-up flags %#llx, features %#llx\n",
           answer.nr_request_opcodes,
           (unsigned long long) answer.ring_setup_flags,
           (unsigned long long) answer.feature_flags);
    if (!(answer.ring_setup_flags & IORING_SETUP_DEFER_TASKRUN))
        errx(
            1,
            "a kernel that answers queries has IORING_SETUP_DEFER_TASKRUN");
    return 0;
}
