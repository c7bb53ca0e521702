#!/bin/sh
# Builds frames.c into the images of the tests, and their PDBs. Needs clang and
# lld-link 14, and gcc-mingw-w64-i686. The files come out the same byte for byte.
#
#   frames-fp   clang, Windows' frame data in a PDB, functions with a frame pointer
#   frames-fpo  the same without
#   frames-os   the same without, smaller: arguments are pushed
#   frames-gcc  MinGW's gcc: call frame information in .eh_frame, no frame pointer
set -eu
cd "$(dirname "$0")"
# The compiler writes its command line, with its folder, into the symbols: it gets
# one of its own.
if [ -z "${FRAMES_HERE:-}" ]; then
	FRAMES_HERE=$PWD exec unshare --mount --map-root-user ./build.sh
fi
mount -t tmpfs frames /mnt
cp frames.c /mnt
cd /mnt
export SOURCE_DATE_EPOCH=1700000000

clang_image() { # name, flags
	name=$1
	shift
	clang --target=i686-pc-windows-msvc "$@" -mno-sse -ffreestanding -fno-builtin -fno-stack-protector -fno-unroll-loops \
		-gcodeview -gline-tables-only -fdebug-compilation-dir=/mnt \
		-Xclang -object-file-name=/mnt/frames.obj -c frames.c -o "$name.obj"
	lld-link /dll /noentry /safeseh:no /nodefaultlib /Brepro /debug /base:0x10000000 /pdbsourcepath:/mnt \
		"/pdbaltpath:$name.pdb" "/pdb:$name.pdb" "/out:$name.dll" "$name.obj" >/dev/null
	cp "$name.dll" "$name.pdb" "$FRAMES_HERE"
}

clang_image frames-fp -O1 -fno-omit-frame-pointer
clang_image frames-fpo -O2 -fomit-frame-pointer
clang_image frames-os -Os -fomit-frame-pointer

i686-w64-mingw32-gcc -O2 -fomit-frame-pointer -mno-sse -ffreestanding -fno-stack-protector -fno-tree-vectorize \
	-fasynchronous-unwind-tables -shared -nostdlib -s -Wl,--image-base,0x10000000 -Wl,-e,0 -o frames-gcc.dll frames.c
cp frames-gcc.dll "$FRAMES_HERE"
