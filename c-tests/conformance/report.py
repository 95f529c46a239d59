"""Progress, the table and the lists: to the terminal and to files."""

import sys
import time

from compare import BETTER, FLICKERS, REGRESSION, commonest
from runner import FAIL, HIDDEN, NOT_BUILT, PASS, SKIP, TIMEOUT

ORDER = (PASS, SKIP, FAIL, TIMEOUT, NOT_BUILT, HIDDEN)


class Progress:
    """One line that is rewritten on a terminal; occasional lines elsewhere."""

    def __init__(self, what, every=50):
        self.what, self.every = what, every
        self.tty = sys.stdout.isatty()
        self.start = time.monotonic()

    def step(self, done, total, note=""):
        text = f"{self.what}: {done}/{total}"
        if self.tty:
            sys.stdout.write(f"\r\033[K{text} {note}"[:120])
            sys.stdout.flush()
        elif done % self.every == 0:
            print(f"{text}, {time.monotonic() - self.start:.0f} s", flush=True)

    def end(self, text):
        if self.tty:
            sys.stdout.write("\r\033[K")
        print(f"{self.what}: {text}, {time.monotonic() - self.start:.0f} s", flush=True)

    def line(self, text):
        if self.tty:
            sys.stdout.write("\r\033[K")
        print(text, flush=True)


class Outcome:
    """A case with its first result in each tree and a verdict for each tree of ours."""

    def __init__(self, case):
        self.case = case
        self.results = {}
        self.verdicts = {}

    def final(self, tree_name):
        verdict = self.verdicts.get(tree_name)
        if verdict:
            return verdict.settled()
        again = [v.again_upstream for v in self.verdicts.values() if v.again_upstream]
        if again:
            return commonest([r for runs in again for r in runs])
        return self.results[tree_name]


def table(trees, outcomes):
    """Counts by result and tree, after re-runs."""
    lines = [f"{'':<12}" + "".join(f"{t.label:>18}" for t in trees)]
    for status in ORDER:
        counts = [sum(o.final(t.name).status == status for o in outcomes) for t in trees]
        if any(counts) or status in (PASS, SKIP, FAIL):
            lines.append(f"{status:<12}" + "".join(f"{c:>18}" for c in counts))
    lines.append(f"{'total':<12}" + "".join(f"{len(outcomes):>18}" for _ in trees))
    return lines


def details(trees, outcomes):
    """One line a case: results, seconds, verdict."""
    lines = [f"{'test':<34}" + "".join(f"{t.label:>18} {'s':>6}" for t in trees) + "  verdict"]
    for o in outcomes:
        cells = "".join(f"{o.results[t.name].status:>18} {o.results[t.name].seconds:>6.1f}" for t in trees)
        words = [f"{n}: {v.word} ({v.history()})" for n, v in o.verdicts.items() if v.word != "same"]
        lines.append(f"{o.case.name:<34}{cells}  {'; '.join(words) or 'same'}")
    return lines


def with_verdict(outcomes, word):
    return [
        f"{o.case.name} [{name}]: upstream {v.upstream.status}, ours {v.ours.status}"
        + (f" ({v.ours.detail})" if v.ours.detail else "")
        + (f"; {v.history()}" if v.history() else "")
        for o in outcomes
        for name, v in o.verdicts.items()
        if v.word == word
    ]


def with_status(trees, outcomes, statuses):
    """Cases that ended with this result in any tree, with place and reason."""
    lines = []
    for o in outcomes:
        hits = [(t, o.final(t.name)) for t in trees if o.final(t.name).status in statuses]
        if hits:
            where = "all" if len(hits) == len(trees) else ", ".join(t.name for t, _ in hits)
            lines.append(f"{o.case.name} ({where}): {hits[0][1].status}: {hits[0][1].detail}")
    return lines


def lists(trees, outcomes):
    return {
        "regressions": with_verdict(outcomes, REGRESSION),
        "flickering": with_verdict(outcomes, FLICKERS),
        "better": with_verdict(outcomes, BETTER),
        "failing": with_status(trees, outcomes, (FAIL, TIMEOUT)),
        "skipped": with_status(trees, outcomes, (SKIP,)),
        "not-built": with_status(trees, outcomes, (NOT_BUILT, HIDDEN)),
    }


def write(folder, name, lines):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
