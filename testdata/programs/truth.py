#!/usr/bin/env python3
"""Writes counts.tsv and truth.tsv out of what the programs counted themselves.

    truth.py COUNTS...      a file for each program and architecture; of others, what counts.tsv has stays
"""
import os
import sys

COUNTS = "program arch dump time type opener holder opened closed lost".split()
TRUTH = "program arch dumps verdict type lost open opener holder".split()


here = os.path.dirname(os.path.abspath(__file__))


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\r\n").split("\t") for line in f]


def write(name, columns, rows):
    with open(os.path.join(here, name), "w", encoding="utf-8", newline="") as f:
        for row in [columns] + rows:
            f.write("\t".join(row) + "\n")


def truth(rows):
    """The rows of one program: one for each way that loses handles, or one that says it is healthy."""
    program, arch = rows[0][:2]
    dumps = max(int(r[2]) for r in rows)
    ways = {}
    for r in rows:
        ways.setdefault(tuple(r[4:7]), []).append((int(r[9]), int(r[7]) - int(r[8])))
    found = []
    for (kind, opener, holder), numbers in ways.items():
        lost, still_open = zip(*numbers)
        if lost[-1]:
            between = " ".join(str(b - a) for a, b in zip(lost, lost[1:]))
            found.append([program, arch, str(dumps), "leaks", kind, between,
                          " ".join(map(str, still_open)), opener, holder])
    return found or [[program, arch, str(dumps), "healthy", "-", "-", "-", "-", "-"]]


def main():
    series = {}
    for path in [os.path.join(here, "counts.tsv")] + sys.argv[1:]:
        rows = [r for r in read(path) if r != COUNTS]
        for key in {tuple(r[:2]) for r in rows}:
            series[key] = [r for r in rows if tuple(r[:2]) == key]
    verdicts = [v for rows in series.values() for v in truth(rows)]
    write("counts.tsv", COUNTS, [r for key in sorted(series) for r in series[key]])
    write("truth.tsv", TRUTH, sorted(verdicts, key=lambda r: (r[3] == "healthy", r[0], r[1])))


if __name__ == "__main__":
    main()
