#!/usr/bin/env python3
"""Holds a dump of the leaking program against its tables of truth.

    check.py symbols IMAGEBASE < nm-output          prints the table of symbols
    check.py dump DUMP HANDLES PATHS SYMBOLS        silent but for a summary; fails loudly

It shares no code with dumpscan, and reads the documented layouts alone.
"""
import collections
import csv
import gzip
import struct
import sys


def print_symbols(base):
    """One line a symbol of our own: rva, size, kind, name. The size reaches to the next symbol."""
    rows = []
    for line in sys.stdin:
        parts = line.split()
        if len(parts) == 3 and int(parts[0], 16) >= base:
            rows.append((int(parts[0], 16) - base, parts[1], parts[2]))
    exported = {"CreateSettings", "Subscribe", "ReadTimeZone", "ReleaseTwice", "HandOver",
                "LateClose", "OpenClassesKey", "QueueRequests", "PathCounts"}
    local = {"SettingsId", "SubscriptionId", "RequestId", "allocate", "DestroyObject",
             "NewSubscription", "DllMain"}
    data = {"settings_vtable", "subscription_vtable", "request_vtable"}
    addresses = sorted({r[0] for r in rows})
    print("rva\tsize\tkind\tname")
    for rva, _, name in rows:
        plain = name.lstrip("_").split("@")[0]
        kind = ("export" if plain in exported else "local" if plain in local
                else "data" if plain in data else "")
        after = [a for a in addresses if a > rva]
        if kind and after:
            print(f"{rva:x}\t{after[0] - rva:x}\t{kind}\t{plain}")


class Dump:
    def __init__(self, path):
        with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as f:
            self.data = f.read()
        magic, _, n, rva, _, self.time, self.flags = struct.unpack_from("<IIIIIIQ", self.data, 0)
        assert magic == 0x504D444D, "no minidump"
        self.streams = {}
        for i in range(n):
            kind, size, at = struct.unpack_from("<III", self.data, rva + 12 * i)
            if kind:
                assert kind not in self.streams, f"stream {kind} twice"
                assert at + size <= len(self.data), f"stream {kind} beyond the end"
                self.streams[kind] = (at, size)

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def string(self, at):
        if not at:
            return ""
        n = self.u32(at)
        return self.data[at + 4:at + 4 + n].decode("utf-16-le")

    def wide(self):
        return struct.unpack_from("<H", self.data, self.streams[7][0])[0] == 9

    def modules(self):
        at = self.streams[4][0]
        for i in range(self.u32(at)):
            m = at + 4 + 108 * i
            base, size = struct.unpack_from("<QI", self.data, m)
            yield base, size, self.string(self.u32(m + 20))

    def handles(self):
        at, size = self.streams[12]
        head, step, n, _ = struct.unpack_from("<IIII", self.data, at)
        assert (head, step) == (16, 40) and size == head + step * n
        for i in range(n):
            d = struct.unpack_from("<QIIIIIIII", self.data, at + head + step * i)
            info, next_info = [], d[7]
            while next_info:
                nxt, kind, length = struct.unpack_from("<III", self.data, next_info)
                info.append((kind, self.data[next_info + 12:next_info + 12 + length]))
                next_info = nxt
            yield d[0], self.string(d[1]), d[3], d[4], d[5], d[6], self.string(d[2]), info

    def operations(self):
        at, size = self.streams[18]
        head, step, n, _ = struct.unpack_from("<IIII", self.data, at)
        assert (head, step) == (16, 288) and size == head + step * n
        for i in range(n):
            f = struct.unpack_from("<QIIIIII32Q", self.data, at + head + step * i)
            yield f[0], f[1], f[2], f[3], f[7:7 + f[5]]

    def memory(self):
        at = self.streams[5][0]
        for i in range(self.u32(at)):
            start, size, rva = struct.unpack_from("<QII", self.data, at + 4 + 16 * i)
            yield start, self.data[rva:rva + size]


def object_words(kind, data, wide):
    """The first object information in the words of the table of truth."""
    if kind == 6:
        reset, state = struct.unpack_from("<Ii", data)
        return f"reset={'auto' if reset else 'manual'} set={state}"
    if kind == 2:
        count, _, abandoned = struct.unpack_from("<iBB", data)
        return f"count={count} abandoned={abandoned}"
    if kind == 8:
        return "count=%d limit=%d" % struct.unpack_from("<ii", data)
    if kind == 7:
        attributes, size = struct.unpack_from("<8xI4xq" if wide else "<4xIq", data)
        return f"attributes={attributes:x} size={size:x}"
    if kind == 1:
        code, process, thread = struct.unpack_from("<I12xQQ" if wide else "<I4xII", data)
        return f"id={process:x}.{thread:x} exit={code:x}"
    if kind == 4:
        code, process, parent = struct.unpack_from("<I28xQQ" if wide else "<I12xII", data)
        return f"id={process:x} parent={parent:x} exit={code:x}"
    raise AssertionError(f"object information of kind {kind}")


def table(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def check_handles(dump, rows):
    seen = list(dump.handles())
    assert len(seen) == len(rows), f"{len(seen)} handles, {len(rows)} in the table"
    for (value, kind, attributes, access, handles, pointers, name, info), row in zip(seen, rows):
        words = object_words(*info[0], dump.wide()) if info else ""
        got = [f"{value:x}", kind, f"{attributes:x}", f"{access:x}", str(handles), str(pointers), name, words]
        assert got == list(row.values()), f"{got} is not {list(row.values())}"
    return collections.Counter(s[1] for s in seen)


def check_operations(dump, rows, symbols, handles):
    """Tells the paths apart by the function of MyCustomDll that is nearest the bottom of the stack."""
    base = next(b for b, _, name in dump.modules() if name.endswith("\\MyCustomDll.dll"))
    code = [(base + int(s["rva"], 16), int(s["size"], 16), s["name"]) for s in symbols if s["kind"] != "data"]
    wanted = {r["path"]: r for r in rows if r["path"] != "(all)"}
    counts = collections.Counter()
    total = collections.Counter()
    live = {}
    for handle, _, thread, kind, frames in dump.operations():
        names = [name for f in frames for start, size, name in code if start <= f - 1 < start + size]
        assert names, f"no frame in MyCustomDll for {handle:x}"
        path = names[-1]
        assert wanted[path]["opener"] in ("-", names[0]), f"{path}: opened by {names[0]}"
        assert wanted[path]["thread"] == f"{thread:x}", f"{path} on thread {thread:x}"
        counts[path, kind] += 1
        total[kind] += 1
        if kind == 1:
            assert handle not in live, f"{handle:x} opened twice: not oldest first"
            live[handle] = path
        elif kind == 2:
            live.pop(handle, None)
    for path, row in wanted.items():
        got = [str(counts[path, k]) for k in (1, 2, 3)]
        assert got == [row["opens"], row["closes"], row["badrefs"]], f"{path}: {got} is not {row}"
    assert [str(total[k]) for k in (1, 2, 3)] == [rows[-1][c] for c in ("opens", "closes", "badrefs")]
    assert set(live) <= {h[0] for h in handles}, "outstanding but not in the handle stream"
    return live


def check_owners(dump, live, rows, symbols):
    """In a heap dump, counts the objects whose first word is a table of ours and which hold a leaked handle."""
    base = next(b for b, _, name in dump.modules() if name.endswith("\\MyCustomDll.dll"))
    word = 8 if dump.wide() else 4
    for name, path, offset in (("settings_vtable", "CreateSettings", word), ("subscription_vtable", "Subscribe", 2 * word)):
        table_at = base + next(int(s["rva"], 16) for s in symbols if s["name"] == name)
        needle = table_at.to_bytes(word, "little")
        found = set()
        for start, data in dump.memory():
            at = data.find(needle)
            while at >= 0:
                value = int.from_bytes(data[at + offset:at + offset + word], "little")
                if (start + at) % word == 0 and live.get(value) == path:
                    found.add(value)
                at = data.find(needle, at + 1)
        want = next(int(r["objects"]) for r in rows if r["path"] == path)
        assert len(found) == want, f"{path}: {len(found)} objects, not {want}"


def check_dump(path, handles_path, paths_path, symbols_path):
    dump = Dump(path)
    rows, symbols = table(paths_path), table(symbols_path)
    types = check_handles(dump, table(handles_path))
    live = check_operations(dump, rows, symbols, list(dump.handles()))
    misc = dump.streams[15][0]
    flags, _, created = struct.unpack_from("<III", dump.data, misc + 4)
    assert flags & 3 == 3 and 0 <= dump.time - created < 3600, "process times"
    assert dump.u32(dump.streams[24][0]) == dump.u32(dump.streams[3][0]), "a thread without a name"
    if dump.flags & 0x200:
        check_owners(dump, live, rows, symbols)
    print(f"{path}: {sum(types.values())} handles, {types['Key']} keys, {types['Event']} events, "
          f"{rows[-1]['opens']} opens, {rows[-1]['closes']} closes, {rows[-1]['badrefs']} bad references, "
          f"{len(live)} outstanding, up {dump.time - created} s")


if __name__ == "__main__":
    if sys.argv[1] == "symbols":
        print_symbols(int(sys.argv[2], 16))
    else:
        check_dump(*sys.argv[2:])
