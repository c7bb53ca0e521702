#!/bin/sh
# Builds the DLLs out of src, and what llvm-readobj says of the unwind data: that of
# LLVM 22 does not read version 3.
# Needs clang-22, lld-22 and llvm-22 (apt.llvm.org or Debian's backports), and gcc-mingw-w64-x86-64-win32.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
llvm=${LLVM:-/usr/lib/llvm-22/bin}
OUT=${OUT:-$(mktemp -d)}
cd "$here/src"
target=--target=x86_64-pc-windows-msvc
$llvm/clang $target -c x64.s -o "$OUT/x64.o"
$llvm/clang $target -c entry.s -o "$OUT/entry.o"
$llvm/clang $target -mapxf -c v3.s -o "$OUT/v3.o"
flags="-fno-stack-protector -fno-ident -Wall -Wextra -Werror"
$llvm/clang $target $flags -O0 -DSUFFIX=_clang0 -c calls.c -o "$OUT/clang0.o"
$llvm/clang $target $flags -O2 -DSUFFIX=_clang2 -c calls.c -o "$OUT/clang2.o"
$llvm/clang $target $flags -O2 -DSUFFIX=_v2 -fwinx64-eh-unwindv2=required -c calls.c -o "$OUT/v2.o"
x86_64-w64-mingw32-gcc $flags -O0 -DSUFFIX=_gcc0 -c calls.c -o "$OUT/gcc0.o"
x86_64-w64-mingw32-gcc $flags -O2 -DSUFFIX=_gcc2 -c calls.c -o "$OUT/gcc2.o"
# The functions that the test begins with are found by their exports.
cd "$OUT"
link() {
	$llvm/lld-link /dll /noentry /nodefaultlib /Brepro /base:0x180000000 "$@"
}
link /out:unwind-x64.dll /export:all /export:callsnoreturn /export:dispatcher /export:dispatchercode \
	x64.o entry.o clang0.o clang2.o v2.o gcc0.o gcc2.o
link /out:unwind-x64v3.dll /export:v3all v3.o
$llvm/llvm-readobj --unwind unwind-x64.dll > unwind-x64.readobj.txt
cp unwind-x64.dll unwind-x64v3.dll unwind-x64.readobj.txt "$here"
