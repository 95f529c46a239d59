"""The emulated machines, one for each architecture."""

NVME = "nvme"
VIRTIO_PCI, VIRTIO_MMIO, VIRTIO_CCW = "virtio-blk-pci", "virtio-blk-device", "virtio-blk-ccw"
# Modules of Debian's kernels that init loads before it searches for drives.
MODULES = ["virtio_mmio", "virtio_pci", "virtio_blk", "ext4", "nvme", "tun"]


class Architecture:
    """`meta` is the package that depends on the kernel's; a kernel with `modules` cannot see its drives without them;
    `firmware` is a package, and the file in it."""

    def __init__(self, name, qemu, package, options, console, drive, meta, modules=True, memory_mib=1024, firmware=None):
        # Debian's name, without the size of pages
        self.debian = name.partition("-")[0]
        self.name, self.qemu, self.package, self.options = name, qemu, package, options
        self.console, self.drive, self.meta, self.modules = console, drive, meta, modules
        self.memory_mib, self.firmware = memory_mib, firmware


ARCHITECTURES = {architecture.name: architecture for architecture in [
    # The cloud kernel has its drives built in.
    Architecture("amd64", "qemu-system-x86_64", "qemu-system-x86", ["-machine", "q35", "-cpu", "max"],
                 "ttyS0 reboot=t", NVME, "linux-image-cloud-amd64", modules=False),
    Architecture("arm64", "qemu-system-aarch64", "qemu-system-arm", ["-machine", "virt", "-cpu", "max"],
                 "ttyAMA0", VIRTIO_PCI, "linux-image-arm64"),
    Architecture("arm64-16k", "qemu-system-aarch64", "qemu-system-arm", ["-machine", "virt", "-cpu", "max"],
                 "ttyAMA0", VIRTIO_PCI, "linux-image-arm64-16k"),
    Architecture("armhf", "qemu-system-arm", "qemu-system-arm", ["-machine", "virt", "-cpu", "cortex-a15"],
                 "ttyAMA0", VIRTIO_MMIO, "linux-image-armmp"),
    Architecture("riscv64", "qemu-system-riscv64", "qemu-system-misc", ["-machine", "virt"],
                 "ttyS0", VIRTIO_PCI, "linux-image-riscv64"),
    Architecture("ppc64el", "qemu-system-ppc64", "qemu-system-ppc", ["-machine", "pseries", "-cpu", "power9"],
                 "hvc0", VIRTIO_PCI, "linux-image-powerpc64le"),
    Architecture("ppc64el-64k", "qemu-system-ppc64", "qemu-system-ppc", ["-machine", "pseries", "-cpu", "power9"],
                 "hvc0", VIRTIO_PCI, "linux-image-powerpc64le-64k"),
    Architecture("s390x", "qemu-system-s390x", "qemu-system-misc", ["-machine", "s390-ccw-virtio", "-cpu", "max"],
                 "ttysclp0", VIRTIO_CCW, "linux-image-s390x"),
    Architecture("loong64", "qemu-system-loongarch64", "qemu-system-misc", ["-machine", "virt", "-cpu", "la464"],
                 "ttyS0", VIRTIO_PCI, "linux-image-loong64",
                 firmware=("qemu-efi-loongarch64", "usr/share/qemu-efi-loongarch64/QEMU_EFI.fd")),
    # With more memory this kernel has high memory, and its provided buffers fail there. It warns of two processors of
    # AMD's.
    Architecture("i386", "qemu-system-i386", "qemu-system-x86", ["-machine", "q35", "-cpu", "max,vendor=GenuineIntel"],
                 "ttyS0 reboot=t", VIRTIO_PCI, "linux-image-686-pae", memory_mib=700),
]}
