/* Set-up that fails: with which errno, and that nothing is left behind. Raw calls. */
#include <sys/resource.h>
#include <sys/utsname.h>

#include "raw.h"

#define BLOCK 4096

static unsigned char buffer[4 * BLOCK] __attribute__((aligned(BLOCK)));

/* Set-up fails, and leaves nothing behind. */
static void refuse(unsigned entries, struct iovec *iovecs, struct io_uring_params *p, int error)
{
    struct leak_mark mark = mark_alone();

    FAILS(io_uring_setup(entries, iovecs, p), error);
    CHECK_GONE(mark);
}

static void setup_arguments(void)
{
    struct io_uring_params p;

    for (int i = 0; i < 9; i++) {
        memset(&p, 0, sizeof(p));
        p.resv[i] = 1;
        refuse(4, NULL, &p, EINVAL);
    }
    for (int i = 5; i < 32; i++) {
        memset(&p, 0, sizeof(p));
        p.flags = 1u << i;
        refuse(4, NULL, &p, EINVAL);
    }
    memset(&p, 0, sizeof(p));
    refuse(0, NULL, &p, EINVAL);
    refuse(32769, NULL, &p, EINVAL);
    refuse(~0u, NULL, &p, EINVAL);
    refuse(4, NULL, NULL, EFAULT);
    refuse(4, NULL, (void *) 16, EFAULT);
    refuse(4, NULL, (void *) 0xffff800000000000ul, EFAULT);
}

/* The submission thread's CPU, which counts only if there is such a thread. */
static void setup_cpu(void)
{
    enum { thread = IORING_SETUP_SQTHREAD };
    static const unsigned flags[] = {
        thread, thread | IORING_SETUP_SQWQ, thread | IORING_SETUP_IOPOLL, thread | IORING_SETUP_SQPOLL,
    };
    static const unsigned short no_cpu[] = { 9999, 0xffff };

    if (access("/sys/devices/system/cpu/cpu0", F_OK))
        skip("/sys does not tell which CPUs there are");
    for (size_t i = 0; i < ARRAY_LEN(no_cpu); i++) {
        struct io_uring_params p;
        struct raw r;

        for (size_t j = 0; j < ARRAY_LEN(flags); j++) {
            memset(&p, 0, sizeof(p));
            p.flags = flags[j];
            p.sq_thread_cpu = no_cpu[i];
            refuse(4, NULL, &p, EINVAL);
        }
        memset(&r, 0, sizeof(r));
        r.p.sq_thread_cpu = no_cpu[i];
        r.fd = CHECK_SYS(io_uring_setup(4, NULL, &r.p));
        raw_mapped(&r);
        raw_close(&r);
    }
}

/* The parameters' memory ends too early, or cannot be written. */
static void setup_memory(void)
{
    char *pages = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct io_uring_params *p = (void *) (pages + BLOCK - sizeof(*p) + 8);

    CHECK(pages != MAP_FAILED);
    CHECK_SYS(munmap(pages + BLOCK, BLOCK));
    refuse(4, NULL, p, EFAULT);
    CHECK_SYS(mprotect(pages, BLOCK, PROT_READ));
    refuse(4, NULL, (void *) pages, EFAULT);
    munmap(pages, BLOCK);
}

static void setup_buffers(void)
{
    struct iovec iovecs[4];
    struct io_uring_params p;
    struct rlimit limit = { 4 * BLOCK, 4 * BLOCK };
    struct raw r;
    char *large = mmap(NULL, (4 << 20) + BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(large != MAP_FAILED);
    memset(&p, 0, sizeof(p));
    p.flags = IORING_SETUP_FIXEDBUFS;
    for (int i = 0; i < 4; i++) {
        iovecs[i].iov_base = buffer + i * BLOCK;
        iovecs[i].iov_len = BLOCK;
    }
    refuse(4, NULL, &p, EFAULT);
    refuse(4, (void *) 16, &p, EFAULT);
    /* no memory is there */
    iovecs[2].iov_base = (void *) 16;
    refuse(4, iovecs, &p, EFAULT);
    /* beyond the last address */
    iovecs[2].iov_base = (void *) -(uintptr_t) BLOCK;
    refuse(4, iovecs, &p, EFAULT);
    iovecs[2].iov_base = NULL;
    refuse(4, iovecs, &p, EFAULT);
    iovecs[2].iov_base = large;
    iovecs[2].iov_len = (4 << 20) + 1;
    refuse(4, iovecs, &p, EFAULT);
    iovecs[2].iov_len = 4 << 20;
    raw_open(&r, 4, IORING_SETUP_FIXEDBUFS, iovecs);
    raw_close(&r);

    /* the limit holds for all users, as in 2019 */
    iovecs[2].iov_base = buffer + 2 * BLOCK;
    iovecs[2].iov_len = BLOCK;
    CHECK_SYS(setrlimit(RLIMIT_MEMLOCK, &limit));
    raw_open(&r, 4, IORING_SETUP_FIXEDBUFS, iovecs);
    raw_close(&r);
    iovecs[3].iov_base = large + 1;
    refuse(4, iovecs, &p, ENOMEM);

    /* no request fits into a buffer of no length */
    iovecs[3].iov_len = 0;
    raw_open(&r, 4, IORING_SETUP_FIXEDBUFS, iovecs);
    for (int i = 0; i < 4; i++)
        CHECK(!memcmp(&r.iocbs[i], &(struct io_uring_iocb) { .opcode = 0 }, sizeof(*r.iocbs)));
    raw_request(&r, 3, IORING_OP_READ_FIXED, CHECK_SYS(open("/dev/zero", O_RDONLY)), iovecs[3].iov_base, 1, 0);
    CHECK_EQ(io_uring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(&r).res, -EFAULT);
    raw_close(&r);

    /* without the flag the buffers are ignored */
    raw_open(&r, 4, 0, (void *) 16);
    raw_close(&r);
}

/* Each step of set-up that takes a descriptor is made to fail. */
static void setup_descriptors(void)
{
    struct io_uring_params p;
    struct rlimit limit;
    int used = CHECK_SYS(open("/dev/null", O_RDONLY)), fd;

    close(used);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    for (int room = 0; ; room++) {
        struct leak_mark mark = mark_alone();

        memset(&p, 0, sizeof(p));
        limit.rlim_cur = used + room;
        CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
        errno = 0;
        fd = io_uring_setup(4, NULL, &p);
        limit.rlim_cur = limit.rlim_max;
        if (fd >= 0)
            break;
        CHECK_EQ(errno, EMFILE);
        CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
        CHECK_GONE(mark);
        CHECK_LT(room, 4);
    }
    close(fd);
    raw_gone(0);
}

static void setup_file_size(void)
{
    struct rlimit limit = { 1 << 20, 1 << 20 };
    struct io_uring_params p;

    CHECK_SYS(setrlimit(RLIMIT_FSIZE, &limit));
    memset(&p, 0, sizeof(p));
    refuse(4, NULL, &p, EFBIG);
}

static void old_kernel(void)
{
    struct io_uring_params p = { .flags = 0 };
    struct leak_mark mark = leak_mark();
    struct utsname name;
    int major, minor;

    CHECK_SYS(uname(&name));
    CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
    if (major > 6 || (major == 6 && minor >= 5))
        skip("this kernel runs rings in the program's memory");
    FAILS(io_uring_setup(4, NULL, &p), ENOSYS);
    CHECK_NO_LEAK(mark);
}

static const struct test_case cases[] = {
    CASE(setup_arguments), CASE(setup_cpu), CASE(setup_memory), CASE(setup_buffers), CASE(setup_descriptors),
    CASE(setup_file_size), CASE(old_kernel),
};
TEST_MAIN(cases)
