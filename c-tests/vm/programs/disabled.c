/*
 * The sysctl kernel.io_uring_disabled: 1 allows io_uring only to a group and to privileged processes, 2 to no process.
 */
#include <grp.h>

#include "ring.h"

enum { NOBODY = 65534, GROUP = 4242 };

static int disabled(void)
{
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "r");
    int value = -1;

    if (!file)
        skip("this kernel has no sysctl io_uring_disabled");
    CHECK_EQ(fscanf(file, "%d", &value), 1);
    fclose(file);
    return value;
}

/* Each way to set up a ring returns `wanted` and leaves nothing behind. */
static void check_all(int wanted)
{
    struct leak_mark mark = leak_mark();
    struct io_uring_params params;
    struct io_uring_probe *probe;
    struct io_uring ring;
    int result;

    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(8, &ring, 0)), wanted);
    if (!wanted)
        io_uring_queue_exit(&ring);

    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init(8, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)),
             wanted);
    if (!wanted)
        io_uring_queue_exit(&ring);

    memset(&params, 0, sizeof(params));
    params.flags = IORING_SETUP_CQSIZE;
    params.cq_entries = 64;
    CHECK_EQ(KEEPS_ERRNO(io_uring_queue_init_params(8, &ring, &params)), wanted);
    if (!wanted)
        io_uring_queue_exit(&ring);

    memset(&params, 0, sizeof(params));
    result = KEEPS_ERRNO(io_uring_setup(8, &params));
    if (wanted) {
        CHECK_EQ(result, wanted);
    } else {
        CHECK_GE(result, 0);
        close(result);
    }

    probe = KEEPS_ERRNO(io_uring_get_probe());
    CHECK((probe != NULL) == !wanted);
    io_uring_free_probe(probe);
    CHECK_NO_LEAK(mark);
}

static void as_root(void)
{
    int value = disabled();

    need_root("to be sure of the privilege");
    check_all(value == 2 ? -EPERM : 0);
}

static void as_nobody(void)
{
    int value = disabled();

    need_root("to become another user");
    CHECK_SYS(setgroups(0, NULL));
    CHECK_SYS(setgid(NOBODY));
    CHECK_SYS(setuid(NOBODY));
    /* after a change of user the process cannot read its own /proc entries */
    prctl(PR_SET_DUMPABLE, 1);
    check_all(value == 0 ? 0 : -EPERM);
}

static void as_member_of_the_group(void)
{
    int value = disabled();
    FILE *file = fopen("/proc/sys/kernel/io_uring_group", "w");

    need_root("to name the group");
    CHECK(file != NULL);
    fprintf(file, "%d\n", GROUP);
    CHECK_EQ(fclose(file), 0);
    CHECK_SYS(setgroups(0, NULL));
    CHECK_SYS(setgid(GROUP));
    CHECK_SYS(setuid(NOBODY));
    prctl(PR_SET_DUMPABLE, 1);
    check_all(value == 2 ? -EPERM : 0);
}

static const struct test_case cases[] = {
    CASE(as_root),
    CASE(as_nobody),
    CASE(as_member_of_the_group),
};

TEST_MAIN(cases)
