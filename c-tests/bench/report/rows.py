"""The measurements: rows, which are compared, and curves, which show how cost grows."""

LIBRARIES = ("ours", "upstream", "again", "debian", "check")
# The same loop without a library, and on another one.
ALL = LIBRARIES + ("raw", "crate")


class Row:
    """One command line of the timed programs, for several of them.

    `per` names the operation that the nanoseconds count; `factor` makes it run longer than others.
    """

    def __init__(self, name, workload, sides, per="operation", factor=1, **options):
        self.name, self.workload, self.sides, self.per, self.options = name, workload, sides, per, options
        self.factor = factor


def rows(data, quick):
    for batch in (1, 32) if quick else (1, 8, 32, 128):
        yield Row(f"nop, batch of {batch}", "nop", ALL, batch=batch)
    for direct in (0, 1):
        for fixed in (0, 1):
            for depth in (32,) if quick else (1, 32, 128):
                name = f"read 4 KiB {'O_DIRECT' if direct else 'cached'}, depth {depth}{', registered' if fixed else ''}"
                yield Row(name, "read", ALL, depth=depth, direct=direct, fixed=fixed, file=data)
    for kind in ("socket", "pipe"):
        yield Row(f"ping-pong over a {kind}{' pair' if kind == 'socket' else ''}", "pair", LIBRARIES, "round trip",
                  kind=kind)
    yield Row("echo server, 4 clients", "echo", LIBRARIES, "round trip", 3, clients=4)
    for entries in (8,) if quick else (8, 4096):
        yield Row(f"ring set up and given up, {entries} entries", "setup", LIBRARIES, "ring", entries=entries)


# Name, workload, the option that grows, the other options, sides, largest value.
CURVES = (
    ("batch", "nop", "batch", {}, ("ours", "upstream", "raw"), 4096),
    ("depth of cached reads", "read", "depth", {"file": None}, ("ours", "upstream", "raw"), 4096),
    ("ring size", "nop", "entries", {"batch": 1}, ("ours", "upstream", "raw"), 4096),
    ("number of rings", "nop", "rings", {"batch": 1, "entries": 4}, ("ours", "upstream"), 4096),
)


def curves(data, quick):
    """(name, option, rows by value) for each curve."""
    for name, workload, option, others, sides, largest in CURVES:
        points, value = [], 1
        while value <= largest:
            options = {key: data if key == "file" else other for key, other in others.items()}
            options[option] = value
            points.append((value, Row(f"{name} {value}", workload, sides, **options)))
            value *= 16 if quick else 2
        yield name, option, points
