//go:build ignore

// Rebuild compiles the sources in src into small images with PDBs, asks LLVM about their addresses and writes what it
// says into the golden files that the tests of analysis/internal/pdb hold the reader against.
//
//	cd testdata/symbols/pdb && go run rebuild.go            # rebuild images, PDBs and goldens
//	cd testdata/symbols/pdb && go run rebuild.go -goldens   # the goldens only, from the files as they are
//
// It needs clang, lld-link, llvm-symbolizer and llvm-pdbutil of LLVM 19: llvm-symbolizer of LLVM 14 gives wrong lines for
// nested inlined calls. -suffix names them as the distribution does.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var suffix = flag.String("suffix", "-19", "suffix of the names of LLVM's programs")

// image is one file to build: its name, and what the linker is told.
type image struct {
	name, ext, target, machine string
	compile, link              []string
}

var debug = []string{"-g", "-gcodeview", "-gno-codeview-command-line"}

var images = []image{
	{"handles64", ".exe", "x86_64-pc-windows-msvc", "x64", debug, []string{"/subsystem:console", "/entry:entry", "/opt:ref"}},
	{"handles32", ".dll", "i686-pc-windows-msvc", "x86", debug, []string{"/dll", "/noentry", "/safeseh:no", "/opt:noref"}},
	{"publics64", ".exe", "x86_64-pc-windows-msvc", "x64", nil, []string{"/subsystem:console", "/entry:entry", "/opt:noref"}},
}

func main() {
	log.SetFlags(0)
	goldens := flag.Bool("goldens", false, "keep images and PDBs")
	flag.Parse()
	for _, im := range images {
		if !*goldens {
			im.build()
		}
		im.golden()
	}
}

func run(dir, name string, args ...string) []byte {
	cmd := exec.Command(name+*suffix, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		log.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// build makes image and PDB. Paths inside are made up (/src), so that they are the same wherever this runs.
func (im image) build() {
	tmp, err := os.MkdirTemp("", "pdb")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	if err := os.CopyFS(tmp, os.DirFS("src")); err != nil {
		log.Fatal(err)
	}
	run(tmp, "lld-link", "/lib", "/machine:"+im.machine, "/def:kernel32.def", "/out:kernel32.lib")
	args := append([]string{"/nodefaultlib", "/Brepro", "/debug", "/opt:icf", "/pdbsourcepath:/src",
		"/pdbaltpath:" + im.name + ".pdb", "/pdb:" + im.name + ".pdb", "/out:" + im.name + im.ext}, im.link...)
	for _, src := range []string{"handles.cpp", "main.cpp", "leak.c"} {
		run(tmp, "clang", append([]string{"--target=" + im.target, "-O2", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
			"-fno-stack-protector", "-ffunction-sections", "-ffile-prefix-map=" + tmp + "=/src", "-fdebug-compilation-dir=/src",
			"-Xclang", "-object-file-name=/src/" + src + ".obj", "-c", src, "-o", src + ".obj"}, im.compile...)...)
		args = append(args, src+".obj")
	}
	run(tmp, "lld-link", append(args, "kernel32.lib")...)
	for _, name := range []string{im.name + im.ext, im.name + ".pdb"} {
		data, err := os.ReadFile(filepath.Join(tmp, name))
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// symbol is a function or public symbol as llvm-pdbutil lists it.
type symbol struct {
	kind, name     string
	seg, off, size int
	start          int // RVA
}

// section is a section of the image in RVAs.
type section struct{ start, size int }

func number(s string, base int) int {
	n, err := strconv.ParseInt(s, base, 64)
	if err != nil {
		log.Fatal(err)
	}
	return int(n)
}

func (im image) sections() (out []section) {
	text := string(run(".", "llvm-pdbutil", "dump", "-section-headers", im.name+".pdb"))
	for _, m := range regexp.MustCompile(`([0-9A-F]+) virtual size\s+([0-9A-F]+) virtual address`).FindAllStringSubmatch(text, -1) {
		out = append(out, section{number(m[2], 16), number(m[1], 16)})
	}
	return out
}

var (
	contribution = regexp.MustCompile(`SC\[.*\| mod = \d+, (\d+):(\d+), size = (\d+)`)

	recordLine = regexp.MustCompile("\\| (S_[A-Z0-9_]+) \\[size = \\d+\\] `(.*)`")
	addrLine   = regexp.MustCompile(`addr = (\d+):(\d+)`)
	sizeLine   = regexp.MustCompile(`(?:code size = |, size = )(\d+)`)
)

// contributions lists what modules put into sections, in RVAs.
func (im image) contributions(sections []section) (out []section) {
	for _, m := range contribution.FindAllStringSubmatch(string(run(".", "llvm-pdbutil", "dump", "-section-contribs", im.name+".pdb")), -1) {
		out = append(out, section{sections[number(m[1], 10)-1].start + number(m[2], 10), number(m[3], 10)})
	}
	return out
}

// symbols lists the symbols of the given kinds.
func (im image) symbols(sections []section, option string, kinds ...string) (out []symbol) {
	var cur *symbol
	for line := range strings.Lines(string(run(".", "llvm-pdbutil", "dump", option, im.name+".pdb"))) {
		if m := recordLine.FindStringSubmatch(line); m != nil {
			cur = nil
			if slices.Contains(kinds, m[1]) {
				out = append(out, symbol{kind: m[1], name: m[2], seg: -1})
				cur = &out[len(out)-1]
			}
		} else if strings.Contains(line, "| S_") {
			cur = nil
		}
		if cur == nil {
			continue
		}
		if m := addrLine.FindStringSubmatch(line); m != nil && cur.seg < 0 {
			cur.seg, cur.off = number(m[1], 10), number(m[2], 10)
			cur.start = sections[cur.seg-1].start + cur.off
		}
		if m := sizeLine.FindStringSubmatch(line); m != nil && cur.size == 0 {
			cur.size = number(m[1], 10)
		}
	}
	return out
}

// frame is a frame as llvm-symbolizer prints it.
type frame struct {
	FunctionName, FileName string
	Line                   int
}

func (im image) symbolize(functions string, addrs []int) map[int][]frame {
	args := []string{"--obj=" + im.name + im.ext, "--relative-address", "--functions=" + functions, "--no-demangle",
		"--inlines", "--output-style=JSON"}
	for _, a := range addrs {
		args = append(args, fmt.Sprintf("%#x", a))
	}
	var answers []struct {
		Address string
		Symbol  []frame
	}
	if err := json.Unmarshal(run(".", "llvm-symbolizer", args...), &answers); err != nil {
		log.Fatal(err)
	}
	out := map[int][]frame{}
	for _, a := range answers {
		out[number(strings.TrimPrefix(a.Address, "0x"), 16)] = a.Symbol
	}
	return out
}

// golden writes a line for every address: RVA, kind, start, size, name, file:line, and the inlined calls, innermost
// first.
func (im image) golden() {
	sections := im.sections()
	procs := im.symbols(sections, "-symbols", "S_GPROC32", "S_LPROC32")
	publics := im.symbols(sections, "-publics", "S_PUB32")
	contributions := im.contributions(sections)
	slices.SortStableFunc(publics, func(a, b symbol) int { return cmp.Compare(a.start, b.start) })

	var addrs []int
	for _, p := range procs {
		addrs = append(addrs, p.start, p.start+p.size-1, p.start+p.size)
	}
	for _, p := range publics {
		addrs = append(addrs, p.start, p.start+1)
	}
	rng := rand.New(rand.NewPCG(4, 19))
	for range 1000 {
		addrs = append(addrs, sections[0].start+rng.IntN(sections[0].size))
	}
	slices.Sort(addrs)
	addrs = slices.Compact(addrs)

	short, linkage := im.symbolize("short", addrs), im.symbolize("linkage", addrs)
	var out bytes.Buffer
	fmt.Fprintf(&out, "# made by rebuild.go from what llvm-symbolizer and llvm-pdbutil say of %s\n", im.name+".pdb")
	fmt.Fprintln(&out, "# rva\tkind\tstart\tsize\tname\tline\tinlined calls, innermost first")
	for _, a := range addrs {
		frames := short[a]
		last := frames[len(frames)-1]
		sym := find(procs, publics, contributions, a, last.FunctionName, linkage[a][len(linkage[a])-1].FunctionName)
		fmt.Fprintf(&out, "%#x\t%s\t%#x\t%d\t%s\t%s", a, sym.kind, sym.start, sym.size, sym.name, line(last))
		for _, f := range frames[:len(frames)-1] {
			fmt.Fprintf(&out, "\t%s %s", f.FunctionName, line(f))
		}
		fmt.Fprintln(&out)
	}
	if err := os.WriteFile(im.name+".golden", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
	if im.machine != "x86" {
		return
	}
	fpo := regexp.MustCompile(`(?m)^[0-9A-F]{8} .*\n`).FindAll(run(".", "llvm-pdbutil", "dump", "-fpo", im.name+".pdb"), -1)
	if err := os.WriteFile(im.name+".fpo", bytes.Join(fpo, nil), 0o644); err != nil {
		log.Fatal(err)
	}
}

func line(f frame) string {
	if f.FileName == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d", f.FileName, f.Line)
}

// find gives the record in llvm-pdbutil's list behind the name that llvm-symbolizer gave: a function that covers the
// address, else the public symbol nearest before it. Unlike llvm-symbolizer it takes one only if address and symbol
// are of one contribution: behind the end of its own code a public symbol is a wrong name.
func find(procs, publics []symbol, contributions []section, addr int, function, linkage string) symbol {
	if function != "" {
		for _, p := range procs {
			if p.name == function && p.start <= addr && addr < p.start+p.size {
				return p
			}
		}
		log.Fatalf("%#x: llvm-pdbutil does not list %s there", addr, function)
	}
	found := symbol{kind: "-", name: "-"}
	for _, c := range contributions {
		if addr < c.start || addr >= c.start+c.size {
			continue
		}
		for _, p := range publics {
			if p.name == linkage && c.start <= p.start && p.start <= addr {
				found = p
			}
		}
	}
	return found
}
