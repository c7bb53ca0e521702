#!/bin/sh
# Builds the witness and the libraries of chains, runs them under Wine and leaves dumps with
# all memory, truth and images in $OUT/ARCH. README.md says what of that gets here, and how.
#
#   ./build.sh [x64|x86...]
#
# Needs Debian's wine64 8.0, gcc-mingw-w64, clang-22, lld-22 and llvm-22; unshare of
# util-linux; for x86 also root: see ../leaky/wine.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-/var/tmp/stacks}
llvm=${LLVM:-/usr/lib/llvm-22/bin}

# How the chains are compiled: library, compiler, options.
ways='
gcc0 gcc -O0 -g0
gcc2 gcc -O2 -g0
gccframe gcc -O2 -g -fno-omit-frame-pointer
clang1 clang -O1 -gcodeview
clang2 clang -O2 -gcodeview
'

compile() {
	# The time stamp of the images is part of their identity: fixed, so that a rebuild gives the same files.
	export SOURCE_DATE_EPOCH=1700000000
	rm -rf "$OUT/$arch"
	mkdir -p "$OUT/$arch/images" "$OUT/$arch/run"
	cd "$here/src"
	common="-Wall -Wextra -Werror -fno-ident -fno-stack-protector -ffile-prefix-map=$here/src=."
	$triple-gcc $common -O2 -s -o "$OUT/$arch/stacks.exe" witness.c -ldbghelp -lntdll
	cd "$OUT/$arch"
	. "$here/src/imports.sh"
	for library in kernel32 user32 msvcrt ntdll; do
		{
			printf 'LIBRARY %s.dll\nEXPORTS\n' $library
			echo "$imports" | sed -n "s/^$library //p" | tr ' ' '\n' | if [ $arch = x64 ]; then sed 's/@.*//'; else cat; fi
		} > $library.def
		$llvm/llvm-dlltool -k -m $machine -d $library.def -l $library.lib
	done
	base=0x10000000
	echo "$ways" | while read -r name compiler options; do
		base=$(printf '0x%x' $((base + 0x1000000)))
		case $compiler in
		gcc)
			(cd "$here/src" && $triple-gcc $common $options -fno-builtin -shared -nostdlib -o "$OUT/$arch/images/$name.dll" chains.c \
				-Wl,-e,${entry} -Wl,--image-base,$base -lkernel32 -luser32 -lmsvcrt -lgcc)
			case $options in *-g0*) $triple-strip "images/$name.dll" ;; esac
			;;
		clang)
			(cd "$here/src" && $llvm/clang --target=$target $common $options -fno-builtin -c -o "$OUT/$arch/$name.obj" chains.c)
			$llvm/lld-link /nologo /dll /nodefaultlib /Brepro /debug /pdbaltpath:%_PDB% /safeseh:no /base:$base /entry:entry \
				/out:images/$name.dll /pdb:images/$name.pdb /pdbsourcepath:C:\\src $name.obj kernel32.lib user32.lib msvcrt.lib ntdll.lib
			;;
		esac
	done
}

# run is the part that happens under another host name.
run() {
	boot_wine
	rm -rf "$drive/app"
	mkdir -p "$drive/app"
	cp "$OUT/$arch/stacks.exe" "$OUT/$arch"/images/*.dll "$drive/app"
	in_wine $wine cmd /c "cd /d C:\\app && C:\\app\\stacks.exe gcc0.dll gcc2.dll gccframe.dll clang1.dll clang2.dll"
	in_wine /usr/lib/wine/$server -w
	cp "$drive/app/stacks.dmp" "$drive/app/truth.tsv" "$OUT/$arch/run"
}

setup() {
	arch=$1
	. "$here/../leaky/wine.sh"
	PREFIX=/srv/w3wp/stacks-$arch
	case $arch in
	x64) target=x86_64-pc-windows-msvc machine=i386:x86-64 entry=entry ;;
	x86) target=i686-pc-windows-msvc machine=i386 entry=_entry@12 ;;
	esac
}

if [ -n "${STACKS_STEP:-}" ]; then
	setup "$STACKS_STEP"
	run
	exit
fi
[ $# -gt 0 ] || set -- x64 x86
for one; do
	setup "$one"
	[ $arch = x64 ] || make_i386_root
	compile
	STACKS_STEP=$arch own_namespace "$here/build.sh"
	check_neutral "$OUT/$arch/run/truth.tsv" "$OUT/$arch"/images/*
done
