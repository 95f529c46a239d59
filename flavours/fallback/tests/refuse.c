/*
 * Runs a command to which system calls are refused.
 *
 * usage: refuse -e ERRNO [-c CALL]... COMMAND [ARGUMENT...]
 *
 * ERRNO is EPERM, ENOSYS, EACCES or EOPNOTSUPP. CALL is the number of a system
 * call; without any, io_uring's three are refused.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

enum { MOST_CALLS = 16 };

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

static int refuse(const unsigned *calls, unsigned count, int error)
{
    struct sock_filter code[MOST_CALLS + 3];
    struct sock_fprog program = { .filter = code };
    unsigned n = 0;

    code[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < count; i++)
        code[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], (unsigned char) (count - i), 0);
    code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error);
    program.len = (unsigned short) n;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int main(int argc, char **argv)
{
    unsigned calls[MOST_CALLS], count = 0;
    int option, error = EPERM;

    while ((option = getopt(argc, argv, "+e:c:")) != -1) {
        switch (option) {
        case 'e':
            error = error_number(optarg);
            break;
        case 'c':
            if (count < MOST_CALLS)
                calls[count++] = (unsigned) atoi(optarg);
            break;
        default:
            return 2;
        }
    }
    if (optind == argc) {
        fprintf(stderr, "usage: refuse -e ERRNO [-c CALL]... COMMAND [ARGUMENT...]\n");
        return 2;
    }
    if (count == 0)
        for (unsigned call = 425; call <= 427; call++)
            calls[count++] = call;
    if (refuse(calls, count, error) < 0) {
        perror("refuse: seccomp");
        return 77;
    }
    execvp(argv[optind], argv + optind);
    perror(argv[optind]);
    return 127;
}
