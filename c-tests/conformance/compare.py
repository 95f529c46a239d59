"""Compares a case's results on upstream's library and on ours, and settles those that flicker.

Where a flavour is judged, the plain library stands in the place of upstream's."""

from runner import HIDDEN, NOT_BUILT, PASS, SKIP, TIMEOUT

SAME, REGRESSION, FLICKERS, BETTER = "same", "REGRESSION", "flickers", "better"

# Rounds in which a case that differed is run again, alone, on every library.
ROUNDS = 5
LONG = 15
# A case that always hangs is run less often.
HANGING = 2


def rank(status):
    """How far a case got. A timeout counts as a failure."""
    if status in (PASS, SKIP):
        return {PASS: 3, SKIP: 2}[status]
    return 0 if status == NOT_BUILT else 1


def differs(upstream, ours):
    return ours != HIDDEN and rank(upstream) != rank(ours)


class Verdict:
    def __init__(self, word, upstream, ours, again_upstream=(), again_ours=(), theirs="upstream"):
        self.word, self.theirs = word, theirs
        self.upstream, self.ours = upstream, ours
        self.again_upstream, self.again_ours = list(again_upstream), list(again_ours)

    def settled(self):
        """The result that counts for ours: the commonest one of the re-runs, if there were any."""
        return commonest(self.again_ours) if self.again_ours else self.ours

    def history(self):
        if not self.again_ours:
            return ""
        return f"again alone: {self.theirs} {tally(self.again_upstream)}; ours {tally(self.again_ours)}"


def tally(results):
    statuses = [r.status for r in results]
    return ", ".join(f"{s} {statuses.count(s)}" for s in sorted(set(statuses)))


def commonest(results):
    statuses = [r.status for r in results]
    top = max(statuses, key=statuses.count)
    return next(r for r in results if r.status == top)


def judge(first, run, theirs="upstream"):
    """Verdicts on our libraries, from the results on each of {name: result}; `theirs` is the name that is compared with.

    `run(name)` runs the case once more there. It is called only if the first results differ."""
    upstream = first[theirs]
    ours = {name: result for name, result in first.items() if name != theirs}
    if not any(differs(upstream.status, result.status) for result in ours.values()):
        return {name: Verdict(SAME, upstream, result) for name, result in ours.items()}
    can_run = [name for name, result in ours.items() if result.status not in (NOT_BUILT, HIDDEN)]
    ups, again = [], {name: [] for name in can_run}
    if upstream.status != NOT_BUILT:
        while can_run and not enough(upstream, first, ups, again):
            ups.append(run(theirs))
            for name in can_run:
                again[name].append(run(name))
    verdicts = {}
    for name, result in ours.items():
        if again.get(name):
            word = word_for(upstream, result, ups, again[name])
            verdicts[name] = Verdict(word, upstream, result, ups, again[name], theirs)
        else:
            verdicts[name] = Verdict(word_without_runs(upstream, result), upstream, result)
    return verdicts


def word_without_runs(upstream, ours):
    if not differs(upstream.status, ours.status):
        return SAME
    return REGRESSION if ours.status == NOT_BUILT else BETTER


def enough(upstream, first, ups, again):
    rounds = len(ups)
    if rounds >= LONG:
        return True
    if rounds >= HANGING and any(r.status == TIMEOUT for runs in (ups, *again.values()) for r in runs):
        return not any(wavers(runs) for runs in (ups, *again.values())) or rounds >= ROUNDS
    # Only some runs are worse: more rounds tell chance from a difference.
    return rounds >= ROUNDS and not any(
        (wavers(ups) or wavers(runs)) and word_for(upstream, first[name], ups, runs) == REGRESSION
        for name, runs in again.items()
    )


def wavers(results):
    return len({rank(r.status) for r in results}) > 1


def word_for(upstream, ours, ups, again):
    up_ranks, our_ranks = [rank(r.status) for r in ups], [rank(r.status) for r in again]
    if set(up_ranks) == set(our_ranks):
        # Both steady and equal: a first run was disturbed. Both vary: the test itself is unsteady.
        steady = {*up_ranks, rank(upstream.status), rank(ours.status)}
        return SAME if len(steady) == 1 else FLICKERS
    if min(our_ranks) >= max(up_ranks):
        return FLICKERS if wavers(ups) else BETTER
    if wavers(ups):
        # Upstream's varies too. Ours is worse only if it never gets as far as upstream's usually does.
        usual = sum(r == max(up_ranks) for r in up_ranks) * 2 >= len(up_ranks)
        return REGRESSION if usual and max(our_ranks) < max(up_ranks) else FLICKERS
    worse = [r for r in again if rank(r.status) < min(up_ranks)]
    # Hangs get few rounds, and upstream's may pass these by chance. multicqes_drain, which picks its requests at
    # random, hung in 6 of 40 runs on upstream's library and in 11 of 40 on ours, all at once. An occasional hang shows
    # nothing.
    if worse and all(r.status == TIMEOUT for r in worse) and len(worse) * 2 <= len(again):
        return FLICKERS
    return REGRESSION if worse else BETTER
