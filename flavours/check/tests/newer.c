/* What the check library asks of the C library is answered here: it takes the kernel for a newer one than it knows. */
#include "refused.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>

static const char *release;
static unsigned reads;

int uname(struct utsname *name)
{
    long ret = syscall(SYS_uname, name);

    if (ret == 0 && release)
        strcpy(name->release, release);
    return ret;
}

ssize_t process_vm_readv(pid_t pid, const struct iovec *to, unsigned long count, const struct iovec *from,
                         unsigned long from_count, unsigned long flags)
{
    reads++;
    return syscall(SYS_process_vm_readv, pid, to, count, from, from_count, flags);
}

static int synced(struct io_uring *ring, int fd, unsigned flags, unsigned addr3)
{
    struct io_uring_sqe *sqe = take(ring, 0);

    io_uring_prep_fsync(sqe, fd, flags);
    sqe->addr3 = addr3;
    sqe->user_data = 0x71;
    return result_of(ring, 0x71);
}

static void requests(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    open_ring(&ring, 4, 0);
    MUST(synced(&ring, scratch(), 0, 5) == 0);
    MUST(synced(&ring, scratch(), 0x10, 0) == -EINVAL);
    sqe = take(&ring, 0);
    io_uring_prep_shutdown(sqe, socket_of_a_pair(), SHUT_RDWR);
    sqe->off = 5;
    sqe->user_data = 2;
    MUST(result_of(&ring, 2) == -EINVAL);
    io_uring_queue_exit(&ring);
}

/* The kernel may take these flags and fields, and have refused something else. */
static void newer_kernel(void)
{
    release = "99.1.0-rc1+";
    requests();
    KEEP_FRAME();
}

static void same_kernel(void)
{
    release = "6.18.999";
    requests();
    KEEP_FRAME();
}

/* Where it is not known which kernel runs. */
static void nameless_kernel(void)
{
    release = "tomorrow";
    requests();
    KEEP_FRAME();
}

static void older_kernel(void)
{
    release = "5.10.0-30-amd64";
    requests();
    KEEP_FRAME();
}

static void refused_on_a_newer_kernel(void)
{
    struct io_uring ring;

    release = "7.0.0";
    open_ring(&ring, 4, 0);
    MUST(synced(&ring, scratch(), 0x10, 0) == -EINVAL);
    io_uring_queue_exit(&ring);
}

/* A place that was reported costs no look at the program's memory any more. */
static void looked_at_once(void)
{
    struct io_uring ring;
    int fd = scratch();
    unsigned once = 0;

    open_ring(&ring, 4, 0);
    for (int i = 0; i < 20; i++) {
        MUST(synced(&ring, fd, 0x10, 0) == -EINVAL);
        if (i == 0)
            once = reads;
    }
    if (once == 0 || reads != once) {
        printf("%u reads after the first refusal, %u after the last\n", once, reads);
        exit(1);
    }
    io_uring_queue_exit(&ring);
}

/* Nor does a place where the kernel always refuses what is asked. */
static void looked_at_some_times(void)
{
    struct io_uring ring;
    int fd = socket_of_a_pair();
    unsigned some = 0;

    open_ring(&ring, 4, 0);
    for (int i = 0; i < 40; i++) {
        struct io_uring_sqe *sqe = take(&ring, 0);

        io_uring_prep_shutdown(sqe, fd, 77);
        sqe->user_data = 1;
        MUST(result_of(&ring, 1) == -EINVAL);
        if (i == 19)
            some = reads;
    }
    if (some == 0 || reads != some) {
        printf("%u reads after 20 refusals, %u after 40\n", some, reads);
        exit(1);
    }
    io_uring_queue_exit(&ring);
}

static const struct misuse cases[] = {
    RIGHT(newer_kernel),
    RIGHT(nameless_kernel),
    { "same_kernel", same_kernel, "ignored,refused", "-", 0 },
    { "older_kernel", older_kernel, "ignored,refused", "-", 0 },
    ASKED(refused_on_a_newer_kernel, "refused", "IORING_OP_FSYNC, user_data 0x71"),
    RIGHT(looked_at_some_times),
    WRONG(looked_at_once, "refused", "IORING_OP_FSYNC, user_data 0x71"),
};

MISUSE_MAIN(cases)
