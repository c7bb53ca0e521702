#!/bin/sh
# Makes the sections of call frame information of the tests, and what
# llvm-dwarfdump-19 says of them. Needs clang, ld.lld and llvm-objcopy, and llvm-dwarfdump 19:
# older ones restore a remembered state in part.
#
#   ARCH.eh_frame, ARCH.debug_frame   the bytes of the section
#   ARCH.rows                         where it is loaded, and the rows of each function
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
frames=../../../unwind/testdata/x86

rows() { # image, section, option
	llvm-readelf -S "$1" 2>/dev/null | sed -n "s/.* $2 *PROGBITS *\([0-9a-f]*\).*/section \1/p"
	llvm-dwarfdump-19 "$3" "$1" | sed -n -e 's/.* FDE .* pc=\([0-9a-f]*\)\.\.\.\([0-9a-f]*\)$/function \1 \2/p' -e 's/^  \(0x[0-9a-f]*: CFA\)/\1/p'
}

elf() { # architecture, target, section, option, flags
	arch=$1 target=$2 section=$3 option=$4
	shift 4
	clang "--target=$target" "$@" -O2 -fomit-frame-pointer -ffreestanding -fno-builtin -c frames.c -o "$tmp/$arch.o"
	ld.lld --image-base=0x10000 -z norelro -z separate-code -o "$tmp/$arch" "$tmp/$arch.o" -e main_function
	llvm-objcopy "--dump-section=$section=$arch$section" "$tmp/$arch" "$tmp/none"
	chmod 644 "$arch$section"
	rows "$tmp/$arch" "$section" "$option" > "$arch.rows"
}

elf amd64 x86_64-linux-gnu .eh_frame --eh-frame -fasynchronous-unwind-tables
elf arm64 aarch64-linux-gnu .eh_frame --eh-frame -fasynchronous-unwind-tables
elf arm armv7-linux-gnueabihf .debug_frame --debug-frame -gline-tables-only -fno-unwind-tables -fno-exceptions
llvm-dwarfdump-19 --eh-frame $frames/frames-gcc.dll |
	sed -n -e 's/.* FDE .* pc=\([0-9a-f]*\)\.\.\.\([0-9a-f]*\)$/function \1 \2/p' -e 's/^  \(0x[0-9a-f]*: CFA\)/\1/p' > x86.rows
