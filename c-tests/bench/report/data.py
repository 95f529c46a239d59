"""The file that reads read."""
import os

MIB = 256


def file(work):
    """Its path. The file is not sparse, and the page cache holds it since it was written."""
    path = os.path.join(work, "data")
    if not os.path.exists(path) or os.path.getsize(path) != MIB << 20:
        with open(path, "wb") as blocks:
            for _ in range(MIB):
                blocks.write(os.urandom(1 << 20))
            blocks.flush()
            os.fsync(blocks.fileno())
    with open(path, "rb") as blocks:
        while blocks.read(1 << 20):
            pass
    return path
