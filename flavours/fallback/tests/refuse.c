/*
 * Runs a command to which system calls are refused.
 *
 * usage: refuse -e ERRNO [-c CALL]... COMMAND [ARGUMENT...]
 *        refuse -p COMMAND [ARGUMENT...]
 *        refuse -t COMMAND [ARGUMENT...]
 *
 * ERRNO is EPERM, ENOSYS, EACCES or EOPNOTSUPP. CALL is the number of a system
 * call, or a name of those below; without any, io_uring's three are refused.
 * -p refuses what a container's default profile does: all that is not allowed.
 * -t refuses threads, as a limit on tasks does, and leaves processes.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { MOST_CALLS = 16, MOST_CODE = 256 };

static struct sock_filter code[MOST_CODE];
static unsigned short length;

static void add(unsigned short operation, unsigned char if_true, unsigned char if_false, unsigned value)
{
    if (length == MOST_CODE)
        abort();
    code[length++] = (struct sock_filter) BPF_JUMP(operation, value, if_true, if_false);
}

static void load(size_t offset)
{
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned) offset);
}

static void answer(unsigned answer)
{
    add(BPF_RET | BPF_K, 0, 0, answer);
}

static int put_in_force(void)
{
    struct sock_fprog program = { .len = length, .filter = code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int error_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        { "EPERM", EPERM }, { "ENOSYS", ENOSYS }, { "EACCES", EACCES }, { "EOPNOTSUPP", EOPNOTSUPP },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].number;
    fprintf(stderr, "refuse: no such error: %s\n", name);
    exit(2);
}

static unsigned call_number(const char *text)
{
    static const struct {
        const char *name;
        unsigned number;
    } known[] = {
        { "io_setup", SYS_io_setup },         { "epoll_pwait2", SYS_epoll_pwait2 }, { "preadv2", SYS_preadv2 },
        { "pwritev2", SYS_pwritev2 },         { "memfd_create", SYS_memfd_create }, { "statx", SYS_statx },
        { "close_range", SYS_close_range },   { "openat2", SYS_openat2 },
        { "seccomp", SYS_seccomp },           { "io_uring_setup", SYS_io_uring_setup },
    };
    char *end;
    unsigned long number;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, text) == 0)
            return known[i].number;
    number = strtoul(text, &end, 10);
    if (*end || end == text) {
        fprintf(stderr, "refuse: no such call: %s\n", text);
        exit(2);
    }
    return (unsigned) number;
}

static int refuse(const unsigned *calls, unsigned count, int error)
{
    load(offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < count; i++) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, calls[i]);
        answer(SECCOMP_RET_ERRNO | (unsigned) error);
    }
    answer(SECCOMP_RET_ALLOW);
    return put_in_force();
}

/* Refuses a call if its first argument is, under a mask, something else than this or this very thing. */
static void by_argument(unsigned call, unsigned mask, unsigned value, bool refused_if_equal, int error)
{
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, call);
    load(offsetof(struct seccomp_data, args[0]));
    add(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
    add(BPF_JMP | BPF_JEQ | BPF_K, refused_if_equal ? 0 : 1, refused_if_equal ? 1 : 0, value);
    answer(SECCOMP_RET_ERRNO | (unsigned) error);
    answer(SECCOMP_RET_ALLOW);
}

/* libc then calls clone, whose arguments a filter can see. */
static void no_clone3(void)
{
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_clone3);
    answer(SECCOMP_RET_ERRNO | ENOSYS);
}

static int refuse_threads(void)
{
    load(offsetof(struct seccomp_data, nr));
    no_clone3();
    by_argument(SYS_clone, CLONE_THREAD, CLONE_THREAD, true, EAGAIN);
    answer(SECCOMP_RET_ALLOW);
    return put_in_force();
}

#ifdef __x86_64__
/*
 * What the default profile of container engines does not allow to programs without privileges, as ranges of calls.
 * What is newer than the profile is not allowed either.
 */
static const unsigned short not_allowed[][2] = {
    { SYS_syslog, SYS_syslog },
    { SYS_uselib, SYS_uselib },
    { SYS_ustat, SYS_ustat },
    { SYS_sysfs, SYS_sysfs },
    { SYS_vhangup, SYS_vhangup },
    { SYS_pivot_root, SYS__sysctl },
    { SYS_chroot, SYS_chroot },
    { SYS_acct, SYS_security },
    { SYS_lookup_dcookie, SYS_lookup_dcookie },
    { SYS_clock_settime, SYS_clock_settime },
    { SYS_vserver, SYS_get_mempolicy },
    { SYS_kexec_load, SYS_kexec_load },
    { SYS_add_key, SYS_keyctl },
    { SYS_migrate_pages, SYS_migrate_pages },
    { SYS_unshare, SYS_unshare },
    { SYS_move_pages, SYS_move_pages },
    { SYS_perf_event_open, SYS_perf_event_open },
    { SYS_fanotify_init, SYS_fanotify_init },
    { SYS_open_by_handle_at, SYS_open_by_handle_at },
    { SYS_setns, SYS_setns },
    { SYS_kcmp, SYS_finit_module },
    { SYS_kexec_file_load, SYS_bpf },
    { SYS_userfaultfd, SYS_userfaultfd },
    { SYS_io_uring_setup, SYS_fspick },
    { SYS_pidfd_getfd, SYS_pidfd_getfd },
    { SYS_process_madvise, SYS_process_madvise },
    { SYS_mount_setattr, SYS_mount_setattr + 1 },
    { SYS_futex_waitv + 1, 0xffff },
};

enum { NAMESPACES = 0x7e020000 };

static int refuse_as_container(void)
{
    load(offsetof(struct seccomp_data, nr));
    by_argument(SYS_clone, NAMESPACES, 0, false, EPERM);
    by_argument(SYS_socket, ~0u, AF_VSOCK, true, EPERM);
    by_argument(SYS_personality, ~8u, 0, false, EPERM);
    no_clone3();
    for (size_t i = 0; i < sizeof(not_allowed) / sizeof(not_allowed[0]); i++) {
        add(BPF_JMP | BPF_JGE | BPF_K, 0, 2, not_allowed[i][0]);
        add(BPF_JMP | BPF_JGT | BPF_K, 1, 0, not_allowed[i][1]);
        answer(SECCOMP_RET_ERRNO | EPERM);
    }
    answer(SECCOMP_RET_ALLOW);
    return put_in_force();
}
#else
static int refuse_as_container(void)
{
    errno = ENOSYS;
    return -1;
}
#endif

int main(int argc, char **argv)
{
    unsigned calls[MOST_CALLS], count = 0;
    int option, error = EPERM, done;
    bool container = false, threads = true;

    while ((option = getopt(argc, argv, "+e:c:pt")) != -1) {
        switch (option) {
        case 'e':
            error = error_number(optarg);
            break;
        case 'c':
            if (count < MOST_CALLS)
                calls[count++] = call_number(optarg);
            break;
        case 't':
            threads = false;
            break;
        case 'p':
            container = true;
            break;
        default:
            return 2;
        }
    }
    if (optind == argc) {
        fprintf(stderr, "usage: refuse -e ERRNO [-c CALL]... COMMAND [ARGUMENT...]\n       refuse -p|-t COMMAND [ARGUMENT...]\n");
        return 2;
    }
    if (count == 0)
        for (unsigned call = 425; call <= 427; call++)
            calls[count++] = call;
    if (container)
        done = refuse_as_container();
    else if (!threads)
        done = refuse_threads();
    else
        done = refuse(calls, count, error);
    if (done < 0) {
        perror("refuse: seccomp");
        return 77;
    }
    execvp(argv[optind], argv + optind);
    perror(argv[optind]);
    return 127;
}
