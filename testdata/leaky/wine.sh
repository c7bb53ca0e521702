# What the builders of test data share: Wine for $arch, and neutral dumps. Sourced by a
# build.sh, which sets arch, here and OUT. Everything that gets into a dump is
# neutral: host WEB01, user iusr, no environment, the Wine prefix under /srv/w3wp
# (so that must be writable).
PREFIX=/srv/w3wp/$arch
I386_ROOT=${I386_ROOT:-/var/tmp/wine-i386}
case $arch in
x64) triple=x86_64-w64-mingw32 wine=/usr/lib/wine/wine64 server=wineserver64 ;;
x86) triple=i686-w64-mingw32 wine=/usr/lib/wine/wine server=wineserver32 ;;
esac

# Debian's wine32 without touching the system's packages: resolved against an empty package status and unpacked.
make_i386_root() {
	[ ! -e "$I386_ROOT/usr/lib/wine/wine" ] || return 0
	cache=$OUT/i386-packages
	mkdir -p "$cache/archives/partial" "$cache/lists/partial" "$I386_ROOT"
	: > "$cache/status"
	set -- -o APT::Architecture=i386 -o APT::Architectures=i386 -o Dir::State::status="$cache/status" \
		-o Dir::State::lists="$cache/lists" -o Dir::Cache="$cache" -o Debug::NoLocking=1
	apt-get "$@" update || echo "goes on without the lists that are missing" >&2
	apt-get "$@" -y --download-only install --no-install-recommends wine32
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

# boot_wine makes the prefix, once, and leaves its C: drive in $drive. It needs the mounts of own_namespace.
boot_wine() {
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
	drive=$root$PREFIX/drive_c
}

# own_namespace runs a command with a host name and mounts of its own; an ordinary user becomes root there.
own_namespace() {
	if [ "$(id -u)" = 0 ]; then
		unshare --uts --mount "$@"
	else
		unshare --uts --mount --map-root-user "$@"
	fi
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
