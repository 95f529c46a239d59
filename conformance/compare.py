"""Compares a case's results on upstream's library and on ours, and settles those that flicker."""

from runner import HIDDEN, NOT_BUILT, PASS, SKIP

SAME, REGRESSION, FLICKERS, BETTER = "same", "REGRESSION", "flickers", "better"

# Rounds in which a case that differed is run again, alone, on both.
ROUNDS = 5
LONG = 15


def rank(status):
    """How far a case got. A timeout is a failure."""
    if status in (PASS, SKIP):
        return {PASS: 3, SKIP: 2}[status]
    return 0 if status == NOT_BUILT else 1


def differs(upstream, ours):
    return ours != HIDDEN and rank(upstream) != rank(ours)


class Verdict:
    def __init__(self, word, upstream, ours, again_upstream=(), again_ours=()):
        self.word = word
        self.upstream, self.ours = upstream, ours
        self.again_upstream, self.again_ours = list(again_upstream), list(again_ours)

    def settled(self):
        """The result that counts for ours: of the re-runs when there were any, the commonest."""
        return commonest(self.again_ours) if self.again_ours else self.ours

    def history(self):
        if not self.again_ours:
            return ""
        return f"again alone: upstream {tally(self.again_upstream)}; ours {tally(self.again_ours)}"


def tally(results):
    statuses = [r.status for r in results]
    return ", ".join(f"{s} {statuses.count(s)}" for s in sorted(set(statuses)))


def commonest(results):
    statuses = [r.status for r in results]
    top = max(statuses, key=statuses.count)
    return next(r for r in results if r.status == top)


def judge(upstream, ours, run_upstream, run_ours):
    """`run_*` run the case once more. A re-run is asked for only where the first results differ."""
    if not differs(upstream.status, ours.status):
        return Verdict(SAME, upstream, ours)
    if NOT_BUILT in (upstream.status, ours.status):
        word = REGRESSION if ours.status == NOT_BUILT else BETTER
        return Verdict(word, upstream, ours)
    ups, our = [], []
    for number in range(LONG):
        if number == ROUNDS and not needs_more(ups, our):
            break
        ups.append(run_upstream())
        our.append(run_ours())
    return Verdict(word_for(ups, our), upstream, ours, ups, our)


def needs_more(ups, our):
    """After the usual rounds: does one side waver while the other does not?"""
    return wavers(ups) != wavers(our)


def wavers(results):
    return len({rank(r.status) for r in results}) > 1


def word_for(ups, our):
    up_ranks, our_ranks = [rank(r.status) for r in ups], [rank(r.status) for r in our]
    if set(up_ranks) == set(our_ranks):
        # Both steady and equal: the first run was disturbed. Both wavering: the test itself does.
        return FLICKERS
    if min(our_ranks) >= max(up_ranks):
        return BETTER
    if wavers(ups):
        # Upstream's wavers too. Ours is worse only when it never gets where upstream's usually does.
        usual = sum(r == max(up_ranks) for r in up_ranks) * 2 >= len(up_ranks)
        return REGRESSION if usual and max(our_ranks) < max(up_ranks) else FLICKERS
    return REGRESSION if min(our_ranks) < min(up_ranks) else BETTER
