/* Hand-written. The one header that a program needs to include. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIB_URING_H
#define LIB_URING_H

#ifdef LIBURING_FFI_H
#error "<liburing-ffi.h> is for other languages than C: include this one alone"
#endif

#include "liburing/compat.h"
#include "liburing/io_uring.h"
#include "liburing/io_uring/query.h"
#include "liburing/io_uring/bpf_filter.h"
#include "liburing/io_uring_version.h"
#include "liburing/defs.h"
#include "liburing/barrier.h"
#include "liburing/types.h"
#include "liburing/functions.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "liburing/sqe.h"
#include "liburing/queue.h"
#include "liburing/buf_ring.h"
#include "liburing/recvmsg.h"
#include "liburing/prep_rw.h"
#include "liburing/prep_fs.h"
#include "liburing/prep_net.h"
#include "liburing/prep_poll.h"
#include "liburing/prep_timeout.h"
#include "liburing/prep_cancel.h"
#include "liburing/prep_buf.h"
#include "liburing/prep_msg_ring.h"
#include "liburing/prep_futex.h"
#include "liburing/prep_cmd.h"

#ifdef __cplusplus
}
#endif

/* Only for the functions above: a program may want to use the name itself. */
#undef IOURINGINLINE

#endif
