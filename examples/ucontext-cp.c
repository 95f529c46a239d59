/*
 * Copy several files at once, each by a coroutine that reads like ordinary code: it gives way where it waits for the
 * ring, and main() resumes whoever a completion is for.
 *
 * A coroutine copies a KiB, sleeps for a millisecond, and goes on, so that several take turns.
 *
 * cc -O2 ucontext-cp.c -luring
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <liburing.h>

#define DEPTH 64
#define BLOCK 1024
#define PAUSE_MS 1
#define STACK (256 * 1024)

struct coroutine {
    ucontext_t context;
    char *stack;
    int from;
    int to;
    int result; /* of the request that it waited for */
    int done;   /* 0 while it runs, then 1, or a negative error number */
};

static struct io_uring ring;
static ucontext_t main_context;
static struct coroutine *current;

static int failed(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    return 1;
}

static void resume(struct coroutine *coroutine)
{
    current = coroutine;
    if (swapcontext(&main_context, &coroutine->context) < 0)
        abort();
}

/* A place for a request. Where the ring is full of requests not submitted yet, they are submitted first. */
static struct io_uring_sqe *request(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    while (!sqe) {
        int ret = io_uring_submit(&ring);

        if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY) {
            failed("io_uring_submit", -ret);
            exit(1);
        }
        sqe = io_uring_get_sqe(&ring);
    }
    return sqe;
}

/* Gives way until the request has completed, and returns its result. */
static int await(struct io_uring_sqe *sqe)
{
    struct coroutine *self = current;

    io_uring_sqe_set_data(sqe, self);
    if (swapcontext(&self->context, &main_context) < 0)
        abort();
    return self->result;
}

static int await_readv(int fd, const struct iovec *part, __u64 offset)
{
    struct io_uring_sqe *sqe = request();

    io_uring_prep_readv(sqe, fd, part, 1, offset);
    return await(sqe);
}

static int await_writev(int fd, const struct iovec *part, __u64 offset)
{
    struct io_uring_sqe *sqe = request();

    io_uring_prep_writev(sqe, fd, part, 1, offset);
    return await(sqe);
}

static void await_pause(long milliseconds)
{
    struct __kernel_timespec time = {.tv_nsec = milliseconds * 1000000};
    struct io_uring_sqe *sqe = request();

    io_uring_prep_timeout(sqe, &time, 0, 0);
    await(sqe);
}

static int copy(int from, int to)
{
    char block[BLOCK];
    __u64 offset = 0;

    for (;;) {
        struct iovec part = {block, sizeof(block)};
        int got, put;

        printf("%d->%d: readv %zu bytes from %llu\n", from, to, part.iov_len, (unsigned long long)offset);
        got = await_readv(from, &part, offset);
        if (got <= 0)
            return got;
        for (part.iov_len = (size_t)got; part.iov_len;) {
            printf("%d->%d: writev %zu bytes from %llu\n", from, to, part.iov_len, (unsigned long long)offset);
            put = await_writev(to, &part, offset);
            if (put <= 0)
                return put ? put : -EIO;
            part.iov_base = (char *)part.iov_base + put;
            part.iov_len -= (size_t)put;
            offset += (unsigned)put;
        }
        printf("%d->%d: wait %d ms\n", from, to, PAUSE_MS);
        await_pause(PAUSE_MS);
    }
}

/* When it returns, main() goes on: that is the context's uc_link. */
static void run(void)
{
    struct coroutine *self = current;
    int ret = copy(self->from, self->to);

    if (close(self->to) < 0 && !ret)
        ret = -errno;
    close(self->from);
    printf("%d->%d: done with ret code %d\n", self->from, self->to, ret);
    self->done = ret < 0 ? ret : 1;
}

/* Opens the two files, and runs a coroutine for them up to its first request. */
static int start(struct coroutine *c, const char *from, const char *to)
{
    c->from = open(from, O_RDONLY);
    if (c->from < 0)
        return failed(from, errno);
    c->to = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (c->to < 0)
        return failed(to, errno);
    c->stack = malloc(STACK);
    if (!c->stack || getcontext(&c->context) < 0)
        return failed("a stack", errno);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = STACK;
    c->context.uc_link = &main_context;
    makecontext(&c->context, run, 0);
    resume(c);
    return 0;
}

/* Resumes whoever a completion is for, until all have ended. */
static int serve(int files)
{
    int success = 0, failure = 0;

    while (success + failure < files) {
        struct io_uring_cqe *cqe;
        struct coroutine *c;
        int ret = io_uring_submit_and_wait(&ring, 1);

        if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
            return failed("io_uring_submit_and_wait", -ret);
        if (io_uring_peek_cqe(&ring, &cqe) < 0)
            continue;
        /* The entry is the kernel's again once it is seen: what it says has to be taken before. */
        c = io_uring_cqe_get_data(cqe);
        c->result = cqe->res;
        io_uring_cqe_seen(&ring, cqe);
        resume(c);
        if (!c->done)
            continue;
        if (c->done > 0) {
            success++;
        } else {
            failed("copy", -c->done);
            failure++;
        }
        free(c->stack);
    }
    printf("finished with %d success(es) and %d failure(s)\n", success, failure);
    return failure > 0;
}

int main(int argc, char **argv)
{
    int files = (argc - 1) / 2, i, ret;
    struct coroutine *coroutines;

    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "%s: infile1 outfile1 [infile2 outfile2 [...]]\n", argv[0]);
        return 1;
    }
    coroutines = calloc((size_t)files, sizeof(*coroutines));
    if (!coroutines)
        return failed("calloc", errno);
    ret = io_uring_queue_init(DEPTH, &ring, 0);
    if (ret < 0)
        return failed("io_uring_queue_init", -ret);

    printf("copying %d files...\n", files);
    for (i = 0; i < files; i++)
        if (start(&coroutines[i], argv[2 * i + 1], argv[2 * i + 2]))
            return 1;
    ret = serve(files);
    io_uring_queue_exit(&ring);
    free(coroutines);
    return ret;
}
