#!/bin/sh
# Builds the managed program, runs it in three versions of .NET under Wine and
# replaces the dumps in this folder. README.md says what they are.
#
#   ./build.sh [core31-x64] [core21-x86] [net10-x64]     all without an argument
#
# With KEEP=1 the full dumps stay behind in $OUT. Needs Debian's wine64 8.0, the
# compilers of MinGW, mono-mcs, python3 with pip, npm, Go; unshare of util-linux;
# for x86 also root: see ../leaky/wine.sh. Two runtimes come from packages that
# ship them; for net10-x64, SINGLE is the path of a program for win-x64 that was
# published as a single file with .NET 10.0.9: any one whose libraries were not
# trimmed of what ours uses.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
leaky=$here/../leaky
OUT=${OUT:-/var/tmp/clr}

# fetch unpacks the package with the runtime into $OUT/$dump/runtime.
fetch() {
	[ ! -e "$OUT/$1/runtime" ] || return 0
	rm -rf "$OUT/$1/package"
	mkdir -p "$OUT/$1/package"
	cd "$OUT/$1/package"
	case $1 in
	core31-x64)
		pip download --no-deps --platform win_amd64 --only-binary=:all: dotnetcore2==3.1.23
		python3 -m zipfile -e ./*.whl .
		mv dotnetcore2/bin ../runtime ;;
	core21-x86)
		npm pack --silent dotnet-2.1-win-ia32@2.1.1007
		tar xzf ./*.tgz
		mv package ../runtime ;;
	net10-x64)
		mkdir ../runtime
		cp "$SINGLE" ../runtime/program.exe ;;
	esac
}

# compile makes the program against the assemblies of 2.1, which all three versions run.
compile() { # DUMP
	framework=$OUT/core21-x86/runtime/shared/Microsoft.NETCore.App/2.1.8
	app=$OUT/$1/app
	rm -rf "$app"
	mkdir -p "$app"
	cd "$here/src"
	mcs -nostdlib -noconfig -debug- -optimize+ -r:"$framework/System.Private.CoreLib.dll" -r:"$framework/System.Runtime.dll" \
		-r:"$framework/System.Collections.dll" -out:"$app/orders.dll" orders.cs
	$triple-gcc -O1 -Wall -Wextra -Werror -s -shared -static-libgcc -ffile-prefix-map="$leaky/src=." -I"$leaky/src" -o "$app/snapshot.dll" \
		snapshot.c "$leaky"/src/record.c "$leaky"/src/handles.c "$leaky"/src/streams.c "$leaky"/src/memory.c "$leaky"/src/dumpfile.c \
		-ldbghelp -lpsapi -ladvapi32 -lntdll
	if [ "$1" = net10-x64 ]; then
		python3 "$here/single.py" "$OUT/$1/runtime/program.exe" "$app/orders.dll" "$app/orders.exe"
		rm "$app/orders.dll"
		return
	fi
	cp -r "$OUT/$1/runtime/dotnet.exe" "$OUT/$1/runtime/host" "$OUT/$1/runtime/shared" "$app"
	version=$(ls "$app/shared/Microsoft.NETCore.App")
	echo '{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "'"$version"'"},' \
		'"configProperties": {"System.Globalization.Invariant": true}}}' > "$app/orders.runtimeconfig.json"
}

# run is the part that happens under another host name.
run() { # DUMP
	boot_wine
	rm -rf "$drive/app"
	cp -r "$OUT/$1/app" "$drive/app"
	program='dotnet.exe orders.dll'
	[ "$1" != net10-x64 ] || program=orders.exe
	in_wine $wine cmd /c "cd /d C:\\app && C:\\app\\$program"
	in_wine /usr/lib/wine/$server -w
	mv "$drive/app/full.dmp" "$OUT/$1/full.dmp"
	rm -rf "$drive/app"
}

publish() { # DUMP
	cd "$here/../.."
	go run ./analysis/internal/clr/testdata/cut "$OUT/$1/full.dmp" orders "$OUT/$1/cut.dmp"
	check_neutral "$OUT/$1/cut.dmp"
	gzip -n -9 -c "$OUT/$1/cut.dmp" > "$here/$1.dmp.gz"
	[ -n "${KEEP:-}" ] || rm "$OUT/$1/full.dmp"
}

settings() { # DUMP
	arch=${1#*-}
	. "$leaky/wine.sh"
}

if [ -n "${CLR_STEP:-}" ]; then
	settings "$CLR_STEP"
	run "$CLR_STEP"
	exit
fi
[ $# -gt 0 ] || set -- core31-x64 core21-x86 net10-x64
fetch core21-x86
for dump; do
	settings "$dump"
	[ $arch = x64 ] || make_i386_root
	fetch "$dump"
	compile "$dump"
	CLR_STEP=$dump own_namespace "$here/build.sh"
	publish "$dump"
done
