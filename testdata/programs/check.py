#!/usr/bin/env python3
"""Holds the dumps against counts.tsv and truth.tsv, as far as each says it.

    check.py [PROGRAM [ARCH]]

It shares no code with dumpscan, and needs nm of binutils for the names in the
images. For each way that loses handles it also prints where the values of the
newest handles are in the memory of the last dump: in the program's heap, in its
image, or nowhere. Small numbers turn up by chance, so this is for reading.
"""
import bisect
import collections
import datetime
import os
import re
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(here, "..", "leaky"))
import check as leaky  # noqa: E402


class Names:
    """Functions of an image, by address in a dump."""
    def __init__(self, image):
        out = subprocess.run(["nm", "-C", "-n", image], capture_output=True, text=True, check=True).stdout
        self.rows = [(int(a, 16), n) for a, n in re.findall(r"^([0-9a-f]+) [tT] ([^.].*)$", out, re.M)]
        self.starts = [a for a, _ in self.rows]

    def find(self, address):
        i = bisect.bisect(self.starts, address) - 1
        name = self.rows[i][1] if i >= 0 else "?"
        return re.sub(r"\(anonymous namespace\)::|\(.*\)$|@.*$", "", name).lstrip("_")


def check(program, arch, counts, truth):
    rows = [c for c in counts if (c["program"], c["arch"]) == (program, arch)]
    lost = [t for t in truth if (t["program"], t["arch"]) == (program, arch) and t["verdict"] == "leaks"]
    names = Names(os.path.join(here, "images", arch, program + ".exe"))
    last = max(int(c["dump"]) for c in rows)
    before = {}
    for n in range(1, last + 1):
        dump = leaky.Dump(os.path.join(here, f"{program}-{arch}-{n}.dmp.gz"))
        mine = [c for c in rows if int(c["dump"]) == n]
        time = datetime.datetime.fromtimestamp(dump.time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert time == mine[0]["time"], f"{program} {n}: {time}"
        want = collections.Counter()
        for c in mine:
            want[c["type"]] += int(c["opened"]) - int(c["closed"])
        have = collections.Counter(h[1] for h in dump.handles())
        # What was there before the program began is the same in every dump.
        base = {t: have[t] - want[t] for t in want}
        assert before.setdefault("base", base) == base, f"{program} {n}: {base}"
    image = next(m for m in dump.modules() if m[2].endswith(f"\\{program}.exe"))
    live = {}
    for handle, _, _, kind, frames in dump.operations():
        if kind == 1:
            live[handle] = [names.find(a - 1) for a in frames if image[0] <= a < image[0] + image[1]]
        else:
            live.pop(handle, None)
    assert set(live) <= {h[0] for h in dump.handles()}, f"{program}: outstanding in the trace alone"
    assert all(live.values()), f"{program}: a handle that the program did not open"
    for t in lost:
        opener = t["opener"].split(" ")
        found = [h for h, frames in live.items() if frames[:len(opener)] == opener]
        assert found, f"{program}: nothing opened by {opener}"
        print(f"{program}-{arch}: {t['type']} by {t['opener']}: {len(found)} in the trace; {places(dump, image, found)}; "
              f"held by {t['holder']}")


def places(dump, image, handles):
    inside = {"heap": set(), "image": set()}
    for start, data in dump.memory():
        if len(data) < 4096:
            continue
        where = "image" if image[0] <= start < image[0] + image[1] else "heap"
        inside[where] |= {int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data) - 3, 4)}
    return ", ".join(f"{len(v & set(handles))} in the {k}" for k, v in inside.items())


def main():
    counts = leaky.table(os.path.join(here, "counts.tsv"))
    truth = leaky.table(os.path.join(here, "truth.tsv"))
    for t in {(t["program"], t["arch"]): t for t in truth}.values():
        if sys.argv[1:] in ([], [t["program"]], [t["program"], t["arch"]]):
            check(t["program"], t["arch"], counts, truth)


if __name__ == "__main__":
    main()
