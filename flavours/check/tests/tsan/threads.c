/* What passes from thread to thread through a ring, and what ThreadSanitizer says of it. */
#include "../misuse.h"

static struct io_uring ring, other;
static int *message;

static void start(void)
{
    open_ring(&ring, 4, 0);
    open_ring(&other, 4, 0);
}

static NOINLINE void send_message(int value)
{
    message = malloc(sizeof(*message));
    *message = value;
    take(&ring, (uintptr_t) message);
    MUST(io_uring_submit(&ring) == 1);
}

static NOINLINE void take_message(struct io_uring *from)
{
    struct io_uring_cqe *cqe;
    int *received;

    MUST(io_uring_wait_cqe(from, &cqe) == 0);
    received = io_uring_cqe_get_data(cqe);
    MUST(*received == 7);
    *received = 8;
    io_uring_cqe_seen(from, cqe);
}

static void *waits(void *unused)
{
    take_message(&ring);
    return unused;
}

static void *waits_for_other(void *unused)
{
    take_message(&other);
    return unused;
}

/* By inline functions alone. */
static void *looks(void *unused)
{
    struct io_uring_cqe *cqe;
    unsigned head, found = 0;

    while (!found) {
        io_uring_for_each_cqe(&ring, head, cqe) {
            int *received = io_uring_cqe_get_data(cqe);

            MUST(*received == 7);
            *received = 8;
            found++;
        }
    }
    io_uring_cq_advance(&ring, found);
    return unused;
}

static void *counts(void *unused)
{
    for (unsigned i = 0; i < 2000; i++) {
        struct io_uring mine;

        if (i % 100 == 0)
            open_ring(&mine, 4, 0);
        take(&mine, i);
        MUST(io_uring_submit(&mine) == 1);
        reap(&mine);
        if (i % 100 == 99)
            io_uring_queue_exit(&mine);
    }
    return unused;
}

static void with(void *(*receive)(void *), void (*send)(int))
{
    pthread_t thread;

    start();
    MUST(pthread_create(&thread, NULL, receive, NULL) == 0);
    send(7);
    MUST(pthread_join(thread, NULL) == 0);
    free(message);
}

static void handed_over(void) { with(waits, send_message); }
static void found_inline(void) { with(looks, send_message); }

/* To another ring. */
static NOINLINE void post_message(int value)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    message = malloc(sizeof(*message));
    *message = value;
    io_uring_prep_msg_ring(sqe, other.ring_fd, 0, (uintptr_t) message, 0);
    io_uring_sqe_set_data64(sqe, 1);
    MUST(io_uring_submit(&ring) == 1);
    MUST(reap(&ring) == 0);
}

static void posted(void) { with(waits_for_other, post_message); }

/* After the request was submitted, nothing orders what the sender does with what the receiver does. */
static NOINLINE void send_and_change(int value)
{
    send_message(value);
    *message = value;
}

static void *waits_long(void *unused)
{
    struct io_uring_cqe *cqe;

    MUST(io_uring_wait_cqe(&ring, &cqe) == 0);
    *(volatile int *) io_uring_cqe_get_data(cqe) = 8;
    io_uring_cqe_seen(&ring, cqe);
    return unused;
}

static void changed_after(void) { with(waits_long, send_and_change); }

/* Threads with rings of their own are not ordered by the library's lock. */
static int shared;

static void *counts_and_shares(void *unused)
{
    struct io_uring mine;

    open_ring(&mine, 4, 0);
    take(&mine, 1);
    MUST(io_uring_submit(&mine) == 1);
    reap(&mine);
    *(volatile int *) &shared += 1;
    take(&mine, 1);
    MUST(io_uring_submit(&mine) == 1);
    reap(&mine);
    io_uring_queue_exit(&mine);
    return unused;
}

static void in_threads(void *(*work)(void *))
{
    pthread_t threads[3];

    for (unsigned i = 0; i < 3; i++)
        MUST(pthread_create(&threads[i], NULL, work, NULL) == 0);
    for (unsigned i = 0; i < 3; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
}

static void beside_rings(void) { in_threads(counts_and_shares); }
static void on_rings_of_their_own(void) { in_threads(counts); }

/* The sanitizer's free() comes before the library's. */
static void freed_in_flight(void)
{
    char *buffer = malloc(100);
    int fds[2];

    MUST(pipe(fds) == 0);
    start();
    io_uring_prep_read(take(&ring, 0), fds[0], buffer, 100, 0);
    io_uring_sqe_set_data64(&ring.sq.sqes[0], 0x71);
    MUST(io_uring_submit(&ring) == 1);
    free(buffer);
}

static const struct misuse cases[] = {
    RIGHT(handed_over),
    RIGHT(found_inline),
    RIGHT(posted),
    WRONG(changed_after, "tsan:data race", "-"),
    WRONG(beside_rings, "tsan:data race", "-"),
    RIGHT(on_rings_of_their_own),
    WRONG(freed_in_flight, "free", "IORING_OP_READ, user_data 0x71"),
};

MISUSE_MAIN(cases)
