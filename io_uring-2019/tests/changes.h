/*
 * The ways in which a program closes a descriptor, or has its number lead to
 * another file.
 */
#ifndef TESTS_2019_CHANGES_H
#define TESTS_2019_CHANGES_H

#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "raw.h"

/* Other names that glibc exports. */
extern int __close(int fd) __attribute__((weak));
extern int __dup2(int old, int new) __attribute__((weak));
extern int _IO_fclose(FILE *stream) __attribute__((weak));

static int other;

/* Another descriptor of the same file, with a stream or a directory around it. */
static FILE *stream_at(int fd, FILE *stream)
{
    CHECK(stream);
    CHECK_EQ(dup2(fd, fileno(stream)), fileno(stream));
    return stream;
}

static void by_close(int fd) { CHECK_SYS(close(fd)); }
static void by_close_alias(int fd) { CHECK_SYS(__close ? __close(fd) : close(fd)); }
static void by_close_number(int fd) { CHECK_SYS(syscall(SYS_close, fd)); }
static void by_range(int fd) { CHECK_SYS(close_range(fd, fd, 0)); }
static void by_range_number(int fd) { CHECK_SYS(syscall(SYS_close_range, fd, fd, 0)); }
static void by_dup2(int fd) { CHECK_SYS(dup2(other, fd)); }
static void by_dup2_alias(int fd) { CHECK_SYS(__dup2 ? __dup2(other, fd) : dup2(other, fd)); }
static void by_dup2_number(int fd) { CHECK_SYS(syscall(SYS_dup2, other, fd)); }
static void by_dup3(int fd) { CHECK_SYS(dup3(other, fd, 0)); }
static void by_dup3_number(int fd) { CHECK_SYS(syscall(SYS_dup3, other, fd, 0)); }

static FILE *stream;
static DIR *directory;

static int plain(int fd) { return fd; }
static int in_stream(int fd) { return fileno(stream = fdopen(fd, "r")); }
static int in_mounts(int fd) { return fileno(stream = stream_at(fd, setmntent("/proc/self/mounts", "r"))); }
static int in_pipe(int fd) { return fileno(stream = stream_at(fd, popen("true", "r"))); }
static int in_directory(int fd)
{
    CHECK(directory = opendir("."));
    return CHECK_SYS(dup2(fd, dirfd(directory)));
}

static void by_fclose(int fd) { (void) fd; CHECK_EQ(fclose(stream), 0); }
static void by_fclose_alias(int fd) { (void) fd; CHECK_EQ(_IO_fclose ? _IO_fclose(stream) : fclose(stream), 0); }
static void by_freopen(int fd) { (void) fd; CHECK(freopen("other", "w", stream)); }
static void by_freopen64(int fd) { (void) fd; CHECK(freopen64("other", "w", stream)); }
static void by_endmntent(int fd) { (void) fd; CHECK_EQ(endmntent(stream), 1); }
static void by_pclose(int fd) { (void) fd; CHECK_EQ(pclose(stream), 0); }
static void by_closedir(int fd) { (void) fd; CHECK_EQ(closedir(directory), 0); }

static const struct {
    const char *name;
    /* Makes of a descriptor one that `change` changes, and returns its number. */
    int (*prepare)(int fd);
    void (*change)(int fd);
    /* What it leads to after that: nothing, or a file that is open for writing only. */
    enum { CLOSED, REPLACED } after;
} ways[] = {
    { "close", plain, by_close, CLOSED },
    { "__close", plain, by_close_alias, CLOSED },
    { "close by number", plain, by_close_number, CLOSED },
    { "close_range", plain, by_range, CLOSED },
    { "close_range by number", plain, by_range_number, CLOSED },
    { "dup2", plain, by_dup2, REPLACED },
    { "__dup2", plain, by_dup2_alias, REPLACED },
    { "dup2 by number", plain, by_dup2_number, REPLACED },
    { "dup3", plain, by_dup3, REPLACED },
    { "dup3 by number", plain, by_dup3_number, REPLACED },
    { "fclose", in_stream, by_fclose, CLOSED },
    { "_IO_fclose", in_stream, by_fclose_alias, CLOSED },
    { "freopen", in_stream, by_freopen, REPLACED },
    { "freopen64", in_stream, by_freopen64, REPLACED },
    { "endmntent", in_mounts, by_endmntent, CLOSED },
    { "pclose", in_pipe, by_pclose, CLOSED },
    { "closedir", in_directory, by_closedir, CLOSED },
};

#endif
