"""Which inline functions the <liburing.h> of an include directory defines."""
import os
import re
import subprocess
import tempfile

SOURCE = "#define _GNU_SOURCE\n#include <liburing.h>\n"


def inline_functions(include, compiler="gcc"):
    """Return (result type, name, parameters with their names) of each. The compiler is a gcc."""
    with tempfile.TemporaryDirectory() as workdir:
        source, aux = os.path.join(workdir, "x.c"), os.path.join(workdir, "x.aux")
        with open(source, "w") as f:
            f.write(SOURCE)
        subprocess.run([compiler, "-I", include, "-aux-info", aux, "-c", source, "-o", os.path.join(workdir, "x.o")],
                       check=True)
        with open(aux) as f:
            lines = f.read().splitlines()
    root = os.path.realpath(include) + os.sep
    found = []
    for line in lines:
        m = re.match(r"/\* (.*?):\d+:\w+ \*/ static (.*?)(\w+) \((.*)\);", line)
        if m and os.path.realpath(m.group(1)).startswith(root):
            params = [] if m.group(4) == "void" else m.group(4).split(", ")
            found.append((m.group(2).strip(), m.group(3), params))
    return found
