#!/bin/sh
# Builds the leaking program, runs it under Wine and replaces the dumps and
# tables of truth in this folder. README.md says what they are.
#
#   ./build.sh x64 [full]
#   ./build.sh x86 [full]      as root: it unpacks Debian's i386 Wine into $I386_ROOT
#
# With "full" a full-memory dump stays behind as $OUT/leaky-ARCH-full.dmp.
# Needs Debian's wine64 8.0, gcc-mingw-w64, python3; unshare of util-linux.
# Everything that gets into a dump is neutral: host WEB01, user iusr, no
# environment, the Wine prefix under /srv/w3wp (so that must be writable).
set -eu

arch=${1:-x64}
full=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-/var/tmp/leaky}
PREFIX=/srv/w3wp/$arch
I386_ROOT=${I386_ROOT:-/var/tmp/wine-i386}

case $arch in
x64) triple=x86_64-w64-mingw32 entry=DllMain base=0x180000000 wine=/usr/lib/wine/wine64 server=wineserver64 ;;
x86) triple=i686-w64-mingw32 entry=_DllMain@12 base=0x10000000 wine=/usr/lib/wine/wine server=wineserver32 ;;
*) echo "usage: $0 x64|x86 [full]" >&2; exit 2 ;;
esac

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

# Debian's wine32 without touching the system's packages: resolved against an empty package status and unpacked.
make_i386_root() {
	[ ! -e "$I386_ROOT/usr/lib/wine/wine" ] || return 0
	cache=$OUT/i386-packages
	mkdir -p "$cache/archives/partial" "$I386_ROOT"
	: > "$cache/status"
	apt-get -o APT::Architecture=i386 -o APT::Architectures=i386 -o Dir::State::status="$cache/status" \
		-o Dir::Cache="$cache" -o Debug::NoLocking=1 -y --download-only install --no-install-recommends wine32
	for deb in "$cache"/archives/*.deb; do
		dpkg -x "$deb" "$I386_ROOT"
	done
	# What the package's configuration step does: zlib1.dll, marked as Wine's own.
	zlib=$I386_ROOT/usr/i686-w64-mingw32/lib/zlib1.dll
	{ head -c 64 "$zlib"; printf 'Wine builtin DLL'; head -c 16 /dev/zero; tail -c +97 "$zlib"; } \
		> "$I386_ROOT/usr/lib/i386-linux-gnu/wine/i386-windows/zlib1.dll"
	mkdir -p "$I386_ROOT/proc" "$I386_ROOT/dev" "$I386_ROOT/tmp"
}

# in_wine runs Wine with nothing but these variables; for x86 in the i386 root.
in_wine() {
	[ $arch = x64 ] || set -- chroot "$I386_ROOT" "$@"
	env -i HOME=/srv/w3wp/home USER=iusr LOGNAME=iusr PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C \
		WINEPREFIX="$PREFIX" WINESERVER=/usr/lib/wine/$server WINEDEBUG=-all \
		WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe=d' "$@" </dev/null
}

# run is the part that happens under another host name (see the end).
run() {
	hostname WEB01
	root=
	if [ $arch = x86 ]; then
		root=$I386_ROOT
		mount --bind /proc "$root/proc"
		mount --bind /dev "$root/dev"
	fi
	mkdir -p "$root/srv/w3wp/home"
	if [ ! -d "$root$PREFIX" ]; then
		in_wine $wine wineboot -i
		in_wine $wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f
		in_wine /usr/lib/wine/$server -w
	fi
	site=$root$PREFIX/drive_c/inetsrv
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

# No word of the building machine may be in a file that is committed.
check_neutral() {
	for f in "$@"; do
		if { strings -a "$f"; strings -a -el "$f"; } | grep -E "$here|$OUT|/work|/root|/tmp|/home/|\\b$(hostname)\\b"; then
			echo "$f: names the building machine" >&2
			exit 1
		fi
	done
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
# A host name and mounts of our own; an ordinary user becomes root there.
if [ "$(id -u)" = 0 ]; then
	own='unshare --uts --mount'
else
	own='unshare --uts --mount --map-root-user'
fi
LEAKY_STEP=run $own "$here/build.sh" $arch $full
publish
