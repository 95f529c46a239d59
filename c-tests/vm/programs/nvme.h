/* The machine's raw NVMe drive, as a block device and as the character device that takes commands. */
#ifndef VM_NVME_H
#define VM_NVME_H

#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

#include "file.h"

enum {
    BLOCK = 4096,
    NVME_WRITE = 0x01,
    NVME_READ = 0x02,
    NVME_IDENTIFY = 0x06,
};

static inline int open_drive(int flags)
{
    const char *path = getenv("VM_DRIVE");

    if (!path)
        skip("VM_DRIVE names no drive that may be overwritten");
    return CHECK_SYS(open(path, O_RDWR | O_DIRECT | flags));
}

/* The numbers in /dev/nvme0n1. */
static inline void drive_numbers(int *controller, int *number)
{
    const char *drive = getenv("VM_DRIVE");

    if (!drive)
        skip("VM_DRIVE names no drive that may be overwritten");
    CHECK_EQ(sscanf(drive, "/dev/nvme%dn%d", controller, number), 2);
}

/* The drive's device for commands. */
static inline int open_generic(void)
{
    int controller, number;
    char path[64];

    drive_numbers(&controller, &number);
    snprintf(path, sizeof(path), "/dev/ng%dn%d", controller, number);
    return CHECK_SYS(open(path, O_RDWR));
}

static inline int open_controller(void)
{
    int controller, number;
    char path[64];

    drive_numbers(&controller, &number);
    snprintf(path, sizeof(path), "/dev/nvme%d", controller);
    return CHECK_SYS(open(path, O_RDWR));
}

/* A number from the drive's folder in sysfs, -1 where there is no such file. */
static inline long drive_attribute(const char *name)
{
    const char *drive = strrchr(getenv("VM_DRIVE"), '/') + 1;
    char path[128];
    long value = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/sys/block/%s/%s", drive, name);
    file = fopen(path, "r");
    if (!file)
        return -1;
    if (fscanf(file, "%ld", &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

static inline char *aligned(size_t size)
{
    void *memory = NULL;

    CHECK_EQ(posix_memalign(&memory, BLOCK, size), 0);
    memset(memory, 0, size);
    return (char *) memory;
}

#endif
