/* The version at compile time and at run time. */
#include "ring.h"

static void at_compile_time(void)
{
    CHECK_EQ(IO_URING_VERSION_MAJOR, 2);
    /* true if the given version is newer */
    CHECK(!IO_URING_CHECK_VERSION(2, IO_URING_VERSION_MINOR));
    CHECK(!IO_URING_CHECK_VERSION(2, 14));
    CHECK(!IO_URING_CHECK_VERSION(1, 99));
    CHECK(IO_URING_CHECK_VERSION(2, IO_URING_VERSION_MINOR + 1));
    CHECK(IO_URING_CHECK_VERSION(3, 0));
#if IO_URING_CHECK_VERSION(2, IO_URING_VERSION_MINOR)
    CHECK(!"the preprocessor agrees");
#endif
}

static void at_run_time(void)
{
    CHECK_EQ(io_uring_major_version(), IO_URING_VERSION_MAJOR);
    CHECK_EQ(io_uring_minor_version(), IO_URING_VERSION_MINOR);
    CHECK(!io_uring_check_version(2, IO_URING_VERSION_MINOR));
    CHECK(!io_uring_check_version(2, 0));
    CHECK(!io_uring_check_version(1, 99));
    CHECK(!io_uring_check_version(-1, 0));
    CHECK(io_uring_check_version(2, IO_URING_VERSION_MINOR + 1));
    CHECK(io_uring_check_version(3, 0));
}

static const struct test_case cases[] = {
    CASE(at_compile_time),
    CASE(at_run_time),
};

TEST_MAIN(cases)
