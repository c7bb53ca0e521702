#!/bin/sh
# Builds unwind.dll and the listing of its unwind data. ../README.md says what they
# are.
# Needs Debian's clang-19, lld-19, llvm-19 and python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$(mktemp -d)}
cd "$here/src"

compile() { clang-19 --target=aarch64-pc-windows-msvc -Wall -Wextra -Werror -c "$@"; }

python3 packed.py > "$OUT/packed.s"
for name in "$OUT/packed.s" codes.s fragments.s; do
	compile -o "$OUT/$(basename "$name" .s).obj" "$name"
done
flags="-O1 -fasynchronous-unwind-tables -ffreestanding -fno-builtin -fno-stack-protector -fno-vectorize -fno-slp-vectorize"
compile $flags -o "$OUT/plain.obj" compiled.c
compile $flags -DSIGNED -mbranch-protection=pac-ret+b-key -o "$OUT/signed.obj" compiled.c
lld-link-19 /nologo /brepro /dll /noentry /nodefaultlib /machine:arm64 /base:0x180000000 /opt:noref,noicf \
	/alternatename:__chkstk=chkstk /include:__chkstk \
	/out:"$OUT/unwind.dll" "$OUT/codes.obj" "$OUT/packed.obj" "$OUT/fragments.obj" "$OUT/plain.obj" "$OUT/signed.obj"
cp "$OUT/unwind.dll" "$here/unwind.dll"
cd "$here" # the listing begins with the name of the file
llvm-readobj-19 --unwind unwind.dll > unwind.txt
