/* Asking the kernel which descriptors are of one open file. */
#ifndef NEED_KCMP_H
#define NEED_KCMP_H

#include "ring.h"

/* Skips unless the kernel says that these are. */
static inline void need_kcmp(int one, int other)
{
    if (syscall(SYS_kcmp, getpid(), getpid(), 0, one, other) != 0)
        skip("the kernel does not say which descriptors are of one file");
}

#endif
