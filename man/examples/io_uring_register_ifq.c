/* Takes over queue 0 of a network interface, given by its name. The
 * device must be able to separate headers from data, and the program
 * needs CAP_NET_ADMIN.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define AREA (64 * 4096)

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

int main(int argc, char *argv[])
{
    struct io_uring_zcrx_area_reg area;
    struct io_uring_region_desc refill;
    struct io_uring_zcrx_ifq_reg queue;
    struct io_uring ring;
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    int ret;

    ret = io_uring_queue_init(8, &ring,
                              IORING_SETUP_SINGLE_ISSUER |
                                  IORING_SETUP_DEFER_TASKRUN |
                                  IORING_SETUP_CQE32);
    if (ret == -EINVAL)
        return skip("needs Linux 6.1");
    ok(ret, "io_uring_queue_init");

    memset(&area, 0, sizeof(area));
    area.addr = (uintptr_t) mmap(NULL, AREA, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    area.len = AREA;
    memset(&refill, 0, sizeof(refill));
    refill.size = 2 * page;
    refill.user_addr =
        (uintptr_t) mmap(NULL, refill.size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    refill.flags = IORING_MEM_REGION_TYPE_USER;
    memset(&queue, 0, sizeof(queue));
    queue.if_idx = if_nametoindex(argc > 1 ? argv[1] : "lo");
    queue.rq_entries = 64;
    queue.area_ptr = (uintptr_t) &area;
    queue.region_ptr = (uintptr_t) &refill;

    ret = io_uring_register_ifq(&ring, &queue);
    if (ret == -EOPNOTSUPP || ret == -EINVAL || ret == -ENODEV ||
        ret == -EPERM || ret == -EEXIST)
        return skip(
            "needs Linux 6.15 with zero-copy receive, and a device that can do it");
    ok(ret, "io_uring_register_ifq");
    printf("queue %u, entries from byte %u on\n", queue.zcrx_id,
           queue.offsets.rqes);
    io_uring_queue_exit(&ring);
    return 0;
}
