"""Building the timed programs: one source, one compiler, several libraries."""
import os
import subprocess
import sys


def output(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def compile_c(source, path, prefix, library=None, runtime=None):
    """Compile a source with the headers of `prefix`; link `library`, to be found in `runtime` when the program runs."""
    command = [*os.environ.get("CC", "gcc").split(), "-O2", "-Wall", "-Wextra", "-pthread",
               "-I", os.path.join(prefix, "include"), source, "-o", path]
    if library:
        command += ["-L", library, "-luring", f"-Wl,-rpath,{runtime or library}"]
    subprocess.run(command, check=True)
    return path


def fetch(*arguments):
    """A path from fetch-upstream.sh, or None with the reason printed."""
    result = subprocess.run(["build-aux/fetch-upstream.sh", *arguments], text=True, stdout=subprocess.PIPE)
    if result.returncode not in (0, 77):
        sys.exit(f"fetch-upstream.sh {' '.join(arguments)} failed")
    return result.stdout.strip() if result.returncode == 0 else None


def build_crate(work):
    target = os.path.join(work, "crate")
    result = subprocess.run([os.environ.get("CARGO", "cargo"), "build", "--quiet", "--release", "--locked",
                             "--manifest-path", "c-tests/bench/crate/Cargo.toml", "--target-dir", target])
    if result.returncode:
        print("SKIP: the io-uring crate: its program does not build here")
        return None
    return os.path.join(target, "release", "bench-crate")


def debian_library():
    root = fetch("deb", "liburing2")
    for directory, _, files in os.walk(root or os.devnull):
        if "liburing.so.2" in files:
            return directory
    return None


def build(ours, work, checker):
    """The programs by side, and a description of each. `checker` is the folder of the check library."""
    upstream = fetch("build")
    if not upstream:
        sys.exit(77)
    library = os.path.join(upstream, "lib")
    found = {
        "ours": compile_c("c-tests/bench/speed.c", os.path.join(work, "ours"), ours, os.path.join(ours, "lib")),
        "upstream": compile_c("c-tests/bench/speed.c", os.path.join(work, "upstream"), upstream, library),
        "raw": compile_c("c-tests/bench/raw.c", os.path.join(work, "raw"), ours),
    }
    # The program itself, on the library that watches it.
    found["check"] = ["env", f"LD_LIBRARY_PATH={checker}", found["ours"]]
    # The same program again, to show the difference between two runs of one program.
    found["again"] = found["upstream"]
    debian = debian_library()
    if debian:
        found["debian"] = compile_c("c-tests/bench/speed.c", os.path.join(work, "debian"), upstream, library, debian)
    else:
        print("SKIP: Debian's binary")
    crate = build_crate(work)
    if crate:
        found["crate"] = crate
    versions = {
        "upstream": f"liburing {os.path.basename(os.path.dirname(upstream))}, built with its own flags",
        "debian": "the library of Debian's package liburing2" if debian else None,
        "crate": "io-uring " + crate_version() if crate else None,
        "compiler": output(*os.environ.get("CC", "gcc").split(), "--version").splitlines()[0],
        "rustc": output("rustc", "--version"),
    }
    return found, {name: text for name, text in versions.items() if text}


def crate_version():
    with open("c-tests/bench/crate/Cargo.lock", encoding="utf-8") as file:
        lines = file.read().splitlines()
    return lines[lines.index('name = "io-uring"') + 1].split('"')[1]
