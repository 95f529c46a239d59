/* The rows of each file. */
#ifndef STEPS_ROWS_H
#define STEPS_ROWS_H

#include "steps.h"

/* Runs every row, each between two breakpoints. */
void run_rows(void);

/* Calls that enter the kernel with one request, on a ring of some kind. */
void count_enters(struct io_uring *ring, const char *kind);

void count_queues(struct io_uring *ring);
void count_cycles(struct io_uring *ring);
void count_inlines(struct io_uring *ring);
void count_buf_ring(struct io_uring *ring);
void count_preps(void);
void count_setup(void);
void count_register(struct io_uring *ring);

#endif
