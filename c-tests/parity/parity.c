/*
 * Every inline function of the header against the function of the same name in liburing-ffi: both get the same random
 * arguments and the same world of random memory. Afterwards the two worlds must be equal, byte by byte. The version
 * maps name the functions to compare, so a function without a case fails the test.
 *
 * usage: parity [-r ROUNDS] [-s SEED] [-o FUNCTION] FFI_LIBRARY LIBRARY FFI_MAP MAP
 */
#include <ctype.h>
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parity.h"

/* A function that only writes its arguments into an SQE: table.py makes the list of these from the header. */
struct filler {
    const char *name;
    any_fn fn;
    void (*call)(any_fn fn, struct io_uring_sqe *sqe, const uint64_t *a);
};

#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct world image, by_inline;
static unsigned long rounds = 2000;
static uint64_t seed = 1;
static const char *only;
static void *ffi, *plain;
static unsigned failures;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\n", name, what);
    exit(2);
}

any_fn library_fn(const char *name)
{
    any_fn fn;
    /* liburing-ffi lacks io_uring_buf_ring_head(). */
    void *symbol = dlsym(ffi, name);

    if (!symbol)
        symbol = dlsym(plain, name);
    if (!symbol)
        die("not in the library", name);
    memcpy(&fn, &symbol, sizeof(fn));
    return fn;
}

/* The functions that inline functions call. They come from the library under test. */
int __io_uring_get_cqe(struct io_uring *ring, struct io_uring_cqe **cqe_ptr, unsigned submit, unsigned wait_nr,
                       sigset_t *sigmask) LIBURING_NOEXCEPT
{
    return ((__typeof__(&__io_uring_get_cqe)) library_fn("__io_uring_get_cqe"))(ring, cqe_ptr, submit, wait_nr,
                                                                               sigmask);
}

int __io_uring_sqring_wait(struct io_uring *ring) LIBURING_NOEXCEPT
{
    return ((__typeof__(&__io_uring_sqring_wait)) library_fn("__io_uring_sqring_wait"))(ring);
}

int io_uring_buf_ring_head(struct io_uring *ring, int buf_group, uint16_t *head) LIBURING_NOEXCEPT
{
    return ((__typeof__(&io_uring_buf_ring_head)) library_fn("io_uring_buf_ring_head"))(ring, buf_group, head);
}

/* The names that a version map exports. */
struct names {
    char *name[512];
    unsigned count;
};

static bool contains(const struct names *names, const char *name)
{
    for (unsigned i = 0; i < names->count; i++)
        if (!strcmp(names->name[i], name))
            return true;
    return false;
}

static void read_map(const char *path, struct names *names)
{
    FILE *file = fopen(path, "r");
    char line[256], name[128];

    if (!file)
        die("can't be read", path);
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, " %127[A-Za-z0-9_];", name) == 1 && strchr(line, ';') && !strchr(line, '}')) {
            if (names->count == COUNT(names->name))
                die("too many names", path);
            names->name[names->count++] = strdup(name);
        }
    }
    fclose(file);
    if (names->count < 50)
        die("too few names", path);
}

/* The function in the program and the one in the library are not the same. */
static void check_origin(const char *name, any_fn mine, any_fn theirs)
{
    Dl_info here, there;
    void *a, *b;

    memcpy(&a, &mine, sizeof(a));
    memcpy(&b, &theirs, sizeof(b));
    if (!dladdr(a, &here) || !dladdr(b, &there) || !strcmp(here.dli_fname, there.dli_fname) || !there.dli_sname ||
        strcmp(there.dli_sname, name)) {
        printf("%s: inline function and symbol are the same code\n", name);
        failures++;
    }
}

static void random_world(void)
{
    uint64_t *word = (uint64_t *) (void *) &w;

    for (unsigned i = 0; i < sizeof(w) / sizeof(*word); i++)
        word[i] = bits();
}

static const char *part(size_t offset)
{
#define PART(member)                                                      \
    if (offset - offsetof(struct world, member) < sizeof(w.member))       \
        return #member;
    PART(ring)
    PART(sqes)
    PART(cqes)
    PART(bufs)
    PART(iter)
    PART(result)
    PART(cqe)
    PART(count)
#undef PART
    return "other memory";
}

static void report(const char *name, unsigned long round)
{
    const unsigned char *mine = (const unsigned char *) &by_inline, *theirs = (const unsigned char *) &w;
    size_t at = 0;

    while (mine[at] == theirs[at])
        at++;
    printf("%s: round %lu, byte %zu (%s): inline %#x, symbol %#x\n", name, round, at, part(at), mine[at], theirs[at]);
    printf("  arguments");
    for (unsigned i = 0; i < COUNT(arg); i++)
        printf(" %#llx", (unsigned long long) arg[i]);
    printf("\n");
    failures++;
}

/* Whether both functions do the same. */
static bool compare(const char *name, any_fn mine, any_fn theirs, const struct filler *filler,
                    const struct ring_case *ring_case, bool quiet)
{
    seed_random(seed, name);
    for (unsigned long round = 0; round < rounds; round++) {
        random_world();
        for (unsigned i = 0; i < COUNT(arg); i++)
            arg[i] = value();
        if (ring_case)
            ring_case->prepare();
        image = w;
        for (unsigned pass = 0; pass < 2; pass++) {
            any_fn fn = pass == 0 ? mine : theirs;

            w = image;
            if (filler)
                filler->call(fn, w.sqes, arg);
            else
                ring_case->call(fn);
            if (pass == 0)
                by_inline = w;
        }
        if (memcmp(&w, &by_inline, sizeof(w))) {
            if (!quiet)
                report(name, round);
            return false;
        }
    }
    return true;
}

static const struct filler *find_filler(const char *name)
{
    for (unsigned i = 0; i < COUNT(fillers); i++)
        if (!strcmp(fillers[i].name, name))
            return &fillers[i];
    return NULL;
}

static const struct ring_case *find_ring_case(const char *name)
{
    for (unsigned i = 0; i < nr_ring_cases; i++)
        if (!strcmp(ring_cases[i].name, name))
            return &ring_cases[i];
    return NULL;
}

/* The comparison must find a difference. */
static void check_comparison(void)
{
    const struct filler *read = find_filler("io_uring_prep_read");
    const struct ring_case *ready = find_ring_case("io_uring_sq_ready");

    if (!read || compare(read->name, read->fn, library_fn("io_uring_prep_write"), read, NULL, true) || !ready ||
        compare(ready->name, ready->fn, library_fn("io_uring_sq_space_left"), NULL, ready, true))
        die("the comparison sees no difference", "parity");
}

/* A buffer ring that the kernel knows of, as it fills up. */
static void check_real_buf_ring(void)
{
    __typeof__(&io_uring_queue_init) init = (__typeof__(&io_uring_queue_init)) library_fn("io_uring_queue_init");
    __typeof__(&io_uring_queue_exit) quit = (__typeof__(&io_uring_queue_exit)) library_fn("io_uring_queue_exit");
    __typeof__(&io_uring_setup_buf_ring) setup =
        (__typeof__(&io_uring_setup_buf_ring)) library_fn("io_uring_setup_buf_ring");
    __typeof__(&io_uring_buf_ring_available) theirs =
        (__typeof__(&io_uring_buf_ring_available)) library_fn("io_uring_buf_ring_available");
    struct io_uring ring;
    struct io_uring_buf_ring *br;
    static char buffers[8][16];
    int ret = init(4, &ring, 0);

    if (ret < 0) {
        printf("SKIP: io_uring_buf_ring_available() on a real ring: %s\n", strerror(-ret));
        return;
    }
    br = setup(&ring, 8, 5, 0, &ret);
    if (br && io_uring_buf_ring_available(&ring, br, 5) == -EINVAL) {
        printf("SKIP: io_uring_buf_ring_available() on a real ring: the kernel can't tell\n");
    } else if (br) {
        for (int i = 0; i <= 8; i++) {
            int mine = io_uring_buf_ring_available(&ring, br, 5);

            if (mine != i || theirs(&ring, br, 5) != i) {
                printf("io_uring_buf_ring_available: inline %d, symbol %d, there are %d\n", mine, theirs(&ring, br, 5), i);
                failures++;
            }
            io_uring_buf_ring_add(br, buffers[i % 8], 16, (unsigned short) i, io_uring_buf_ring_mask(8), 0);
            io_uring_buf_ring_advance(br, 1);
        }
    } else {
        printf("SKIP: io_uring_buf_ring_available() on a real ring: %s\n", strerror(-ret));
    }
    quit(&ring);
}

/* The functions of the header that are neither compared nor building blocks of others. */
static void check_header(const struct names *wanted)
{
    for (unsigned i = 0; i < COUNT(header_functions); i++) {
        const char *name = header_functions[i];
        bool known = contains(wanted, name);

        for (unsigned j = 0; j < nr_local_cases; j++)
            known = known || !strcmp(local_cases[j].name, name);
        if (!known && strncmp(name, "_io_uring_", 10)) {
            printf("%s: in the header, but in no map and without a case\n", name);
            failures++;
        }
    }
}

int main(int argc, char **argv)
{
    static struct names ffi_names, plain_names, wanted;
    unsigned compared = 0, local = 0;
    int option;

    while ((option = getopt(argc, argv, "r:s:o:")) != -1) {
        if (option == 'r')
            rounds = strtoul(optarg, NULL, 0);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 0);
        else if (option == 'o')
            only = optarg;
        else
            return 2;
    }
    if (argc - optind != 4 || rounds == 0) {
        fprintf(stderr, "usage: parity [-r ROUNDS] [-s SEED] [-o FUNCTION] FFI_LIBRARY LIBRARY FFI_MAP MAP\n");
        return 2;
    }
    ffi = dlopen(argv[optind], RTLD_NOW | RTLD_LOCAL);
    plain = dlopen(argv[optind + 1], RTLD_NOW | RTLD_LOCAL);
    if (!ffi || !plain)
        die(dlerror(), "dlopen");
    read_map(argv[optind + 2], &ffi_names);
    read_map(argv[optind + 3], &plain_names);
    for (unsigned i = 0; i < ffi_names.count; i++)
        if (!contains(&plain_names, ffi_names.name[i]) || !strcmp(ffi_names.name[i], "io_uring_get_sqe"))
            wanted.name[wanted.count++] = ffi_names.name[i];

    check_comparison();
    for (unsigned i = 0; i < wanted.count; i++) {
        const char *name = wanted.name[i];
        const struct filler *filler = find_filler(name);
        const struct ring_case *ring_case = filler ? NULL : find_ring_case(name);
        any_fn mine = filler ? filler->fn : ring_case ? ring_case->fn : NULL;

        if (only && strcmp(only, name))
            continue;
        if (!mine) {
            printf("%s: in liburing-ffi's map, but without a case\n", name);
            failures++;
            continue;
        }
        check_origin(name, mine, library_fn(name));
        compare(name, mine, library_fn(name), filler, ring_case, false);
        compared++;
    }
    for (unsigned i = 0; i < nr_local_cases; i++) {
        if (only && strcmp(only, local_cases[i].name))
            continue;
        seed_random(seed, local_cases[i].name);
        for (unsigned long round = 0; round < rounds; round++) {
            random_world();
            if (!local_cases[i].holds()) {
                printf("%s: round %lu: does not do what it must\n", local_cases[i].name, round);
                failures++;
                break;
            }
        }
        local++;
    }
    if (!only) {
        check_header(&wanted);
        check_real_buf_ring();
    }
    if (failures) {
        printf("%u failures, seed %llu\n", failures, (unsigned long long) seed);
        return 1;
    }
    printf("%u inline functions do what their symbols do, %u others what they must: %lu rounds each, seed %llu\n",
           compared, local, rounds, (unsigned long long) seed);
    return 0;
}
