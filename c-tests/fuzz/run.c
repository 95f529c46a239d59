/* Running a sequence: each side has a process that has loaded its library, and forks one more for each sequence. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

/* Seconds that a sequence may take; a hang is one that takes longer. */
#define PATIENCE 20
/* After so many a call counts as one that never ends. */
#define MAX_INTERRUPTS 40
/* Above all descriptors that a sequence sees. */
#define CONTROL_FD 100

struct shared {
    struct step steps[MAX_STEPS];
    unsigned count;
    int full_at;
    struct record records[NR_SIDES];
};

static struct shared *shared;
static struct {
    pid_t pid;
    int to, from;
} sides[NR_SIDES];
static any_fn library[512];
static volatile int interrupts;

static void fail(const char *what)
{
    fprintf(stderr, "fuzz: %s\n", what);
    exit(2);
}

static void load(const char *const names[2])
{
    void *ffi = dlopen(names[0], RTLD_NOW | RTLD_LOCAL), *plain = dlopen(names[1], RTLD_NOW | RTLD_LOCAL);

    if (!ffi || !plain)
        fail(dlerror());
    for (unsigned i = 0; i < nr_functions; i++) {
        void *symbol = dlsym(ffi, functions[i].name);

        /* liburing-ffi lacks io_uring_buf_ring_head(). */
        if (!symbol)
            symbol = dlsym(plain, functions[i].name);
        memcpy(&library[i], &symbol, sizeof(symbol));
        if (functions[i].own)
            library[i] = functions[i].own;
        if (!library[i])
            fail(functions[i].name);
    }
}

static void ignored(int number)
{
    (void) number;
}

static void crashed(int number)
{
    emit(L_SIGNAL, 0, (uint64_t) number);
    _exit(3);
}

/* A wait that was interrupted returns. On a polled ring without requests the kernel does not wait: calls go round. */
static void interrupted(int number)
{
    if (--interrupts == 0)
        crashed(number);
}

static void set_handlers(void)
{
    static char stack[65536];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    struct sigevent kill_event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    const struct itimerspec patience = {.it_value = {.tv_sec = PATIENCE}};
    timer_t timer;

    sigaltstack(&other, NULL);
    for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        sigaction(fatal[i], &action, NULL);
    action.sa_handler = interrupted;
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = ignored;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGIO, &action, NULL);
    timer_create(CLOCK_MONOTONIC, &kill_event, &timer);
    timer_settime(timer, 0, &patience, NULL);
}

static void run_child(void)
{
    set_handlers();
    world_make();
    observe_begin();
    for (unsigned i = 0; i < shared->count; i++) {
        const struct step *step = &shared->steps[i];
        const struct function *f = &functions[step->function];
        uint64_t *a = record->args[i], result;

        record->step = i;
        in_full = shared->full_at == (int) i;
        for (unsigned j = 0; j < MAX_ARGS; j++)
            a[j] = j < f->nr_args ? resolve(f->kinds[j], step->raw[j]) : 0;
        if (!before(f->name, a)) {
            emit(L_SKIPPED, 0, 1);
            continue;
        }
        record->made[i] = true;
        interrupts = MAX_INTERRUPTS;
        limit_wait(f, true);
        result = f->call(library[step->function], a);
        limit_wait(f, false);
        observe(f, after(f->name, a, result));
        record->calls += !f->own;
    }
    _exit(0);
}

static void serve(unsigned side, int commands, int answers)
{
    char byte;

    record = &shared->records[side];
    /* The heap has what a sequence needs, and keeps it. */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    free(malloc(1 << 20));
    while (read(commands, &byte, 1) == 1) {
        pid_t child;

        memset(record, 0, offsetof(struct record, words));
        child = fork();
        if (child == 0)
            run_child();
        while (waitpid(child, &record->status, 0) < 0 && errno == EINTR)
            continue;
        if (write(answers, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

void run_start(const char *const libraries[NR_SIDES][2])
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        fail("no memory");
    for (unsigned side = 0; side < NR_SIDES; side++) {
        int commands[2], answers[2];

        if (pipe2(commands, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
            fail("no pipe");
        sides[side].pid = fork();
        if (sides[side].pid == 0) {
            int command = fcntl(commands[0], F_DUPFD, CONTROL_FD), answer = fcntl(answers[1], F_DUPFD, CONTROL_FD);
            int null = open("/dev/null", O_RDWR);

            load(libraries[side]);
            dup2(null, 0);
            dup2(null, 1);
            close_range(3, CONTROL_FD - 1, 0);
            serve(side, command, answer);
        }
        close(commands[0]);
        close(answers[1]);
        sides[side].to = commands[1];
        sides[side].from = answers[0];
    }
}

void run_stop(void)
{
    for (unsigned side = 0; side < NR_SIDES; side++) {
        close(sides[side].to);
        while (waitpid(sides[side].pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
}

const struct record *run_record(unsigned side)
{
    return &shared->records[side];
}

bool run_differs(const struct step *steps, unsigned count, int full_at, struct difference *difference)
{
    const struct record *one = &shared->records[0], *other = &shared->records[1];
    unsigned words;
    char byte = 0;

    memcpy(shared->steps, steps, count * sizeof(*steps));
    shared->count = count;
    shared->full_at = full_at;
    for (unsigned side = 0; side < NR_SIDES; side++)
        if (write(sides[side].to, &byte, 1) != 1)
            fail("a process of the fuzzer is gone");
    for (unsigned side = 0; side < NR_SIDES; side++) {
        struct pollfd answer = {.fd = sides[side].from, .events = POLLIN};

        if (poll(&answer, 1, 3000 * PATIENCE) == 0) {
            unsigned step = shared->records[side].step;

            fprintf(stderr, "fuzz: %s(%#llx, %#llx, %#llx, %#llx) does not return and cannot be killed\n",
                    functions[steps[step].function].name, (unsigned long long) shared->records[side].args[step][0],
                    (unsigned long long) shared->records[side].args[step][1],
                    (unsigned long long) shared->records[side].args[step][2],
                    (unsigned long long) shared->records[side].args[step][3]);
            exit(2);
        }
        if (read(sides[side].from, &byte, 1) != 1)
            fail("a process of the fuzzer is gone");
    }

    words = one->nr_words < other->nr_words ? one->nr_words : other->nr_words;
    for (unsigned i = 0; i < words; i++) {
        const struct word *a = &one->words[i], *b = &other->words[i];

        if (memcmp(a, b, sizeof(*a))) {
            bool mine = a->step < b->step || (a->step == b->step && a->label <= b->label);
            const struct word *first = mine ? a : b;

            *difference = (struct difference) {first->step, first->label, first->index, {a->value, b->value}};
            return true;
        }
    }
    if (one->nr_words != other->nr_words || one->status != other->status) {
        *difference = (struct difference) {one->step < other->step ? one->step : other->step, L_SIGNAL, 1,
                                           {(uint64_t) one->status, (uint64_t) other->status}};
        return true;
    }
    return false;
}
