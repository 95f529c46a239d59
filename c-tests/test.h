/*
 * The harness of the C tests: checks, cases, skips, leak counting.
 *
 * A test program lists its cases and ends with TEST_MAIN(cases). Every case runs in its own child process, in an empty
 * directory, under a watchdog. So no case affects the next one. A case fails if it ends with more ring descriptors or
 * ring mappings than it began with.
 */
#ifndef C_TESTS_TEST_H
#define C_TESTS_TEST_H

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_SKIP 77

#ifdef __SANITIZE_ADDRESS__
#define BUILT_WITH_ASAN true
#else
#define BUILT_WITH_ASAN false
#endif
#define WATCHDOG_SECONDS 30

struct test_case {
    const char *name;
    void (*run)(void);
};

#define CASE(function) { #function, function }
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#define TEST_MAIN(cases)                                            \
    int main(int argc, char **argv)                                 \
    {                                                               \
        return run_cases(cases, ARRAY_LEN(cases), argc, argv);      \
    }

/* ---- checks ---- */

static inline void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
static inline void test_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    printf("    %s:%d: ", file, line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

/* The errno text of a value that may be a negated errno. */
static inline const char *errno_note(long long value)
{
    return value < 0 && value > -4096 ? strerror((int) -value) : "";
}

static inline void check_compare(const char *file, int line, bool holds,
                                 const char *left_text, const char *op,
                                 const char *right_text,
                                 long long left, long long right)
{
    if (!holds)
        test_fail(file, line, "want %s %s %s; have %lld %s and %lld %s",
                  left_text, op, right_text, left, errno_note(left),
                  right, errno_note(right));
}

#define CHECK_OP(left, op, right)                                       \
    do {                                                                \
        long long left_value = (long long) (left);                      \
        long long right_value = (long long) (right);                    \
        check_compare(__FILE__, __LINE__, left_value op right_value,    \
                      #left, #op, #right, left_value, right_value);     \
    } while (0)

#define CHECK_EQ(left, right) CHECK_OP(left, ==, right)
#define CHECK_NE(left, right) CHECK_OP(left, !=, right)
#define CHECK_LT(left, right) CHECK_OP(left, <, right)
#define CHECK_LE(left, right) CHECK_OP(left, <=, right)
#define CHECK_GT(left, right) CHECK_OP(left, >, right)
#define CHECK_GE(left, right) CHECK_OP(left, >=, right)

#define CHECK(condition)                                                \
    do {                                                                \
        if (!(condition))                                               \
            test_fail(__FILE__, __LINE__, "want %s", #condition);       \
    } while (0)

/* For plain system calls: a failure shows errno. */
#define CHECK_SYS(expression) check_sys(__FILE__, __LINE__, #expression, (expression))
static inline int check_sys(const char *file, int line, const char *text, long result)
{
    if (result < 0)
        test_fail(file, line, "%s: %s", text, strerror(errno));
    return (int) result;
}

#define CHECK_MEM(left, right, size)                                    \
    check_mem(__FILE__, __LINE__, #left, #right, left, right, size)
static inline void check_mem(const char *file, int line, const char *left_text,
                             const char *right_text, const void *left,
                             const void *right, size_t size)
{
    const unsigned char *l = (const unsigned char *) left;
    const unsigned char *r = (const unsigned char *) right;

    for (size_t i = 0; i < size; i++)
        if (l[i] != r[i])
            test_fail(file, line, "%s and %s differ at byte %zu of %zu: 0x%02x, 0x%02x",
                      left_text, right_text, i, size, l[i], r[i]);
}

/* ---- skips ---- */

static inline void skip(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));
static inline void skip(const char *format, ...)
{
    va_list args;

    printf("    reason: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    _exit(EXIT_SKIP);
}

/*
 * Marks a case that upstream's liburing fails. C_TESTS_REFERENCE is set when the tests run on that library.
 */
static inline void better_than_reference(const char *what)
{
    if (getenv("C_TESTS_REFERENCE"))
        skip("better than the reference: %s", what);
}

/* ---- errno ---- */

/* Elsewhere the system calls of upstream's liburing are libc's, which set errno. */
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)
#define REFERENCE_KEEPS_ERRNO 1
#else
#define REFERENCE_KEEPS_ERRNO 0
#endif

/* Not an errno of the kernel, so no call sets it by chance. */
#define ERRNO_SENTINEL 7777

static inline void check_errno_kept(const char *file, int line, const char *call)
{
    int changed = errno;

    if (changed == ERRNO_SENTINEL)
        return;
    if (!REFERENCE_KEEPS_ERRNO)
        better_than_reference("errno stays as it is");
    test_fail(file, line, "%s sets errno to %d", call, changed);
}

/* The value of a library call, which must not change errno. */
#define KEEPS_ERRNO(call)                                               \
    __extension__({                                                     \
        errno = ERRNO_SENTINEL;                                         \
        __typeof__(call) kept_value = (call);                           \
        check_errno_kept(__FILE__, __LINE__, #call);                    \
        kept_value;                                                     \
    })

/* ---- pages ---- */

static inline size_t page_size(void)
{
    return (size_t) sysconf(_SC_PAGESIZE);
}

/* Memory of whole pages, all zeros. Their size differs between architectures. */
static inline char *new_pages(unsigned count)
{
    void *pages = mmap(NULL, count * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(pages != MAP_FAILED);
    return (char *) pages;
}

/* ---- leak counting ---- */

static inline unsigned count_entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    unsigned count = 0;

    CHECK(dir != NULL);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static inline unsigned count_fds(void)
{
    return count_entries("/proc/self/fd") - 1; /* without the directory's own descriptor */
}

static inline unsigned count_ring_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    unsigned count = 0;

    CHECK(dir != NULL);
    while ((entry = readdir(dir))) {
        char target[64];
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (len > 0) {
            target[len] = '\0';
            count += strstr(target, "[io_uring]") != NULL;
        }
    }
    closedir(dir);
    return count;
}

struct map_count {
    unsigned ring_maps;      /* mappings of ring descriptors */
    size_t ring_bytes;
    size_t other_bytes;      /* all other mappings except heap and stack */
};

static inline struct map_count count_maps(void)
{
    struct map_count count = { 0, 0, 0 };
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];

    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long start, end;

        if (sscanf(line, "%lx-%lx", &start, &end) != 2)
            continue;
        if (strstr(line, "[io_uring]")) {
            count.ring_maps++;
            count.ring_bytes += end - start;
        } else if (!strstr(line, "[heap]") && !strstr(line, "[stack]")) {
            count.other_bytes += end - start;
        }
    }
    fclose(maps);
    return count;
}

/* The resources that a failing call must not change. */
struct leak_mark {
    unsigned fds;
    struct map_count maps;
};

static inline struct leak_mark leak_mark(void)
{
    struct leak_mark mark;

    /* stdio and readdir allocate their memory before the first count */
    count_fds();
    count_maps();
    mark.fds = count_fds();
    mark.maps = count_maps();
    return mark;
}

#define CHECK_NO_LEAK(mark)                                             \
    do {                                                                \
        struct leak_mark now_mark = leak_mark();                        \
        CHECK_EQ(now_mark.fds, (mark).fds);                             \
        CHECK_EQ(now_mark.maps.ring_maps, (mark).maps.ring_maps);       \
        CHECK_EQ(now_mark.maps.ring_bytes, (mark).maps.ring_bytes);     \
        CHECK_EQ(now_mark.maps.other_bytes, (mark).maps.other_bytes);   \
    } while (0)

/*
 * Becomes an unprivileged user that runs no other process, so only this process counts for the kernel's limits. The
 * process id makes the user id unique.
 */
static inline void become_plain_user(void)
{
    uid_t user = 1000000 + (uid_t) getpid();

    if (setresuid(user, user, user) < 0)
        skip("the user can't be changed: %s", strerror(errno));
}

/* ---- running ---- */

static inline void on_watchdog(int signal_number)
{
    static const char text[] = "    watchdog: the case hangs\n";
    ssize_t ignored = write(STDOUT_FILENO, text, sizeof(text) - 1);

    (void) ignored;
    (void) signal_number;
    _exit(1);
}

static inline int remove_entry(const char *path, const struct stat *status, int type,
                               struct FTW *walk)
{
    (void) status;
    (void) type;
    (void) walk;
    return remove(path);
}

static inline void run_case_child(const struct test_case *test, const char *dir)
{
    /* An emulated machine has its own limit. */
    const char *slow = getenv("C_TESTS_WATCHDOG");
    unsigned fds, maps;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, on_watchdog);
    alarm(slow ? (unsigned) atoi(slow) : WATCHDOG_SECONDS);
    CHECK_SYS(chdir(dir));
    fds = count_ring_fds();
    maps = count_maps().ring_maps;
    test->run();
    CHECK_EQ(count_ring_fds(), fds);
    CHECK_EQ(count_maps().ring_maps, maps);
    exit(0);
}

static inline int run_case(const struct test_case *test)
{
    const char *base = getenv("TMPDIR");
    char dir[512];
    int status;
    pid_t child;

    snprintf(dir, sizeof(dir), "%s/c-test.XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir)) {
        printf("FAIL %s: mkdtemp %s: %s\n", test->name, dir, strerror(errno));
        return 1;
    }
    /* a case that changes its user id must still write here */
    chmod(dir, 0777);
    fflush(stdout);
    child = fork();
    if (child == 0)
        run_case_child(test, dir);
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = 1 << 8;
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);

    if (WIFSIGNALED(status)) {
        printf("FAIL %s: signal %d, %s\n", test->name, WTERMSIG(status),
               strsignal(WTERMSIG(status)));
        return 1;
    }
    if (WEXITSTATUS(status) == 0)
        printf("ok %s\n", test->name);
    else if (WEXITSTATUS(status) == EXIT_SKIP)
        printf("skip %s\n", test->name);
    else
        printf("FAIL %s\n", test->name);
    return WEXITSTATUS(status);
}

/* Runs all cases, or those named on the command line. */
static inline int run_cases(const struct test_case *cases, size_t count,
                            int argc, char **argv)
{
    unsigned passed = 0, skipped = 0, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < count; i++) {
        bool wanted = argc < 2;
        int result;

        for (int a = 1; a < argc; a++)
            wanted |= !strcmp(argv[a], cases[i].name);
        if (!wanted)
            continue;
        result = run_case(&cases[i]);
        passed += result == 0;
        skipped += result == EXIT_SKIP;
        failed += result != 0 && result != EXIT_SKIP;
    }
    printf("%u passed, %u skipped, %u failed\n", passed, skipped, failed);
    if (failed)
        return 1;
    return passed ? 0 : EXIT_SKIP;
}

#endif
