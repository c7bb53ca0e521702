#!/bin/sh
# Runs threads.exe under Wine, and leaves in $OUT its dump with all memory and what
# winedbg shows of the same threads (threads.winedbg.txt, which is kept here). The
# test -record makes the small dump out of the large one; README.md says how.
set -eu
arch=x64
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-/var/tmp/unwind}
. "$here/../leaky/wine.sh"

if [ "${STEP:-}" = run ]; then
	boot_wine
	site=$drive/threads
	rm -rf "$site"
	mkdir -p "$site"
	cp "$OUT/threads.exe" "$site"
	in_wine $wine cmd /c "cd /d C:\\threads && C:\\threads\\threads.exe" &
	for i in $(seq 60); do
		[ ! -e "$site/ready" ] || break
		sleep 1
	done
	# winedbg shows the threads of all processes. This one's id is in hexadecimal.
	printf 'info process\nquit\n' | env -i HOME=/srv/w3wp/home USER=iusr PATH=/usr/bin:/bin WINEPREFIX="$PREFIX" \
		WINESERVER=/usr/lib/wine/$server WINEDEBUG=-all $wine winedbg > "$OUT/processes.txt" 2>&1
	pid=$(awk '/threads.exe/ {print $1}' "$OUT/processes.txt" | sed 's/[^0-9a-f]//g')
	printf 'bt all\nquit\n' | env -i HOME=/srv/w3wp/home USER=iusr PATH=/usr/bin:/bin WINEPREFIX="$PREFIX" \
		WINESERVER=/usr/lib/wine/$server WINEDEBUG=-all timeout 60 $wine winedbg 0x$pid > "$OUT/bt.txt" 2>&1 || true
	cp "$site/threads.dmp" "$OUT"
	in_wine /usr/lib/wine/$server -k
	exit
fi
mkdir -p "$OUT"
export SOURCE_DATE_EPOCH=1700000000
cd "$here/src"
$triple-gcc -O1 -s -Wall -Wextra -Werror -ffile-prefix-map="$here/src"=. -o "$OUT/threads.exe" threads.c -ldbghelp
STEP=run own_namespace "$here/threads.sh"
