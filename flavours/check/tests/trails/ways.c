/*
 * Submits by many ways. At the end a buffer in flight is freed, and the report must show the way of its request, or only its
 * line where it says so below: never another way.
 */
#include "../misuse.h"

static struct io_uring ring;
static char *buffer;
static int fds[2];

/* The one call that submits, of which the compiler makes no second one for other arguments. */
static NOINLINE void submit(int in_flight)
{
    struct io_uring_sqe *sqe = take(&ring, 0x41);

    if (in_flight)
        io_uring_prep_read(sqe, fds[0], buffer, 64, 0);
    sqe->user_data = 0x41;
    __asm__ volatile("" : "+r"(in_flight));
    MUST(io_uring_submit(&ring) == 1);
    if (!in_flight)
        reap(&ring);
}

static NOINLINE void this_way(int in_flight)
{
    submit(in_flight);
    KEEP_FRAME();
}

/* Its frame is as large: the call comes from the same line, with the same stack. */
static NOINLINE void that_way(int in_flight)
{
    submit(in_flight);
    KEEP_FRAME();
}

/* As many ways as calls, each deeper in the stack. */
static NOINLINE void deeper(unsigned depth, int in_flight)
{
    if (depth)
        deeper(depth - 1, in_flight);
    submit(depth == 0 && in_flight);
    KEEP_FRAME();
}

#define PLACE(n)                                                                    \
    static NOINLINE void place_##n(unsigned depth)                                  \
    {                                                                               \
        if (depth)                                                                  \
            place_##n(depth - 1);                                                   \
        take(&ring, n);                                                             \
        MUST(io_uring_submit(&ring) == 1);                                          \
        reap(&ring);                                                                \
        KEEP_FRAME();                                                               \
    }
PLACE(1) PLACE(2) PLACE(3) PLACE(4) PLACE(5) PLACE(6) PLACE(7) PLACE(8) PLACE(9) PLACE(10)

/* More ways than are kept, each once. */
static void many(void)
{
    static void (*const places[])(unsigned) = {
        place_1, place_2, place_3, place_4, place_5, place_6, place_7, place_8, place_9, place_10,
    };

    for (unsigned i = 0; i < 10; i++)
        places[i](230);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    buffer = malloc(64);
    MUST(pipe(fds) == 0);
    open_ring(&ring, 8, 0);
    for (int in_flight = 0; in_flight <= 1 && !strcmp(what, "two ways"); in_flight++)
        (in_flight ? this_way : that_way)(in_flight);
    if (!strcmp(what, "too deep")) {
        /* The line alone: no more walks are made for it. */
        deeper(400, 0);
        that_way(1);
    } else if (!strcmp(what, "too many")) {
        /* The line alone: what was kept has gone. */
        this_way(1);
        many();
    } else if (!strcmp(what, "many")) {
        many();
        this_way(1);
    }
    free(buffer);
    io_uring_queue_exit(&ring);
    return 0;
}
