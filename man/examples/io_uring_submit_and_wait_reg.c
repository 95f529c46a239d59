/* Keeps the arguments of waits in registered memory, so that the kernel
 * need not copy them each time.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

static int skip(const char *reason)
{
    printf("SKIP: %s\n", reason);
    return 77;
}

int main(void)
{
    struct io_uring ring;
    struct io_uring_region_desc region;
    struct io_uring_mem_region_reg reg;
    struct io_uring_reg_wait *waits;
    struct io_uring_cqe *cqe;
    size_t size = (size_t) sysconf(_SC_PAGESIZE);
    int ret;

    ret = io_uring_queue_init(8, &ring, IORING_SETUP_R_DISABLED);
    ok(ret, "io_uring_queue_init");
    waits = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (waits == MAP_FAILED)
        err(1, "mmap");
    memset(&region, 0, sizeof(region));
    region.user_addr = (uintptr_t) waits;
    region.size = size;
    region.flags = IORING_MEM_REGION_TYPE_USER;
    memset(&reg, 0, sizeof(reg));
    reg.region_uptr = (uintptr_t) &region;
    reg.flags = IORING_MEM_REGION_REG_WAIT_ARG;

    /* A ring takes such a region only while it is disabled. */
    ret = io_uring_register_region(&ring, &reg);
    if (ret == -EINVAL)
        return skip("needs Linux 6.13");
    ok(ret, "io_uring_register_region");
    ok(io_uring_enable_rings(&ring), "io_uring_enable_rings");

    /* Number 3 of the waits: at most 50 milliseconds. */
    waits[3].ts.tv_nsec = 50000000;
    waits[3].flags = IORING_REG_WAIT_TS;
    ret = io_uring_submit_and_wait_reg(&ring, &cqe, 1, 3);
    if (ret != -ETIME)
        errx(1, "it gave %d", ret);
    io_uring_queue_exit(&ring);
    return 0;
}
