"""Prints what llvm-symbolizer says of every address of the code in a DLL.

One line for each run of addresses with the same answer: the first RVA, then
function|file|line from the innermost inlined call outwards, or - where no line
or no function is known. The second argument is the kind of names: short, or
linkage, for which llvm-symbolizer prefers the symbol table to DWARF."""
import json
import subprocess
import sys


def run(*args, text=None):
    return subprocess.run(args, check=True, capture_output=True, text=True, input=text).stdout


dll, kind = sys.argv[1], sys.argv[2]
header = run("x86_64-w64-mingw32-objdump", "-p", dll)
base = int(next(l for l in header.splitlines() if l.startswith("ImageBase")).split()[1], 16)
rvas = []
for line in run("x86_64-w64-mingw32-objdump", "-h", dll).splitlines():
    w = line.split()
    if len(w) == 7 and w[1].startswith(".text"):
        start = int(w[3], 16) - base
        rvas += range(start, start + int(w[2], 16))
out = run("llvm-symbolizer", "--obj=" + dll, "--relative-address", "--no-demangle", "--functions=" + kind,
          "--inlines", "--output-style=JSON", text="\n".join(map(hex, rvas)))
last = None
for rva, line in zip(rvas, out.splitlines(), strict=True):
    frames = json.loads(line)["Symbol"]
    text = " ".join("%s|%s|%d" % (f["FunctionName"], f["FileName"], f["Line"]) for f in frames)
    if not frames or not all(f["Line"] and f["FunctionName"] for f in frames):
        text = "-"
    if text != last:
        print("%x %s" % (rva, text))
        last = text
