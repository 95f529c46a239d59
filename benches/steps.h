/* Between the counter and the rows that it counts. */
#ifndef STEPS_H
#define STEPS_H

struct shared {
    char name[64];
};

extern struct shared *shared;

/* Runs every row, each in between two breakpoints. */
void run_rows(void);

#endif
