/* What a sequence does beside calling the library: it prepares arguments, and reads and writes files. */
#ifndef OWN_H
#define OWN_H

#include <liburing-ffi.h>

/* In liburing only, and so not in the header of liburing-ffi. */
int io_uring_buf_ring_head(struct io_uring *ring, int buf_group, uint16_t *head);

/* Parameters for set-up. A submission thread gets the shortest idle time. */
void own_set_params(struct io_uring_params *p, unsigned int setup_flags, unsigned int cq_entries,
                    unsigned int sq_entries);
void own_set_buf_reg(struct io_uring_buf_reg *reg, unsigned int ring_entries, int bgid);
void own_set_sync_cancel(struct io_uring_sync_cancel_reg *reg, uint64_t user_data, int fd, unsigned int flags);
void own_set_restrictions(struct io_uring_restriction *res, unsigned int off, unsigned int nr);
/* A region of memory for the arguments of waits. */
void own_set_region(struct io_uring_mem_region_reg *reg, unsigned int flags);
/* The ring as on kernels without arguments to waits. */
void own_hide_features(struct io_uring *ring);
void own_write(int fd, unsigned int len);
void own_read(int fd, unsigned int len);
void own_close(int fd);

#endif
