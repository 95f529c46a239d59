/* Requests of each opcode that the kernel takes, for the program that tries what it refuses. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                              \
    do {                                                                             \
        if (!(condition)) {                                                          \
            fprintf(stderr, "refusals: line %d: want %s (errno %d)\n", __LINE__, #condition, errno); \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

#define GROUP 7
#define SIZE 4096

/* A ring for messages, the buffers of group GROUP, pages for a request's memory, and a file: the caller's to make. */
extern struct io_uring other;
extern struct io_uring_buf_ring *buffers;
extern char *memory, *more;
extern int file;

/* A page behind which there is nothing: lengths are tried, too. */
char *page(void);

/* Makes a request that the kernel takes. Returns whether there is one for this opcode. */
bool valid(unsigned op, struct io_uring_sqe *sqe);

/* Another form of the opcode's requests, which takes other fields. Returns whether there is one. */
bool another(unsigned op, struct io_uring_sqe *sqe);

#endif
