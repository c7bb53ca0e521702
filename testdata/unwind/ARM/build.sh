#!/bin/sh
# Builds unwind.dll and the listing of its unwind data. ../README.md says what they
# are.
# Needs Debian's clang-19, lld-19, llvm-19 and python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$(mktemp -d)}
cd "$here/src"

python3 packed.py > "$OUT/packed.s"
for name in codes.s "$OUT/packed.s"; do
	clang-19 --target=thumbv7-pc-windows-msvc -c -o "$OUT/$(basename "$name" .s).obj" "$name"
done
lld-link-19 /nologo /brepro /dll /noentry /nodefaultlib /machine:arm /base:0x10000000 /opt:noref,noicf \
	/out:"$OUT/unwind.dll" "$OUT/codes.obj" "$OUT/packed.obj"
cp "$OUT/unwind.dll" "$here/unwind.dll"
cd "$here" # the listing begins with the name of the file
llvm-readobj-19 --unwind unwind.dll > unwind.txt
