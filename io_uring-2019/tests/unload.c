/* The library is loaded, used and unloaded, while a thread of the library still runs. */
#include <dlfcn.h>

#include "../../c-tests/test.h"

#include <liburing.h>

static void unloading(void)
{
    for (int i = 0; i < 50; i++) {
        int (*setup)(unsigned, struct iovec *, struct io_uring_params *);
        struct io_uring_params p;
        void *library = dlopen("liburing.so.1", RTLD_NOW | RTLD_LOCAL);

        if (library == NULL)
            test_fail(__FILE__, __LINE__, "%s", dlerror());
        *(void **) &setup = dlsym(library, "io_uring_setup");
        CHECK(setup != NULL);
        memset(&p, 0, sizeof(p));
        p.flags = i & 1 ? IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL : 0;
        CHECK_EQ(close(CHECK_SYS(setup(4, NULL, &p))), 0);
        CHECK_EQ(dlclose(library), 0);
    }
    /* a thread whose code was unmapped would crash meanwhile */
    for (int tries = 0; tries < 1000 && count_ring_fds(); tries++)
        usleep(1000);
}

static const struct test_case cases[] = { CASE(unloading) };
TEST_MAIN(cases)
