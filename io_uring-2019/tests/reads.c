/*
 * Random reads of one file by one thread, as in the first benchmark of the
 * interface: at a depth of 32, in batches of 8. Events are taken after each
 * call. Every block is compared with the file's pattern.
 *
 *   -p  poll for completions      -f  pinned buffers
 *   -b  buffered, with a work queue (otherwise O_DIRECT)
 *   -t  a thread submits          -T  and it polls the ring
 *   -n COUNT reads, -d DEPTH, -s SUBMITTED, -c MIBS of the file
 */
#include <pthread.h>

#include "raw.h"

#define BLOCK 4096

static unsigned flags, depth = 32, batch = 8, mibs = 32;
static unsigned long count = 20000, done, calls, wakes;
static int buffered, file;
static unsigned char *buffers;
static unsigned long long *offsets;
static struct raw ring;

static unsigned long long random_block(void)
{
    static unsigned long long state = 88172645463325252ull;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % (mibs * 256ul) * BLOCK;
}

/* Puts up to `max` reads into the ring, with buffers of `free_list`. */
static unsigned prepare(unsigned *free_list, unsigned *free_count, unsigned max)
{
    unsigned prepared = 0;

    while (prepared < max && *free_count) {
        unsigned index = free_list[--*free_count];

        offsets[index] = random_block();
        memset(buffers + index * BLOCK, 0, 64);
        raw_request(&ring, index, flags & IORING_SETUP_FIXEDBUFS ? IORING_OP_READ_FIXED : IORING_OP_READ, file,
                    buffers + index * BLOCK, BLOCK, offsets[index]);
        prepared++;
    }
    return prepared;
}

static unsigned take_events(unsigned *free_list, unsigned *free_count)
{
    unsigned taken = 0, head = *ring.cq_head;

    while (head != __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE)) {
        struct io_uring_event *event = &ring.events[head & ring.cq_mask];
        unsigned index = event->index;

        CHECK_LT(index, depth);
        CHECK_EQ(event->res, BLOCK);
        CHECK_PATTERN(buffers + index * BLOCK, BLOCK, offsets[index]);
        free_list[(*free_count)++] = index;
        head++;
        taken++;
    }
    __atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
    return taken;
}

static void *submitter(void *argument)
{
    int by_itself = (flags & IORING_SETUP_SQPOLL) != 0;
    unsigned *free_list = argument, free_count = depth, in_flight = 0, to_submit = 0;

    while (done < count) {
        unsigned taken;

        if (!to_submit)
            to_submit = prepare(free_list, &free_count, batch);
        if (by_itself) {
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            if (*ring.sq_flags & IORING_SQ_NEED_WAKEUP) {
                CHECK_SYS(io_uring_enter(ring.fd, to_submit, 0, 0));
                wakes++;
            }
            in_flight += to_submit;
            to_submit = 0;
        } else {
            int wait = in_flight + to_submit + batch > depth ? batch : 0;
            int ret = CHECK_SYS(io_uring_enter(ring.fd, to_submit, wait, IORING_ENTER_GETEVENTS));

            calls++;
            in_flight += ret;
            to_submit -= ret;
        }
        taken = take_events(free_list, &free_count);
        CHECK_LE(taken, in_flight);
        in_flight -= taken;
        done += taken;
    }
    while (in_flight) {
        if (!by_itself)
            CHECK_SYS(io_uring_enter(ring.fd, 0, 1, IORING_ENTER_GETEVENTS));
        in_flight -= take_events(free_list, &free_count);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct iovec *iovecs;
    unsigned *free_list;
    pthread_t thread;
    double start;
    int option;

    while ((option = getopt(argc, argv, "pfbtTn:d:s:c:")) != -1) {
        if (option == 'p')
            flags |= IORING_SETUP_IOPOLL;
        else if (option == 'f')
            flags |= IORING_SETUP_FIXEDBUFS;
        else if (option == 'b')
            flags |= IORING_SETUP_SQWQ, buffered = 1;
        else if (option == 't')
            flags |= IORING_SETUP_SQTHREAD;
        else if (option == 'T')
            flags |= IORING_SETUP_SQTHREAD | IORING_SETUP_SQPOLL;
        else if (option == 'n')
            count = atol(optarg);
        else if (option == 'd')
            depth = atoi(optarg);
        else if (option == 's')
            batch = atoi(optarg);
        else if (option == 'c')
            mibs = atoi(optarg);
        else
            return 2;
    }
    if (optind + 1 != argc)
        return 2;
    alarm(300);
    file = pattern_file(argv[optind], mibs << 20, O_RDONLY | (buffered ? 0 : O_DIRECT));
    CHECK_EQ(posix_memalign((void **) &buffers, BLOCK, depth * BLOCK), 0);
    memset(buffers, 0, depth * BLOCK);
    iovecs = calloc(depth, sizeof(*iovecs));
    offsets = calloc(depth, sizeof(*offsets));
    free_list = calloc(depth, sizeof(*free_list));
    for (unsigned i = 0; i < depth; i++) {
        iovecs[i].iov_base = buffers + i * BLOCK;
        iovecs[i].iov_len = BLOCK;
        free_list[i] = i;
    }
    raw_open(&ring, depth, flags, iovecs);
    CHECK_EQ(ring.p.sq_entries, depth);
    start = seconds();
    CHECK_EQ(pthread_create(&thread, NULL, submitter, free_list), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    printf("ok %lu reads, %lu calls, %lu wake-ups, %.0f a second\n", done, calls, wakes, done / (seconds() - start));
    CHECK_EQ(*ring.cq_overflow, 0);
    CHECK_EQ(*ring.sq_dropped, 0);
    raw_close(&ring);
    return 0;
}
