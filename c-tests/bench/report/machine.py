"""The machine of the measurement, and its load."""
import datetime
import os
import platform
import resource
import subprocess


def first_line(path, key=None):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if key is None or line.startswith(key):
                    return line.split(":", 1)[-1].strip()
    except OSError:
        pass
    return None


def virtualization():
    try:
        found = subprocess.run(["systemd-detect-virt", "--vm"], text=True, stdout=subprocess.PIPE).stdout.strip()
    except OSError:
        found = ""
    if found and found != "none":
        return found
    flags = first_line("/proc/cpuinfo", "flags") or ""
    return "a hypervisor" if " hypervisor" in flags else "none"


def describe(path):
    """Facts about the machine. `path` is the place of the file for reads."""
    filesystem = subprocess.run(["stat", "-f", "-c", "%T", path], text=True, stdout=subprocess.PIPE).stdout.strip()
    return {
        "processor": first_line("/proc/cpuinfo", "model name") or platform.machine(),
        "processors": os.cpu_count(),
        "virtualization": virtualization(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "kernel": f"{platform.system()} {platform.release()}",
        "filesystem": filesystem,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def load():
    """Runnable tasks, the average of the last minute."""
    return round(os.getloadavg()[0], 2)


def allow_many_rings(number):
    """Raise the limit of open files. Return how many rings a process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + 64
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return number
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        return number
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard - 64
