#!/bin/sh
# Builds the programs, runs them under Wine and replaces dumps, images and
# tables of truth in this folder. README.md says what they are.
#
#   ./build.sh [PROGRAM...]     all of them without an argument
#
# Needs Debian's wine64 8.0, g++-mingw-w64, python3; unshare of util-linux; for
# the programs of x86 also root: see ../leaky/wine.sh.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
leaky=$here/../leaky
OUT=${OUT:-/var/tmp/programs}
x86='gridnode imaging leases lrucache'

compile() { # PROGRAM
	# The time stamp of the images is part of their identity: fixed, so that a rebuild gives the same files.
	export SOURCE_DATE_EPOCH=1700000000
	flags="-O1 -fno-inline -Wall -Wextra -Werror -fno-omit-frame-pointer -fno-optimize-sibling-calls
	       -fno-toplevel-reorder -fno-ident -ffile-prefix-map=$here/src=. -ffile-prefix-map=$leaky/src=."
	under=
	[ $arch = x64 ] || under=_
	mkdir -p "$OUT/$arch"
	cd "$here/src"
	$triple-gcc $flags -s -shared -static-libgcc -I"$leaky/src" -o "$OUT/$arch/witness.dll" witness.c "$leaky"/src/record.c \
		"$leaky"/src/handles.c "$leaky"/src/streams.c "$leaky"/src/memory.c "$leaky"/src/dumpfile.c \
		-ldbghelp -lpsapi -ladvapi32 -lntdll
	$triple-windres -O coff -DTYPE=VFT_APP -DNAME="\\\"$1.exe\\\"" -DDESCRIPTION="\\\"programs: $1\\\"" \
		"$leaky/src/version.rc" "$OUT/$arch/$1.res.o"
	$triple-gcc $flags -c -o "$OUT/$arch/rt.o" rt.c
	name=$1
	set -- "$OUT/$arch/rt.o" "$OUT/$arch/$1.res.o" "$OUT/$arch/witness.dll" \
		-nostdlib -Wl,-e,${under}rt_entry -lkernel32 -ladvapi32 -lmsvcrt -lgcc
	if [ -e $name.cpp ]; then
		$triple-g++ $flags -std=c++17 -fno-exceptions -fno-rtti -o "$OUT/$arch/$name.exe" $name.cpp rtxx.cpp "$@"
	else
		$triple-gcc $flags -o "$OUT/$arch/$name.exe" $name.c "$@"
	fi
	# Names of functions, tables and variables stay, without lines and types: debug sections would be mapped.
	$triple-strip -S "$OUT/$arch/$name.exe"
}

# run is the part that happens under another host name.
run() { # PROGRAM
	boot_wine
	rm -rf "$drive/app"
	mkdir -p "$drive/app"
	cp "$OUT/$arch/$1.exe" "$OUT/$arch/witness.dll" "$drive/app"
	in_wine $wine cmd /c "cd /d C:\\app && C:\\app\\$1.exe"
	in_wine /usr/lib/wine/$server -w
	rm -rf "$OUT/$arch/run"
	mkdir "$OUT/$arch/run"
	cp "$drive"/app/*.dmp "$drive"/app/*.tsv "$OUT/$arch/run"
}

publish() { # PROGRAM
	cd "$OUT/$arch/run"
	check_neutral ./*.dmp ./*.tsv "$OUT/$arch/$1.exe"
	rm -f "$here/$1-$arch"-*.dmp.gz
	for d in *.dmp; do
		gzip -n -9 -c "$d" > "$here/$1-$arch-$d.gz"
	done
	if [ -e held.tsv ]; then
		{ printf 'dump\ttype\thandle\topening\n'; cat held.tsv; } > "$here/$1-$arch.held.tsv"
	fi
	mkdir -p "$here/images/$arch"
	install -m 644 "$OUT/$arch/$1.exe" "$here/images/$arch"
	sed "s/^/$1\t$arch\t/" counts.tsv > counts-of-one.tsv
	python3 "$here/truth.py" counts-of-one.tsv
	python3 "$here/check.py" "$1" "$arch"
}

if [ -n "${PROGRAMS_STEP:-}" ]; then
	arch=$PROGRAMS_STEP
	. "$leaky/wine.sh"
	run "$1"
	exit
fi
[ $# -gt 0 ] || set -- $(cd "$here/src" && ls | sed -n 's/\.c\(pp\)\?$//p' | grep -vx 'rt\|rtxx\|witness')
for program; do
	for arch in x64 x86; do
		case "$arch $x86 " in x86*" $program "* | x64*) ;; *) continue ;; esac
		. "$leaky/wine.sh"
		[ $arch = x64 ] || make_i386_root
		compile "$program"
		PROGRAMS_STEP=$arch own_namespace "$here/build.sh" "$program"
		publish "$program"
	done
done
