/*
 * A program without a C library: no malloc, no errno, and its own start-up code. The library needs none of them. A
 * probe's memory still works.
 */
#include <liburing.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static long bare_call(long number, long first, long second, long third)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

/* The stack is aligned at entry. The call pushes the return address that a C function expects above it. */
__asm__(".globl _start\n_start: xor %ebp, %ebp\n call freestanding_main\n hlt\n");
#elif defined(__aarch64__)
static long bare_call(long number, long first, long second, long third)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register long x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = third;

    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

__asm__(".globl _start\n_start: mov x29, 0\n bl freestanding_main\n");
#elif defined(__riscv) && __riscv_xlen == 64
static long bare_call(long number, long first, long second, long third)
{
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = first;
    register long a1 __asm__("a1") = second;
    register long a2 __asm__("a2") = third;

    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
}

__asm__(".globl _start\n_start: call freestanding_main\n");
#else
#error "no start-up code for this architecture; leave this program out"
#endif

/* The compiler may emit calls of these two. */
void *memset(void *target, int value, size_t size);
void *memset(void *target, int value, size_t size)
{
    volatile char *bytes = (volatile char *) target;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char) value;
    return target;
}

void *memcpy(void *target, const void *source, size_t size);
void *memcpy(void *target, const void *source, size_t size)
{
    volatile char *to = (volatile char *) target;
    const char *from = (const char *) source;

    for (size_t i = 0; i < size; i++)
        to[i] = from[i];
    return target;
}

static void say(const char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    bare_call(SYS_write, 1, (long) text, (long) length);
}

static int failures;

static void report(const char *name, const char *wrong)
{
    if (wrong) {
        failures++;
        say("    ");
        say(wrong);
        say("\nFAIL ");
    } else {
        say("ok ");
    }
    say(name);
    say("\n");
}

static const char *requests(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    if (io_uring_queue_init(8, &ring, 0) != 0)
        return "the ring does not open";
    for (unsigned i = 0; i < 50; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

        if (!sqe)
            return "the queue is full";
        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, i);
        if (io_uring_submit_and_wait(&ring, 1) != 1)
            return "the request is not submitted";
        if (io_uring_wait_cqe(&ring, &cqe) != 0 || cqe->user_data != i)
            return "the completion is not the request's";
        io_uring_cqe_seen(&ring, cqe);
    }
    io_uring_queue_exit(&ring);
    return NULL;
}

static const char *probe(void)
{
    struct io_uring_probe *first = NULL;

    for (unsigned i = 0; i < 200; i++) {
        struct io_uring_probe *answer = io_uring_get_probe();

        if (!answer)
            return "there is no probe";
        if (!first)
            first = answer;
        /* freed memory is used again; otherwise the addresses would keep growing */
        if (answer < first - 16384 || answer > first + 16384)
            return "the probe's memory is not given back";
        if (!io_uring_opcode_supported(answer, IORING_OP_NOP))
            return "the probe knows no nop";
        io_uring_free_probe(answer);
    }
    return NULL;
}

static const char *buffer_ring(void)
{
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    int error = 1;

    if (io_uring_queue_init(8, &ring, 0) != 0)
        return "the ring does not open";
    buffers = io_uring_setup_buf_ring(&ring, 16, 1, 0, &error);
    if (!buffers || error)
        return "there is no buffer ring";
    if (io_uring_free_buf_ring(&ring, buffers, 16, 1) != 0)
        return "the buffer ring stays";
    io_uring_queue_exit(&ring);
    return NULL;
}

void freestanding_main(void) __attribute__((noreturn, used));
void freestanding_main(void)
{
    struct io_uring_params params;
    long fd;

    memset(&params, 0, sizeof(params));
    fd = bare_call(__NR_io_uring_setup, 1, (long) &params, 0);
    if (fd < 0) {
        say("    reason: the kernel refuses io_uring\nskip all\n");
        bare_call(SYS_exit_group, 77, 0, 0);
    }
    bare_call(SYS_close, fd, 0, 0);
    report("requests", requests());
    report("probe", probe());
    report("buffer_ring", buffer_ring());
    bare_call(SYS_exit_group, failures ? 1 : 0, 0, 0);
    __builtin_unreachable();
}
