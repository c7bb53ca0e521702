//go:build ignore

// Rebuild compiles corpus.cpp for x64 and x86, collects the decorated names of the objects, has llvm-undname
// read them and writes names.golden: decorated name, qualified name with parameters.
//
//	cd analysis/internal/undecorate/testdata && go run rebuild.go
//
// It needs clang, llvm-nm and llvm-undname 19; -suffix names them as the distribution does.
package main

import (
	"bytes"
	"flag"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var suffix = flag.String("suffix", "-19", "suffix of the names of LLVM's programs")

func main() {
	log.SetFlags(0)
	flag.Parse()
	tmp, err := os.MkdirTemp("", "names")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	var names []string
	for _, target := range []string{"x86_64", "i686"} {
		obj := filepath.Join(tmp, target+".obj")
		run("", "clang", "--target="+target+"-pc-windows-msvc", "-std=c++17", "-w", "-c", "corpus.cpp", "-o", obj)
		for line := range strings.Lines(run("", "llvm-nm", "-j", obj)) {
			if name := strings.TrimSpace(line); strings.HasPrefix(name, "?") {
				names = append(names, name)
			}
		}
		data, err := os.ReadFile(obj)
		if err != nil {
			log.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\.\?A[A-Za-z0-9_?$@]+`).FindAllString(string(data), -1) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	full := undname(names)
	short := undname(names, "--no-access-specifier", "--no-calling-convention", "--no-return-type", "--no-member-type",
		"--no-variable-type")
	var out bytes.Buffer
	for i, name := range names {
		// The name in a type descriptor is its class; the short form would leave that out for a type.
		if class, ok := strings.CutSuffix(full[i], " `RTTI Type Descriptor Name'"); ok {
			short[i] = class
		} else if strings.HasSuffix(full[i], " `RTTI Type Descriptor'") {
			short[i] = full[i]
		}
		out.WriteString(name + "\t" + short[i] + "\n")
	}
	if err := os.WriteFile("names.golden", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

func run(stdin, name string, args ...string) string {
	cmd := exec.Command(name+*suffix, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil && name != "llvm-undname" { // which fails when one name is not understood
		log.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// undname returns what llvm-undname says of each name: it prints the name, its reading or an error, and an empty line.
func undname(names []string, flags ...string) []string {
	var out []string
	for _, block := range strings.Split(strings.TrimSpace(run(strings.Join(names, "\n")+"\n", "llvm-undname", flags...)), "\n\n") {
		_, text, _ := strings.Cut(block, "\n")
		out = append(out, text)
	}
	if len(out) != len(names) {
		log.Fatalf("%d names, %d answers", len(names), len(out))
	}
	return out
}
