"""Puts our assembly, orders.dll, into a program in a single file, in the place of its own.

    single.py PROGRAM.exe orders.dll OUT.exe

The format is that of docs/design/features/bundler of github.com/dotnet/designs
and of src/installer/managed/Microsoft.NET.HostModel/Bundle: the header of the
bundle is found by the offset before a signature of 32 bytes.
"""
import struct
import sys

SIGNATURE = bytes.fromhex("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae")


class Reader:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def number(self, form):
        (v,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return v

    def text(self):
        n = shift = 0
        while True:
            b = self.number("B")
            n |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                break
        self.at += n
        return self.data[self.at - n : self.at]


def text(b):
    n, out = len(b), b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n]) + b


OURS = b"orders.dll"


def main(program, ours, out):
    data = bytearray(open(program, "rb").read())
    at = data.index(SIGNATURE) - 8
    r = Reader(data, struct.unpack_from("<q", data, at)[0])
    major, minor, count = (r.number("I") for _ in range(3))
    if major != 6:
        sys.exit(f"a bundle of version {major}")
    identity = r.text()
    settings = [r.number("q") for _ in range(5)]
    entries = []
    for _ in range(count):
        entries.append([r.number("q"), r.number("q"), r.number("q"), r.number("B"), r.text()])

    def append(b, align):
        data.extend(bytes(-len(data) % align))
        data.extend(b)
        return len(data) - len(b)

    suffix = b".runtimeconfig.json"
    (name,) = (e[4].removesuffix(suffix) + b".dll" for e in entries if e[4].endswith(suffix))
    dll = open(ours, "rb").read()
    for e in entries:
        if e[4] == name:
            e[0], e[1], e[2], e[4] = append(dll, 4096), len(dll), 0, OURS
        elif e[4].endswith(suffix):
            e[4] = OURS.removesuffix(b".dll") + suffix
    # The list of dependencies, by offset and size, and the name of the program that was written into the host.
    dependencies = bytes(data[settings[0] : settings[0] + settings[1]]).replace(name, OURS)
    settings[0], settings[1] = append(dependencies, 16), len(dependencies)
    place = data.index(name + bytes(64), 0, r.at)
    data[place : place + len(name) + 8] = OURS.ljust(len(name) + 8, b"\0")
    header = struct.pack("<III", major, minor, count) + text(identity) + struct.pack("<5q", *settings)
    for e in entries:
        header += struct.pack("<qqqB", *e[:4]) + text(e[4])
    where = append(header, 16)
    struct.pack_into("<q", data, at, where)
    open(out, "wb").write(data)


main(*sys.argv[1:])
