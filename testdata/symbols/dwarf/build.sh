#!/bin/sh
# Builds the libraries, and what llvm-symbolizer says of every address of their
# code. Needs MinGW-w64's gcc and binutils, clang and llvm-symbolizer. The
# goldens belong to the libraries: commit both.
set -eu
cd "$(dirname "$0")"
flags="-O2 -ffreestanding -ffile-prefix-map=$PWD=/build -fdebug-prefix-map=$PWD=/build"
link="-shared --no-insert-timestamp -e"
x86_64-w64-mingw32-gcc -gdwarf-5 $flags -c src/leak.c -o leak.o
x86_64-w64-mingw32-ld $link DllMainCRTStartup leak.o -o leak.dll
i686-w64-mingw32-gcc -gdwarf-4 $flags -c src/leak.c -o leak32.o
i686-w64-mingw32-ld $link _DllMainCRTStartup leak32.o -o leak32.dll
clang++ --target=x86_64-w64-windows-gnu -gdwarf-4 $flags -fno-exceptions -fno-rtti -c src/task.cpp -o task.o
x86_64-w64-mingw32-ld $link DllMainCRTStartup task.o -o task.dll
rm -f leak.o leak32.o task.o
# Symbols of the linker that have the address of the first function.
x86_64-w64-mingw32-objcopy --wildcard --strip-symbol='__*' task.dll
python3 golden.py leak.dll short > leak.golden
python3 golden.py leak32.dll short > leak32.golden
python3 golden.py task.dll linkage > task.golden
