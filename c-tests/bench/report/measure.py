"""Runs the programs in turns, and evaluates the figures."""
import statistics
import subprocess


def run(program, row, seconds):
    """Nanoseconds an operation and None, or None and the reason. A program is its path, or the words of its command."""
    words = [program] if isinstance(program, str) else program
    options = [f"{name}={value}" for name, value in row.options.items()]
    result = subprocess.run([*words, row.workload, str(seconds), *options], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    if result.returncode:
        return None, result.stderr.strip().splitlines()[-1:]
    return float(result.stdout), None


def measure(programs, row, seconds, turns):
    """Times by side. Each turn runs every side once, and the order changes from turn to turn."""
    sides = [side for side in row.sides if side in programs]
    times = {side: [] for side in sides}
    for turn in range(turns):
        shift = turn % len(sides)
        for side in sides[shift:] + sides[:shift]:
            time, reason = run(programs[side], row, seconds * row.factor)
            if time is None:
                print(f"SKIP: {row.name}, {side}: {' '.join(reason)}")
                return None
            times[side].append(time)
    return times


def ratio(times, over):
    """Ratios turn by turn, as neighbouring runs share the machine's other load: the median and the middle half."""
    each = [mine / theirs for mine, theirs in zip(times, over)]
    low, middle, high = statistics.quantiles(each, n=4, method="inclusive")
    return {"median": round(middle, 4), "low": round(low, 4), "high": round(high, 4)}


def summarize(row, times):
    """The results of a row: the median of each side, all times, ratios to upstream and to the raw loop."""
    result = {
        "name": row.name,
        "per": row.per,
        "ns": {side: round(statistics.median(each), 2) for side, each in times.items()},
        "turns": {side: [round(time, 2) for time in each] for side, each in times.items()},
        "to_upstream": {side: ratio(times[side], times["upstream"]) for side in times if side != "upstream"},
    }
    if "raw" in times:
        result["to_raw"] = {side: ratio(times[side], times["raw"]) for side in times if side != "raw"}
    return result
