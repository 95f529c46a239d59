/* Running a sequence on both libraries, each in a process of its own. */
#ifndef RUN_H
#define RUN_H

#include "fuzz.h"

#define NR_SIDES 2

struct difference {
    unsigned step;
    enum label label;
    unsigned index;
    uint64_t value[NR_SIDES];
};

/* `libraries` has liburing-ffi and liburing of each side. */
void run_start(const char *const libraries[NR_SIDES][2]);
void run_stop(void);
/* Whether the two differed, and where first. After step `full_at` all words of memory are compared one by one. */
bool run_differs(const struct step *steps, unsigned count, int full_at, struct difference *difference);
const struct record *run_record(unsigned side);

#endif
