#!/usr/bin/env python3
"""Decodes minidumps with none of this project's code and writes what it finds as JSON.

    ./facts.py ../../testdata/leaky/leaky-x86-a.dmp.gz ... > facts.json

The tests of package minidump hold what the package says against it. Layouts
are from minidumpapiset.h."""
import gzip, json, os, re, struct, sys


def facts(data):
    def u(fmt, off):
        return struct.unpack_from("<" + fmt, data, off)

    def text(rva):
        n, = u("I", rva)
        return data[rva + 4:rva + 4 + n].decode("utf-16-le", "replace").rstrip("\0")

    sig, version, count, directory, _, stamp, flags = u("IIIIIIQ", 0)
    assert sig == 0x504D444D and version & 0xFFFF == 0xA793
    out = {"version": hex(version), "flags": hex(flags), "size": len(data), "timestamp": stamp, "stream_count": count,
           "directory": [list(u("III", directory + 12 * i)) for i in range(count)]}
    at = {}
    for kind, size, rva in out["directory"]:
        at.setdefault(kind, (rva, size))

    def plain(kind, stride):  # a list behind a bare count, padded or not
        rva, size = at[kind]
        n, = u("I", rva)
        return [rva + (8 if size == 8 + n * stride else 4) + i * stride for i in range(n)]

    if 7 in at:
        rva = at[7][0]
        arch, level, revision, cpus, product, major, minor, build, platform, csd, suite = u("HHHBBIIIIIH", rva)
        out["system"] = {"arch": arch, "level": level, "revision": revision, "cpus": cpus, "product_type": product,
                         "os": f"{major}.{minor}.{build}", "platform": platform, "csd": text(csd) if csd else "", "suite_mask": suite}
    if 15 in at:
        size, flag, pid, created, user, kernel = u("6I", at[15][0])
        times = flag & 2
        out["misc"] = {"size": size, "flags1": hex(flag), "pid": pid if flag & 1 else 0, "create_time": created if times else 0,
                       "user_time": user if times else 0, "kernel_time": kernel if times else 0}
    if 4 in at:
        out["modules"] = []
        for off in plain(4, 108):
            base, size, _, stamp, name = u("QIIII", off)
            v = u("6I", off + 24)
            length, cv = u("II", off + 76)
            m = {"base": hex(base), "size": hex(size), "name": text(name), "timestamp": hex(stamp),
                 "file_version": f"{v[2] >> 16}.{v[2] & 0xFFFF}.{v[3] >> 16}.{v[3] & 0xFFFF}" if v[0] else ""}
            if length >= 24 and data[cv:cv + 4] == b"RSDS":
                a, b, c = u("IHH", cv + 4)
                m["debug_id"] = f"{a:08X}{b:04X}{c:04X}" + data[cv + 12:cv + 20].hex().upper() + f"{u('I', cv + 20)[0]:X}"
                m["pdb"] = data[cv + 24:cv + length].split(b"\0")[0].decode("utf-8", "replace")
            out["modules"].append(m)
    if 14 in at:
        header, stride, n = u("III", at[14][0])
        out["unloaded"] = []
        for off in (at[14][0] + header + i * stride for i in range(n)):
            base, size, _, stamp, name = u("QIIII", off)
            out["unloaded"].append({"base": hex(base), "size": hex(size), "name": text(name), "timestamp": hex(stamp)})
    if 3 in at:
        out["threads"] = []
        for off in plain(3, 48):
            tid, suspend, prio_class, prio, teb, start, stack, stack_rva, context, context_rva = u("IIIiQQIIII", off)
            out["threads"].append({
                "tid": tid, "suspend": suspend, "prio_class": prio_class, "prio": prio, "teb": teb, "stack_start": start,
                "stack_size": stack, "stack_rva": stack_rva, "ctx_size": context, "ctx_rva": context_rva})
    if 24 in at:
        out["thread_names"] = [[u("I", off)[0], text(u("Q", off + 4)[0])] for off in plain(24, 12)]
    if 12 in at:
        rva, _ = at[12]
        header, stride, n = u("III", rva)
        out["handles"] = {"count": n, "header": header, "descriptor": stride, "by_type": {}, "list": []}
        for i in range(n):
            off = rva + header + i * stride
            kind, = u("I", off + 8)
            kind = text(kind) if kind else "None"
            out["handles"]["by_type"][kind] = out["handles"]["by_type"].get(kind, 0) + 1
        for off in (rva + header + i * stride for i in range(min(n, 200))):
            value, kind, name, attributes, access, handles, pointers = u("QIIIIII", off)
            out["handles"]["list"].append({
                "handle": value, "type": text(kind) if kind else "", "name": text(name) if name else "", "attributes": attributes,
                "access": access, "handle_count": handles, "pointer_count": pointers})
    if 5 in at:
        ranges = [u("QII", off) for off in plain(5, 16)]
        out["memory_list"] = {"count": len(ranges), "bytes": sum(r[1] for r in ranges)}
    if 9 in at:
        out["memory64_count"], = u("Q", at[9][0])
    if 16 in at:
        out["memory_info_count"], = u("Q", at[16][0] + 8)
    if 6 in at:
        tid, _, code, flag, _, address, n = u("IIIIQQI", at[6][0])
        out["exception"] = {"tid": tid, "code": hex(code), "flags": flag, "address": hex(address),
                            "params": [hex(p) for p in u(f"{min(n, 15)}Q", at[6][0] + 40)]}
    if 19 in at:
        out["token_header"] = list(u("4I", at[19][0]))
    return out


result = {}
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    result[os.path.basename(path)] = facts(gzip.decompress(data) if path.endswith(".gz") else data)
# Short lists and records stand in one line each.
lines = json.dumps(result, indent=1, sort_keys=True, ensure_ascii=False)
print(re.sub(r"(?<=[\[{])\n {4,}([^][{}]*)\n *(?=[]}])", lambda m: re.sub(r"\n *", " ", m[1]), lines))
