#!/bin/sh
# Builds the leaking program, runs it under Wine and replaces the dumps and
# tables of truth in this folder. README.md says what they are.
#
#   ./build.sh x64 [full]
#   ./build.sh x86 [full]      as root: it unpacks Debian's i386 Wine into $I386_ROOT
#
# With "full" a full-memory dump stays behind as $OUT/leaky-ARCH-full.dmp.
# Needs Debian's wine64 8.0, gcc-mingw-w64, python3; unshare of util-linux.
# wine.sh says what else.
set -eu

arch=${1:-x64}
full=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-/var/tmp/leaky}

case $arch in
x64) entry=DllMain base=0x180000000 ;;
x86) entry=_DllMain@12 base=0x10000000 ;;
*) echo "usage: $0 x64|x86 [full]" >&2; exit 2 ;;
esac
. "$here/wine.sh"

compile() {
	# The time stamp of the images is part of their identity: fixed, so that a rebuild gives the same files.
	export SOURCE_DATE_EPOCH=1700000000
	flags="-O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -fno-optimize-sibling-calls
	       -fno-toplevel-reorder -ffile-prefix-map=$here/src=."
	mkdir -p "$OUT/$arch"
	cd "$here/src"
	for name in MyCustomDll.dll w3wp.exe; do
		type=VFT_APP
		[ $name = w3wp.exe ] || type=VFT_DLL
		$triple-windres -O coff -DTYPE=$type -DNAME="\\\"$name\\\"" -DDESCRIPTION="\\\"leaky: $name\\\"" \
			version.rc "$OUT/$arch/$name.res.o"
	done
	$triple-gcc $flags -shared -nostdlib -o "$OUT/$arch/MyCustomDll.dll" mycustom.c "$OUT/$arch/MyCustomDll.dll.res.o" \
		-Wl,-e,$entry -Wl,--image-base,$base -ladvapi32 -lkernel32
	$triple-gcc $flags -s -o "$OUT/$arch/w3wp.exe" w3wp.c held.c record.c handles.c streams.c memory.c dumpfile.c truth.c \
		"$OUT/$arch/w3wp.exe.res.o" "$OUT/$arch/MyCustomDll.dll" -ldbghelp -lpsapi -ladvapi32 -lntdll
}

# run is the part that happens under another host name (see the end).
run() {
	boot_wine
	site=$drive/inetsrv
	rm -rf "$site"
	mkdir -p "$site"
	cp "$OUT/$arch/w3wp.exe" "$OUT/$arch/MyCustomDll.dll" "$site"
	echo '<configuration/>' > "$site/web.config"
	in_wine $wine cmd /c "cd /d C:\\inetsrv && C:\\inetsrv\\w3wp.exe $full"
	in_wine /usr/lib/wine/$server -w
	rm -rf "$OUT/$arch/run"
	mkdir "$OUT/$arch/run"
	cp "$site"/*.dmp "$site"/*.tsv "$OUT/$arch/run"
}

publish() {
	cd "$OUT/$arch/run"
	[ ! -e c-full.dmp ] || mv c-full.dmp "$OUT/leaky-$arch-full.dmp"
	rm -f c-full.*
	$triple-nm -n "$OUT/$arch/MyCustomDll.dll" | python3 "$here/check.py" symbols $base > symbols.tsv
	check_neutral ./*.dmp ./*.tsv "$OUT/$arch/MyCustomDll.dll"
	for d in a b c c-heap; do
		python3 "$here/check.py" dump $d.dmp $d.handles.tsv $d.paths.tsv symbols.tsv
		gzip -n -9 -c $d.dmp > "$here/leaky-$arch-$d.dmp.gz"
		cp $d.handles.tsv "$here/leaky-$arch-$d.handles.tsv"
		cp $d.paths.tsv "$here/leaky-$arch-$d.paths.tsv"
	done
	cp symbols.tsv "$here/leaky-$arch.symbols.tsv"
	mkdir -p "$here/images/$arch"
	cp "$OUT/$arch/MyCustomDll.dll" "$here/images/$arch"
}

if [ "${LEAKY_STEP:-}" = run ]; then
	run
	exit
fi
compile
[ $arch = x64 ] || make_i386_root
LEAKY_STEP=run own_namespace "$here/build.sh" $arch $full
publish
