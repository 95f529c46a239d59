/*
 * A fio engine on top of liburing: fio then measures the liburing that the engine is linked with.
 *
 * It is built against the headers of one fio version, and only that version loads it; see README.md.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fio.h"
#include "optgroup.h"

#include <liburing.h>

/* fio treats an option at offset 0 as one without storage, hence the first member. */
struct uring_options {
    struct thread_data *td;
    unsigned int hipri;
    unsigned int fixedbufs;
    unsigned int registerfiles;
    unsigned int registerring;
    unsigned int sqthread_poll;
    unsigned int sqthread_cpu;
    unsigned int sqthread_pinned;
    unsigned int sqthread_idle;
    unsigned int nonvectored;
    unsigned int nowait;
    unsigned int force_async;
};

struct uring_state {
    struct io_uring ring;
    bool ring_ready;

    struct io_u **slots;        /* by io_u->index */
    struct iovec *iovecs;       /* by io_u->index */
    int *fds;                   /* by fio_file->engine_pos, while files are registered */

    struct io_u **prepared;     /* in the submission queue, in its order */
    unsigned int prepared_count;
    struct io_u **completed;    /* the result of the last getevents */

    unsigned int since_async;
};

static int pin_sqthread(void *data, unsigned long long *cpu)
{
    struct uring_options *o = data;

    o->sqthread_cpu = *cpu;
    o->sqthread_pinned = 1;
    return 0;
}

#define URING_OPTION .category = FIO_OPT_C_ENGINE, .group = FIO_OPT_G_IOURING
#define FLAG(member, text) { .name = #member, .lname = #member, .type = FIO_OPT_STR_SET, \
    .off1 = offsetof(struct uring_options, member), .help = text, URING_OPTION }
#define NUMBER(member, preset, text) { .name = #member, .lname = #member, .type = FIO_OPT_INT, \
    .off1 = offsetof(struct uring_options, member), .def = preset, .help = text, URING_OPTION }

/* The names equal those of fio's own io_uring engine, so one job file serves both. */
static struct fio_option options[] = {
    FLAG(hipri, "Poll for completions (IORING_SETUP_IOPOLL); needs direct=1 and a device with polling queues"),
    FLAG(fixedbufs, "Register the I/O buffers"),
    FLAG(registerfiles, "Register the files"),
    FLAG(registerring, "Register the ring's own descriptor"),
    FLAG(sqthread_poll, "Let a kernel thread poll the submission queue (IORING_SETUP_SQPOLL)"),
    {
        .name = "sqthread_poll_cpu", .lname = "sqthread_poll_cpu", .type = FIO_OPT_INT, .cb = pin_sqthread,
        .help = "CPU of that kernel thread", URING_OPTION
    },
    NUMBER(sqthread_idle, "0", "Milliseconds without work after which that thread sleeps; 0 is the kernel's choice"),
    NUMBER(nonvectored, "1", "1: read and write, 0: readv and writev"),
    NUMBER(force_async, "0", "Hand every Nth request to the kernel's workers (IOSQE_ASYNC)"),
    {
        .name = "nowait", .lname = "nowait", .type = FIO_OPT_BOOL, .off1 = offsetof(struct uring_options, nowait),
        .help = "Fail with EAGAIN rather than wait (RWF_NOWAIT)", URING_OPTION
    },
    { .name = NULL },
};

static void prep_rw(struct thread_data *td, struct io_uring_sqe *sqe, struct io_u *io_u, int fd)
{
    struct uring_state *s = td->io_ops_data;
    struct uring_options *o = td->eo;
    bool reading = io_u->ddir == DDIR_READ;
    struct iovec *iov = &s->iovecs[io_u->index];

    if (o->fixedbufs) {
        if (reading)
            io_uring_prep_read_fixed(sqe, fd, io_u->xfer_buf, io_u->xfer_buflen, io_u->offset, io_u->index);
        else
            io_uring_prep_write_fixed(sqe, fd, io_u->xfer_buf, io_u->xfer_buflen, io_u->offset, io_u->index);
    } else if (o->nonvectored) {
        if (reading)
            io_uring_prep_read(sqe, fd, io_u->xfer_buf, io_u->xfer_buflen, io_u->offset);
        else
            io_uring_prep_write(sqe, fd, io_u->xfer_buf, io_u->xfer_buflen, io_u->offset);
    } else {
        iov->iov_base = io_u->xfer_buf;
        iov->iov_len = io_u->xfer_buflen;
        if (reading)
            io_uring_prep_readv(sqe, fd, iov, 1, io_u->offset);
        else
            io_uring_prep_writev(sqe, fd, iov, 1, io_u->offset);
    }
    if (o->nowait)
        sqe->rw_flags |= RWF_NOWAIT;
    /* A request of a polling kernel thread does not inherit the job's priority. */
    sqe->ioprio = td->ioprio;
}

static void prep_trim(struct io_uring_sqe *sqe, struct io_u *io_u, int fd)
{
#if defined(IO_URING_VERSION_MAJOR) && (IO_URING_VERSION_MAJOR > 2 || IO_URING_VERSION_MINOR >= 9)
    io_uring_prep_cmd_discard(sqe, fd, io_u->offset, io_u->xfer_buflen);
#else
    /* Older versions of liburing have no helper, and older kernel headers have no name for the command. */
    io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, 0);
    sqe->cmd_op = _IO(0x12, 0);
    sqe->addr = io_u->offset;
    sqe->addr3 = io_u->xfer_buflen;
#endif
}

static enum fio_q_status engine_queue(struct thread_data *td, struct io_u *io_u)
{
    struct uring_state *s = td->io_ops_data;
    struct uring_options *o = td->eo;
    struct fio_file *f = io_u->file;
    struct io_uring_sqe *sqe;
    int fd = o->registerfiles ? (int)f->engine_pos : f->fd;

    fio_ro_check(td, io_u);

    sqe = io_uring_get_sqe(&s->ring);
    if (!sqe)
        return FIO_Q_BUSY;

    switch (io_u->ddir) {
    case DDIR_READ:
    case DDIR_WRITE:
        prep_rw(td, sqe, io_u, fd);
        break;
    case DDIR_TRIM:
        prep_trim(sqe, io_u, fd);
        break;
    case DDIR_SYNC_FILE_RANGE:
        io_uring_prep_sync_file_range(sqe, fd, f->last_write - f->first_write, f->first_write, td->o.sync_file_range);
        break;
    case DDIR_DATASYNC:
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
        break;
    default:
        io_uring_prep_fsync(sqe, fd, 0);
        break;
    }
    io_uring_sqe_set_data(sqe, io_u);
    if (o->registerfiles)
        sqe->flags |= IOSQE_FIXED_FILE;
    if (o->force_async && ++s->since_async == o->force_async) {
        s->since_async = 0;
        sqe->flags |= IOSQE_ASYNC;
    }

    s->prepared[s->prepared_count++] = io_u;
    return FIO_Q_QUEUED;
}

/* fio times a request from its submission. The first `count` prepared requests are on their way. */
static void mark_submitted(struct thread_data *td, unsigned int count)
{
    struct uring_state *s = td->io_ops_data;
    unsigned int i;

    if (fio_fill_issue_time(td)) {
        struct timespec now;

        fio_gettime(&now, NULL);
        for (i = 0; i < count; i++) {
            s->prepared[i]->issue_time = now;
            io_u_queued(td, s->prepared[i]);
        }
        if (td->o.read_iolog_file)
            td->last_issue = now;
    }
    io_u_mark_submit(td, count);
    s->prepared_count -= count;
    memmove(s->prepared, s->prepared + count, s->prepared_count * sizeof(*s->prepared));
}

static int engine_commit(struct thread_data *td)
{
    struct uring_state *s = td->io_ops_data;
    struct uring_options *o = td->eo;
    int ret;

    /* fio counts all of them as submitted afterwards, so none may stay behind. */
    while (s->prepared_count) {
        /* The call also posts completions that wait for this task to enter the kernel. */
        ret = o->sqthread_poll ? io_uring_submit(&s->ring) : io_uring_submit_and_get_events(&s->ring);
        if (ret < 0) {
            if (ret == -EAGAIN || ret == -EBUSY || ret == -EINTR) {
                usleep(1);
                continue;
            }
            td_verror(td, -ret, "io_uring_submit");
            return ret;
        }
        /* The polling thread may have taken some before they were counted, so all count as submitted. */
        mark_submitted(td, o->sqthread_poll ? s->prepared_count : (unsigned int)ret);
    }
    return 0;
}

static void finish_request(struct thread_data *td, struct io_u *io_u, int res)
{
    io_u->error = 0;
    io_u->resid = 0;
    if (io_u->ddir == DDIR_TRIM && (res == -EOPNOTSUPP || res == -EINVAL || res == -ENOTTY)) {
        /* Kernels before 6.12 have no discard by ring. The ioctl reports its own errors in io_u. */
        do_io_u_trim(td, io_u);
    } else if (res < 0) {
        io_u->error = -res;
        io_u->resid = io_u->xfer_buflen;
    } else if (ddir_rw(io_u->ddir) && io_u->ddir != DDIR_TRIM) {
        io_u->resid = io_u->xfer_buflen - res;
    }
}

static unsigned int reap(struct thread_data *td, unsigned int found, unsigned int max)
{
    struct uring_state *s = td->io_ops_data;
    struct io_uring_cqe *cqe;
    unsigned int head, count = 0;

    io_uring_for_each_cqe(&s->ring, head, cqe) {
        struct io_u *io_u = io_uring_cqe_get_data(cqe);

        if (found + count == max)
            break;
        finish_request(td, io_u, cqe->res);
        s->completed[found + count++] = io_u;
    }
    io_uring_cq_advance(&s->ring, count);
    return count;
}

static int engine_getevents(struct thread_data *td, unsigned int min_events, unsigned int max_events,
                            const struct timespec *timeout)
{
    struct uring_state *s = td->io_ops_data;
    struct __kernel_timespec limit;
    struct io_uring_cqe *cqe;
    unsigned int found;
    int ret;

    found = reap(td, 0, max_events);
    if (!found && !min_events) {
        ret = io_uring_get_events(&s->ring);
        if (ret < 0 && ret != -EAGAIN && ret != -EINTR)
            return ret;
        return reap(td, 0, max_events);
    }
    while (found < min_events) {
        if (timeout) {
            limit.tv_sec = timeout->tv_sec;
            limit.tv_nsec = timeout->tv_nsec;
            ret = io_uring_wait_cqes(&s->ring, &cqe, min_events - found, &limit, NULL);
        } else {
            ret = io_uring_wait_cqe_nr(&s->ring, &cqe, min_events - found);
        }
        if (ret < 0 && ret != -EAGAIN && ret != -EINTR && ret != -ETIME)
            return ret;
        found += reap(td, found, max_events);
        if (ret == -ETIME)
            break;
    }
    return found;
}

static struct io_u *engine_event(struct thread_data *td, int event)
{
    struct uring_state *s = td->io_ops_data;

    return s->completed[event];
}

static int engine_init(struct thread_data *td)
{
    struct uring_options *o = td->eo;
    struct uring_state *s;
    unsigned int depth = td->o.iodepth;

    if (o->registerfiles && td->o.nr_files != td->o.open_files) {
        log_err("fio: registerfiles needs every file open at once: set openfiles to nrfiles\n");
        return 1;
    }
    s = calloc(1, sizeof(*s));
    if (!s)
        return 1;
    td->io_ops_data = s;
    s->slots = calloc(depth, sizeof(*s->slots));
    s->iovecs = calloc(depth, sizeof(*s->iovecs));
    s->prepared = calloc(depth, sizeof(*s->prepared));
    s->completed = calloc(depth, sizeof(*s->completed));
    return !s->slots || !s->iovecs || !s->prepared || !s->completed;
}

static int engine_io_u_init(struct thread_data *td, struct io_u *io_u)
{
    struct uring_state *s = td->io_ops_data;

    s->slots[io_u->index] = io_u;
    return 0;
}

/* The flags that fio's own engine asks for, without those that an older kernel refuses. */
static int set_up_ring(struct thread_data *td)
{
    struct uring_state *s = td->io_ops_data;
    struct uring_options *o = td->eo;
    static const unsigned int niceties[] = {
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_COOP_TASKRUN,
        0,
    };
    unsigned int i;
    int ret = -EINVAL;

    for (i = 0; ret == -EINVAL && i < sizeof(niceties) / sizeof(niceties[0]); i++) {
        struct io_uring_params p = { .flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP, .cq_entries = td->o.iodepth };

        if (o->hipri)
            p.flags |= IORING_SETUP_IOPOLL;
        if (o->sqthread_poll) {
            p.flags |= IORING_SETUP_SQPOLL;
            p.sq_thread_idle = o->sqthread_idle;
            if (o->sqthread_pinned) {
                p.flags |= IORING_SETUP_SQ_AFF;
                p.sq_thread_cpu = o->sqthread_cpu;
            }
        }
        p.flags |= niceties[i];
        ret = io_uring_queue_init_params(td->o.iodepth, &s->ring, &p);
    }
    s->ring_ready = ret == 0;
    return ret;
}

static int register_buffers(struct thread_data *td)
{
    struct uring_state *s = td->io_ops_data;
    unsigned int i;

    for (i = 0; i < td->o.iodepth; i++) {
        s->iovecs[i].iov_base = s->slots[i]->buf;
        s->iovecs[i].iov_len = td_max_bs(td);
    }
    return io_uring_register_buffers(&s->ring, s->iovecs, td->o.iodepth);
}

/* Opens every file for the whole job. fio's calls to open and close a file then do nothing. */
static int register_files(struct thread_data *td)
{
    struct uring_state *s = td->io_ops_data;
    struct fio_file *f;
    unsigned int i;

    s->fds = malloc(td->o.nr_files * sizeof(*s->fds));
    if (!s->fds)
        return -ENOMEM;
    for (i = 0; i < td->o.nr_files; i++)
        s->fds[i] = -1;
    for_each_file(td, f, i) {
        if (generic_open_file(td, f))
            return td->error ? -td->error : -EIO;
        s->fds[i] = f->fd;
        f->engine_pos = i;
        f->fd = -1;
    }
    return io_uring_register_files(&s->ring, s->fds, td->o.nr_files);
}

static int engine_post_init(struct thread_data *td)
{
    struct uring_state *s = td->io_ops_data;
    struct uring_options *o = td->eo;
    const char *step = "io_uring_queue_init_params";
    int ret;

    ret = set_up_ring(td);
    if (ret == 0 && o->registerring) {
        step = "io_uring_register_ring_fd";
        ret = io_uring_register_ring_fd(&s->ring);
        ret = ret < 0 ? ret : 0;
    }
    if (ret == 0 && o->fixedbufs) {
        step = "io_uring_register_buffers";
        ret = register_buffers(td);
    }
    if (ret == 0 && o->registerfiles) {
        step = "io_uring_register_files";
        ret = register_files(td);
    }
    if (ret == 0)
        return 0;
    td_verror(td, -ret, step);
    return 1;
}

static void engine_cleanup(struct thread_data *td)
{
    struct uring_state *s = td->io_ops_data;
    unsigned int i;

    if (!s)
        return;
    if (s->ring_ready)
        io_uring_queue_exit(&s->ring);
    if (s->fds) {
        for (i = 0; i < td->o.nr_files; i++)
            if (s->fds[i] >= 0)
                close(s->fds[i]);
    }
    free(s->fds);
    free(s->slots);
    free(s->iovecs);
    free(s->prepared);
    free(s->completed);
    free(s);
    td->io_ops_data = NULL;
}

static int engine_open_file(struct thread_data *td, struct fio_file *f)
{
    struct uring_state *s = td->io_ops_data;

    /* fio opens files before the job starts as well, to learn their sizes. */
    if (!s || !s->fds)
        return generic_open_file(td, f);
    f->fd = s->fds[f->engine_pos];
    return 0;
}

static int engine_close_file(struct thread_data *td, struct fio_file *f)
{
    struct uring_state *s = td->io_ops_data;

    if (!s || !s->fds)
        return generic_close_file(td, f);
    f->fd = -1;
    return 0;
}

/* fio looks for this name. */
struct ioengine_ops ioengine = {
    .name = "liburing",
    .version = FIO_IOOPS_VERSION,
    .flags = FIO_NO_OFFLOAD | FIO_ASYNCIO_SETS_ISSUE_TIME,
    .init = engine_init,
    .post_init = engine_post_init,
    .io_u_init = engine_io_u_init,
    .queue = engine_queue,
    .commit = engine_commit,
    .getevents = engine_getevents,
    .event = engine_event,
    .cleanup = engine_cleanup,
    .open_file = engine_open_file,
    .close_file = engine_close_file,
    .get_file_size = generic_get_file_size,
    .options = options,
    .option_struct_size = sizeof(struct uring_options),
};
