/*
 * The first process of the test machine. It loads the modules that /load names, mounts the file systems that programs
 * need, carries out /plan line by line, and switches the machine off.
 *
 *   set FILE VALUE              writes a value, to a sysctl for example
 *   env NAME VALUE              for the programs that follow
 *   with FILE                   links this file into the folder of each program that follows
 *   run LIMIT NAME ARG...       runs a program, at most LIMIT seconds, in an empty folder of /work; an argument
 *                               $NAME stands for the variable
 *
 * The programs' output goes to the console, between lines that begin with
 * "@begin NAME" and "@end NAME". No shell and no library are needed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 16
#define MAX_PATH 256
#define FOLDER "/work/now"
#define MAX_DRIVES 8
#define DRIVE_WAIT_MS 20000

static void mount_at(const char *type, const char *source, const char *target)
{
    mkdir(target, 0755);
    if (mount(source, target, type, 0, NULL))
        printf("@note mount %s: %s\n", target, strerror(errno));
}

static long long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/*
 * For kernels whose drivers of drives and file systems are modules. A module without hardware here may refuse to load.
 */
static void load_modules(void)
{
    FILE *list = fopen("/load", "r");
    char path[MAX_PATH];

    while (list && fscanf(list, "%255s", path) == 1) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if ((fd < 0 || syscall(SYS_finit_module, fd, "", 0)) && errno != EEXIST && errno != ENODEV)
            printf("@note load %s: %s\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    if (list)
        fclose(list);
}

/* Whether the drive of this name in /dev has this serial number, which is in a file of /sys/block/NAME. */
static int is_drive(const char *name, const char *file_of_serial, const char *wanted)
{
    char path[96], serial[64] = "";
    FILE *file;

    snprintf(path, sizeof(path), "/sys/block/%s/%s", name, file_of_serial);
    file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%63s", serial) != 1)
        *serial = 0;
    fclose(file);
    return !strcmp(serial, wanted);
}

/*
 * Finds the drive with this serial number. The kernel detects the drives in the background, in any order.
 */
static int find_drive(const char *wanted, char *name, size_t size)
{
    for (int i = 0; i < MAX_DRIVES; i++) {
        char nvme[16], virtio[16];

        snprintf(nvme, sizeof(nvme), "nvme%dn1", i);
        snprintf(virtio, sizeof(virtio), "vd%c", 'a' + i);
        if (is_drive(nvme, "device/serial", wanted))
            snprintf(name, size, "/dev/%s", nvme);
        else if (is_drive(virtio, "serial", wanted))
            snprintf(name, size, "/dev/%s", virtio);
        else
            continue;
        return access(name, F_OK);
    }
    return -1;
}

static int wait_for_drive(const char *serial, char *name, size_t size)
{
    long long until = now_ms() + DRIVE_WAIT_MS;

    while (find_drive(serial, name, size)) {
        if (now_ms() >= until) {
            printf("@note there is no drive %s\n", serial);
            return -1;
        }
        usleep(20000);
    }
    return 0;
}

/* One drive holds the programs and the folder they run in. They may overwrite the other. */
static void set_up_drives(void)
{
    char name[32];

    mkdir("/work", 0755);
    if (!wait_for_drive("files", name, sizeof(name)) && mount(name, "/work", "ext4", 0, NULL))
        printf("@note mount /work: %s\n", strerror(errno));
    chmod("/work", 0777);
    if (!wait_for_drive("raw", name, sizeof(name))) {
        setenv("VM_DRIVE", name, 1);
        if (!strncmp(name, "/dev/nvme", strlen("/dev/nvme"))) {
            char generic[48];

            snprintf(generic, sizeof(generic), "/dev/ng%s", name + strlen("/dev/nvme"));
            setenv("VM_DRIVE_COMMANDS", generic, 1);
        }
    }
}

static void loopback_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request;

    memset(&request, 0, sizeof(request));
    strcpy(request.ifr_name, "lo");
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request)) {
        printf("@note no loopback device: %s\n", strerror(errno));
        return;
    }
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

static void write_value(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        printf("@note set %s %s: %s\n", path, value, strerror(errno));
    else
        printf("@set %s %s\n", path, value);
    if (fd >= 0)
        close(fd);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void) status;
    (void) type;
    (void) walk;
    return remove(path);
}

static char companion[MAX_PATH];

static void make_folder(void)
{
    nftw(FOLDER, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mkdir(FOLDER, 0777);
    chmod(FOLDER, 0777);
    if (chdir(FOLDER))
        printf("@note %s: %s\n", FOLDER, strerror(errno));
    if (*companion && link(companion, strrchr(companion, '/') + 1))
        printf("@note link %s: %s\n", companion, strerror(errno));
}

static void run_child(char **args)
{
    int null = open("/dev/null", O_RDONLY);

    for (int i = 1; args[i]; i++)
        if (args[i][0] == '$' && getenv(args[i] + 1))
            args[i] = getenv(args[i] + 1);
    setsid();
    dup2(null, STDIN_FILENO);
    close(null);
    execv(args[0], args);
    printf("exec %s: %s\n", args[0], strerror(errno));
    _exit(126);
}

/* Waits for the child, and reaps orphans meanwhile. Returns -1 at the limit. */
static int wait_for(pid_t child, int seconds, int *status)
{
    long long until = now_ms() + seconds * 1000LL;

    for (;;) {
        int one;
        pid_t ended = waitpid(-1, &one, WNOHANG);

        if (ended == child) {
            *status = one;
            return 0;
        }
        if (ended > 0)
            continue;
        if (now_ms() >= until)
            return -1;
        usleep(2000);
    }
}

static void run(int limit, const char *name, char **args)
{
    long long start = now_ms();
    const char *how = "exit";
    int status = 0;
    pid_t child;

    make_folder();
    printf("@begin %s\n", name);
    fflush(stdout);
    child = fork();
    if (child == 0)
        run_child(args);
    if (wait_for(child, limit, &status)) {
        how = "timeout";
        kill(-child, SIGINT);
        if (wait_for(child, 5, &status)) {
            kill(-child, SIGKILL);
            wait_for(child, 10, &status);
        }
    } else if (WIFSIGNALED(status)) {
        how = "signal";
    }
    kill(-child, SIGKILL);
    printf("\n@end %s %s %d %lld\n", name, how,
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), now_ms() - start);
    fflush(stdout);
}

static void follow(char *line)
{
    char *words[MAX_ARGS + 1] = { NULL };
    int count = 0;

    for (char *word = strtok(line, " \n"); word && count < MAX_ARGS; word = strtok(NULL, " \n"))
        words[count++] = word;
    if (count >= 3 && !strcmp(words[0], "set"))
        write_value(words[1], words[2]);
    else if (count >= 3 && !strcmp(words[0], "env"))
        setenv(words[1], words[2], 1);
    else if (count >= 2 && !strcmp(words[0], "with") && words[1][0] == '/')
        snprintf(companion, sizeof(companion), "%s", words[1]);
    else if (count >= 4 && !strcmp(words[0], "run"))
        run(atoi(words[1]), words[2], &words[3]);
    else if (count)
        printf("@note bad line in the plan: %s\n", words[0]);
}

int main(void)
{
    struct rlimit files = { 20000, 20000 };
    char line[1024];
    FILE *plan;

    setvbuf(stdout, NULL, _IOLBF, 0);
    mount_at("proc", "proc", "/proc");
    mount_at("sysfs", "sys", "/sys");
    mount_at("devtmpfs", "dev", "/dev");
    mount_at("devpts", "devpts", "/dev/pts");
    mount_at("tmpfs", "shm", "/dev/shm");
    mount_at("tmpfs", "tmp", "/tmp");
    chmod("/tmp", 01777);
    chmod("/dev/shm", 01777);
    load_modules();
    set_up_drives();
    loopback_up();
    setrlimit(RLIMIT_NOFILE, &files);
    setenv("PATH", "/bin", 1);
    setenv("LC_ALL", "C", 1);
    plan = fopen("/plan", "r");
    if (!plan)
        printf("@note no /plan\n");
    while (plan && fgets(line, sizeof(line), plan))
        follow(line);
    printf("@done\n");
    fflush(stdout);
    sync();
    reboot(RB_AUTOBOOT);
    return 0;
}
