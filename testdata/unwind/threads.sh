#!/bin/sh
# Runs programs under Wine and keeps what winedbg shows of their threads
# (*.winedbg.txt). Their dumps with all memory go to $OUT; the test -record makes the
# small ones here out of them; README.md says how.
set -eu
arch=x64
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-/var/tmp/unwind}
. "$here/../leaky/wine.sh"
PREFIX=/srv/w3wp/unwind # threads.exe stays until its server ends

debugger() {
	env -i HOME=/srv/w3wp/home USER=iusr PATH=/usr/bin:/bin WINEPREFIX="$PREFIX" \
		WINESERVER=/usr/lib/wine/$server WINEDEBUG=-all timeout 100 $wine winedbg "$@" 2>&1
}

# watch starts a program in a folder, waits for a file of its and then lets winedbg
# show the threads.
watch() {
	folder=$1 name=$2 first=$3
	shift 3
	site=$drive/$folder
	rm -rf "$site"
	mkdir -p "$site"
	cp "$@" "$site"
	echo '<configuration/>' > "$site/web.config"
	in_wine $wine cmd /c "cd /d C:\\$folder && C:\\$folder\\$name.exe full" &
	until [ -e "$site/$first" ]; do sleep 1; done
	printf 'info process\nquit\n' | debugger > "$OUT/$name.processes.txt"
	pid=$(awk -v name="$name.exe" 'index($0, name) {print $1}' "$OUT/$name.processes.txt" | sed 's/[^0-9a-f]//g')
	# That shows the threads of all processes.
	printf 'bt all\ndetach\nquit\n' | debugger 0x$pid > "$OUT/$name.bt.txt" || true
}

if [ "${STEP:-}" = run ]; then
	boot_wine
	trap 'in_wine /usr/lib/wine/$server -k' EXIT
	watch inetsrv w3wp b.dmp "$LEAKY/w3wp.exe" "$LEAKY/MyCustomDll.dll"
	wait
	cp "$site/c-full.dmp" "$OUT/w3wp.dmp"
	watch threads threads ready "$OUT/threads.exe"
	cp "$site/threads.dmp" "$OUT"
	exit
fi
# The leaking program, as ../leaky/build.sh leaves it in its $OUT.
LEAKY=${LEAKY:-/var/tmp/leaky/$arch}
export LEAKY
mkdir -p "$OUT"
export SOURCE_DATE_EPOCH=1700000000
cd "$here/src"
$triple-gcc -O1 -s -Wall -Wextra -Werror -ffile-prefix-map="$here/src"=. -o "$OUT/threads.exe" threads.c -ldbghelp
STEP=run own_namespace "$here/threads.sh"
# Of each line the address and the function or module are kept: the rest is what winedbg
# makes of parameters, and paths.
for name in threads w3wp; do
	tr -d '\r' < "$OUT/$name.bt.txt" | awk -v name="$name.exe" '
		/^Backtracing for thread/ {show = index($0, name); if (show) print "thread " $4}
		show && /^(=>| )[ 0-9]+ 0x/ {
			sub(/^(=>)? *[0-9]+ /, "")
			if ($2 != "in") sub(/\(.*/, ""); else sub(/ \(0x.*| \(0000000000000000\)/, "")
			print
		}' > "$here/$name-x64.winedbg.txt"
done
