"""Runs the package's examples in each tree and checks their results: copied bytes, digests, echoes."""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

import report

LIMIT = 60


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """An example as it was built in a tree."""

    def __init__(self, tree, name):
        self.tree, self.path = tree, tree.binary("examples", name)
        self.environment = tree.environment(name)

    def __str__(self):
        return str(self.path)

    def beside(self, name):
        """Another example of the tree."""
        return Program(self.tree, name)


def run(binary, *args, cwd=None):
    try:
        done = subprocess.run([str(binary), *map(str, args)], cwd=cwd, env=binary.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, text=True,
                              errors="replace")
    except subprocess.TimeoutExpired:
        raise Failed(f"not done after {LIMIT} s")
    if done.returncode != 0:
        raise Failed(f"exit {done.returncode}: {done.stdout.strip()[-120:]}")
    return done.stdout


@contextlib.contextmanager
def background(binary, *args):
    child = subprocess.Popen([str(binary), *map(str, args)], env=binary.environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def connect(port, child, tries=100):
    for _ in range(tries):
        if child.poll() is not None:
            raise Failed(f"server ended early: {child.stdout.read().decode(errors='replace').strip()[-120:]}")
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            time.sleep(0.05)
    raise Failed("server does not listen")


def number(pattern, text):
    found = re.search(pattern, text)
    if not found or int(found.group(1)) == 0:
        raise Failed(f"no count in the output: {text.strip()[-120:]}")
    return int(found.group(1))


def make_data(folder, name="data", size=5 * 1024 * 1024 + 777):
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


def same(one, other):
    if one.read_bytes() != other.read_bytes():
        raise Failed("the copy differs")


def copy(binary, folder):
    data = make_data(folder)
    run(binary, data, folder / "copy")
    same(data, folder / "copy")
    return "copy equal"


def copy_two(binary, folder):
    # The example sleeps for a second after each KiB.
    one, two = make_data(folder, size=3000), make_data(folder, "more", 2048)
    run(binary, one, folder / "copy1", two, folder / "copy2")
    same(one, folder / "copy1")
    same(two, folder / "copy2")
    return "two copies equal"


def read_file(binary, folder):
    # Whole blocks, one for each of its buffers: the example takes a short read before the last as a failure.
    size = 4 * 4096
    data = make_data(folder, size=size)
    got = number(r"bytes=(\d+)", run(binary, data))
    if got != size:
        raise Failed(f"read {got} of {size} bytes")
    return f"{got} bytes"


def plain(binary, folder):
    run(binary, cwd=folder)
    return "exit 0"


def bench(binary, folder):
    return f"{number(r'/s: ([0-9]+)', run(binary))}/s"


def digest(binary, folder):
    try:
        with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET, 0) as s:
            s.bind(("hash", "sha256"))
    except OSError as err:
        raise Skipped(f"the kernel's hash sockets: {err.strerror}")
    data = make_data(folder)
    out = run(binary, "sha256", data)
    if hashlib.sha256(data.read_bytes()).hexdigest() not in out.replace("\n", ""):
        raise Failed("another digest")
    return "digest right"


def send_all_and_read_back(sock, data):
    sender = threading.Thread(target=sock.sendall, args=(data,))
    sender.start()
    got = bytearray()
    while len(got) < len(data):
        piece = sock.recv(65536)
        if not piece:
            break
        got += piece
    sender.join()
    return bytes(got)


def echo(binary, folder):
    port = free_port()
    with background(binary, port) as child:
        data = os.urandom(1_000_003)
        with connect(port, child) as sock:
            if send_all_and_read_back(sock, data) != data:
                raise Failed("the echo differs")
    return f"{len(data)} bytes echoed"


def echo_datagrams(binary, folder):
    port = free_port(socket.SOCK_DGRAM)
    with background(binary, "-p", port) as child, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.connect(("127.0.0.1", port))
        for _ in range(50):
            time.sleep(0.05)
            with contextlib.suppress(OSError):
                sock.send(b"hello")
                if sock.recv(100) == b"hello":
                    break
        else:
            raise Failed(f"no echo (server {'ended' if child.poll() is not None else 'runs'})")
        sock.settimeout(5)
        for i in range(200):
            data = os.urandom(1 + i * 4)
            sock.send(data)
            if sock.recv(2048) != data:
                raise Failed("the echo differs")
    return "200 datagrams echoed"


def zero_copy(binary, folder):
    port = free_port()
    with background(binary, "-4", "-R", "-p", port, "-t", "2", "tcp") as server:
        time.sleep(0.3)
        out = run(binary, "-4", "-D", "127.0.0.1", "-p", port, "-t", "1", "-n", "1", "-z", "1", "tcp")
        server.wait(timeout=LIMIT)
    return f"{number(r'packets=([0-9]+)', out)} packets"


def proxy(binary, folder):
    """The example passes data on to a listener of this test."""
    into = free_port()
    data = os.urandom(2_000_001)
    with socket.create_server(("127.0.0.1", 0)) as sink:
        sink.settimeout(20)
        with background(binary, "-m1", f"-r{into}", "-H", "127.0.0.1", f"-p{sink.getsockname()[1]}", "-B1") as child:
            with connect(into, child) as sock:
                out, _ = sink.accept()
                with out:
                    out.settimeout(20)
                    sender = threading.Thread(target=sock.sendall, args=(data,))
                    sender.start()
                    got = bytearray()
                    while len(got) < len(data):
                        piece = out.recv(65536)
                        if not piece:
                            break
                        got += piece
                    sender.join()
    if bytes(got) != data:
        raise Failed(f"{len(got)} of {len(data)} bytes came through, or others")
    return f"{len(data)} bytes through"


def ping_pong(binary, folder):
    """The busy-polling pair. It runs on loopback, without a NIC queue to poll."""
    server_binary = binary.beside("napi-busy-poll-server")
    port = free_port()
    with background(server_binary, "-l", "-a", "127.0.0.1", "-p", port, "-n", "20", "-t", "100") as server:
        time.sleep(0.3)
        out = run(binary, "-a", "127.0.0.1", "-p", port, "-n", "20", "-t", "100")
        server.wait(timeout=LIMIT)
        if server.returncode != 0:
            raise Failed(f"server: exit {server.returncode}")
    if "avg" not in out:
        raise Failed(f"no round-trip times: {out.strip()[-100:]}")
    return "20 round trips"


def needs_nic(binary, folder):
    raise Skipped("built; to run it takes a network card with header split")


def with_client(binary, folder):
    raise Skipped("runs with napi-busy-poll-client")


SCENARIOS = {
    "io_uring-test": read_file,
    "io_uring-close-test": read_file,
    "io_uring-cp": copy,
    "link-cp": copy,
    "ucontext-cp": copy_two,
    "reg-wait": plain,
    "poll-bench": bench,
    "rsrc-update-bench": bench,
    "kdigest": digest,
    "echo-server": echo,
    "io_uring-udp": echo_datagrams,
    "send-zerocopy": zero_copy,
    "proxy": proxy,
    "napi-busy-poll-client": ping_pong,
    "napi-busy-poll-server": with_client,
    "zcrx": needs_nic,
}


def run_one(tree, name, folder):
    binary = Program(tree, name)
    if not binary.path.exists():
        return "fail", "not built"
    scenario = SCENARIOS.get(name)
    if scenario is None:
        return "skip", "built; no scenario for it yet"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        return "pass", scenario(binary, folder)
    except Skipped as err:
        return "skip", str(err)
    except (Failed, OSError, subprocess.TimeoutExpired) as err:
        return "fail", str(err)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_all(forest, output):
    """Returns the lines of the table, and the examples that work in the first tree and not in another."""
    names = forest[0].examples()
    folder = pathlib.Path(output).resolve() / "work" / "example"
    progress = report.Progress("examples", every=8)
    lines, failures = [], []
    for count, name in enumerate(names, 1):
        progress.step(count, len(names), name)
        got = {tree.name: run_one(tree, name, folder) for tree in forest}
        for tree in forest[1:]:
            if got[forest[0].name][0] == "pass" and got[tree.name][0] != "pass":
                # A second run on both, as for the tests.
                again = [(run_one(forest[0], name, folder)[0], run_one(tree, name, folder)[0]) for _ in range(3)]
                if any(ours != "pass" for _, ours in again) and all(up == "pass" for up, _ in again):
                    failures.append(f"{name} [{tree.name}]")
        words = "  ".join(f"{tree.label}: {got[tree.name][0]}" for tree in forest)
        notes = sorted({detail for _, detail in got.values()})
        lines.append(f"{name:<24} {words}  ({'; '.join(notes)})")
    progress.end(f"{len(names)} examples, {len(failures)} fail on ours alone")
    return lines, failures
