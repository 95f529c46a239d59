"""A small emulated machine: this project's init, two drives, the console as its only output. On amd64 the drives are
NVMe with polled queues."""

import os
import pathlib
import select
import shutil
import subprocess
import time

DRIVE_MIB = 64
POLL_QUEUES = 2


class BootError(Exception):
    pass


def archive(files, out):
    """An initramfs (the "newc" format of cpio) of {name: content}; all files executable, no links."""

    def entry(number, name, mode, data):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        header = b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        return pad(header) + pad(data)

    def pad(data):
        return data + b"\0" * (-len(data) % 4)

    # Each before what it holds.
    folders = ["dev"] + sorted({str(folder) for name in files for folder in pathlib.PurePath(name).parents} - {"."})
    parts = [entry(1000 + n, name, 0o040755, b"") for n, name in enumerate(folders)]
    parts += [entry(n, name, 0o100755, data) for n, (name, data) in enumerate(files.items(), 2)]
    parts.append(entry(0, "TRAILER!!!", 0, b""))
    pathlib.Path(out).write_bytes(b"".join(parts))


def file_system(folder, out, mib):
    """A drive with an ext4 file system that holds the folder's files."""
    mke2fs = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if mke2fs is None:
        raise BootError("mke2fs is missing (Debian package e2fsprogs)")
    out = pathlib.Path(out)
    out.unlink(missing_ok=True)
    done = subprocess.run([mke2fs, "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", str(folder), str(out), f"{mib}M"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise BootError(f"mke2fs: {done.stdout.strip()}")


def raw_drive(out):
    with open(out, "wb") as drive:
        drive.truncate(DRIVE_MIB << 20)


def command(kernel, initramfs, drives):
    emulated = kernel.architecture
    line = [emulated.qemu, *emulated.options, "-accel", "tcg", "-smp", "2", "-m", str(emulated.memory_mib),
            "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-monitor", "none",
            "-kernel", str(kernel.image), "-initrd", str(initramfs),
            "-append", f"console={emulated.console} panic=-1 loglevel=5 nvme.poll_queues={POLL_QUEUES} "
            # Old kernels do not poll a drive that may have several paths.
            "nvme_core.multipath=N"]
    if kernel.firmware:
        line += ["-bios", str(kernel.firmware)]
    for serial, drive in drives.items():
        line += ["-drive", f"file={drive},if=none,format=raw,id={serial},cache=unsafe",
                 "-device", f"{emulated.drive},drive={serial},serial={serial}"]
    return line


def boot(kernel, initramfs, drives, limit, on_line):
    """Runs the machine until it switches itself off. Gives each line of its console to `on_line`."""
    status, last = follow(command(kernel, initramfs, drives), limit, on_line)
    if status != 0:
        raise BootError(f"qemu exited {status}: {last[-200:]}")


def follow(line, limit, on_line):
    """Runs a command, and returns its status and an unfinished last line."""
    child = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until = time.monotonic() + limit
    rest = b""
    try:
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise BootError(f"not done after {limit} s")
            ready, _, _ = select.select([child.stdout], [], [], min(left, 5))
            if not ready:
                continue
            piece = os.read(child.stdout.fileno(), 65536)
            if not piece:
                break
            *lines, rest = (rest + piece).split(b"\n")
            for text in lines:
                on_line(text.decode(errors="replace").rstrip("\r"))
        return child.wait(), rest.decode(errors="replace")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
