"""Tables: on the terminal while it runs, and in Markdown."""
import math

SIDES = ("ours", "upstream", "debian", "raw", "crate", "check")


def heading():
    return f"{'nanoseconds':<44}" + "".join(f"{side:>10}" for side in SIDES) + "   ours/upstream  (middle half)   same twice"


def spread(ratio):
    return f"{ratio['median']:.3f}  ({ratio['low']:.3f} to {ratio['high']:.3f})"


def line(result):
    times = "".join(f"{result['ns'][side]:>10.1f}" if side in result["ns"] else f"{'':>10}" for side in SIDES)
    again = result["to_upstream"].get("again")
    return (f"{result['name']:<44}{times}   {spread(result['to_upstream']['ours'])}"
            + (f"   {again['median']:.3f}" if again else ""))


def about(record):
    machine = record["machine"]
    return (f"{machine['processor']}, {machine['processors']} processors, virtualization: {machine['virtualization']}, "
            f"{machine['kernel']}, {machine['date']}, load {record['load']['before']}")


def mean(record, side, over="to_upstream"):
    found = [row[over][side]["median"] for row in record["rows"] if side in row.get(over, {})]
    return math.exp(sum(map(math.log, found)) / len(found)) if found else None


def noise(record):
    """How far the middle half of upstream against itself reaches from 1, for the median row, in percent."""
    found = sorted(max(abs(again["low"] - 1), abs(again["high"] - 1)) for again in
                   (row["to_upstream"]["again"] for row in record["rows"] if "again" in row["to_upstream"]))
    return 100 * found[len(found) // 2] if found else None


def summary(record):
    lines = [f"{len(record['rows'])} rows in {record['minutes']} minutes, load {record['load']['before']} before and "
             f"{record['load']['after']} after"]
    for side, title in (("ours", "this library"), ("again", "upstream once more (the noise)"),
                        ("debian", "Debian's binary"), ("check", "the check library")):
        if mean(record, side):
            lines.append(f"{title}: {mean(record, side):.3f} of upstream's time, geometric mean")
    for side, title in (("ours", "this library"), ("upstream", "upstream"), ("crate", "the io-uring crate")):
        if mean(record, side, "to_raw"):
            lines.append(f"{title}: {mean(record, side, 'to_raw'):.3f} of the bare system calls' time, geometric mean")
    return "\n".join(lines)


def markdown(record):
    machine, method, load = record["machine"], record["method"], record["load"]
    titles = {"ours": "this library", "upstream": "upstream", "debian": "Debian's binary", "raw": "bare calls",
              "crate": "`io-uring` crate", "check": "check library"}
    sides = [side for side in SIDES if any(side in row["ns"] for row in record["rows"])]
    lines = ["| ns | " + " | ".join(titles[side] for side in sides)
             + " | this / upstream | middle half | upstream / itself |",
             "| --- |" + " ---: |" * (len(sides) + 3)]
    for row in record["rows"]:
        ratio, again = row["to_upstream"]["ours"], row["to_upstream"].get("again")
        cells = [f"{row['ns'][side]:,.0f}" if side in row["ns"] else "" for side in sides]
        cells += [f"{ratio['median']:.3f}", f"{ratio['low']:.3f} to {ratio['high']:.3f}",
                  f"{again['median']:.3f}" if again else ""]
        lines.append(f"| {row['name']} | " + " | ".join(cells) + " |")
    lines += ["",
              f"`{record['command']}` on {machine['date']}: {machine['processor']}, {machine['processors']} processors, "
              f"virtualization {machine['virtualization']}, {machine['kernel']}, reads from {machine['filesystem']}; "
              f"load {load['before']} before and {load['after']} after. {method['turns']} turns of "
              f"{method['seconds']} s, each side once a turn; times are medians, ratios medians of the turns' ratios. "
              f"The last column is one program against itself: what differs from 1 there is noise, in the median row "
              f"{noise(record):.1f} %.", ""]
    return "\n".join(lines)


def write_into(path, command, text):
    """Put the table between the two marks of a document that name the command."""
    begin, end = f"<!-- {command} writes what follows -->", f"<!-- end of {command} -->"
    with open(path, encoding="utf-8") as file:
        document = file.read()
    before, rest = document.split(begin)
    after = rest.split(end)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n{text}{end}{after}")
