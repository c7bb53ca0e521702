package unwind

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
)

// TestAMD64Readobj compares the unwind data of every function with what
// llvm-readobj --unwind has read.
func TestAMD64Readobj(t *testing.T) {
	t.Parallel()
	image, _ := loadImage(t, testdump.Read(t, "testdata/unwind/unwind-x64.dll"))
	a := newMachine(t, image, image.start).unwinder().amd64()
	module := &minidump.Module{BaseOfImage: minidump.VA(image.start), SizeOfImage: uint32(len(image.data))}
	table := a.tables.of(module, runtimeFunctionSize)
	var got []string
	kinds := map[windOp]bool{}
	for i := range table.count {
		var buf [runtimeFunctionSize]byte
		readFull(a.u.code, buf[:], table.start+minidump.VA(i*runtimeFunctionSize))
		entry := decodeRuntimeFunction(buf[:])
		info, _ := a.info(table.base, entry)
		if info == nil {
			t.Fatalf("%+v has no unwind data", entry)
		}
		got = append(got, describe(image.start, entry, info)...)
		for _, w := range info.ops {
			kinds[w.op] = true
		}
		if found, ok, _ := table.find(a.u.code, entry.begin); !ok || found != entry {
			t.Errorf("%#x is found in %+v, want %+v", entry.begin, found, entry)
		}
	}
	want := readobj(string(testdump.Read(t, "testdata/unwind/unwind-x64.readobj.txt")))
	if len(kinds) != 6 || len(want) < 200 {
		t.Errorf("%d kinds of operations, %d lines", len(kinds), len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("llvm-readobj and this package (-want +got):\n%s", diff)
	}
}

// describe writes what was read in the words of llvm-readobj, as far as they are
// compared: see readobj.
func describe(base uint64, entry runtimeFunction, info *unwindInfo) []string {
	registers := [...]string{"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}
	place := func(f runtimeFunction) string {
		return fmt.Sprintf("%#x-%#x %#x", base+uint64(f.begin), base+uint64(f.end), base+uint64(f.unwind))
	}
	lines := []string{place(entry), fmt.Sprintf("version %d prolog %d", info.version, info.prolog)}
	if info.frameReg != 0 {
		lines[1] += fmt.Sprintf(" frame %s %#x", registers[info.frameReg], info.frameOff/16)
	}
	for _, e := range info.epilogs {
		lines = append(lines, fmt.Sprintf("epilog %#x %#x", entry.end-entry.begin-e.start, e.end-e.start))
	}
	for _, w := range info.ops {
		reg := ""
		if w.op != windSaveXMM {
			reg = registers[w.reg]
		}
		code := ""
		switch w.op {
		case windPush:
			code = "PUSH_NONVOL reg=" + reg
		case windAlloc:
			code = fmt.Sprintf("ALLOC size=%d", w.n)
		case windSetFrame:
			code = fmt.Sprintf("SET_FPREG reg=%s, offset=0x%X", reg, w.n)
		case windSave:
			code = fmt.Sprintf("SAVE_NONVOL reg=%s, offset=0x%X", reg, w.n)
		case windSaveXMM:
			code = fmt.Sprintf("SAVE_XMM128 reg=XMM%d, offset=0x%X", w.reg, w.n)
		case windMachineFrame:
			code = "PUSH_MACHFRAME errcode=no"
			if w.n == 8 {
				code = "PUSH_MACHFRAME errcode=yes"
			}
		}
		lines = append(lines, fmt.Sprintf("%#x: %s", w.at, code))
	}
	if info.chained {
		lines = append(lines, "chained "+place(info.parent))
	}
	return lines
}

// readobj takes the functions out of the output of llvm-readobj. What it prints
// of the same operation in near and far forms is made equal, and its list of epilog
// codes becomes one of epilogs.
func readobj(text string) []string {
	field := regexp.MustCompile(`^(\w+): (?:\(?0x([0-9A-F]+)\)?|([^\s]+))( \(0x([0-9A-F]+)\))?$`)
	code := regexp.MustCompile(`^0x([0-9A-F]+): (.*)$`)
	var lines, places []string
	var length uint64
	frame := ""
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if m := code.FindStringSubmatch(line); m != nil {
			at, _ := strconv.ParseUint(m[1], 16, 64)
			switch name := m[2]; {
			case strings.HasPrefix(name, "EPILOG atend="):
				length = number(name, "length=")
				if strings.Contains(name, "atend=yes") {
					lines = append(lines, fmt.Sprintf("epilog %#x %#x", length, length))
				}
			case strings.HasPrefix(name, "EPILOG offset="):
				lines = append(lines, fmt.Sprintf("epilog %#x %#x", number(name, "offset="), length))
			case strings.HasPrefix(name, "EPILOG"): // padding
			default:
				name = strings.NewReplacer("_SMALL", "", "_LARGE", "", "_FAR", "").Replace(name)
				lines = append(lines, fmt.Sprintf("%#x: %s", at, name))
			}
			continue
		}
		m := field.FindStringSubmatch(line)
		if m == nil {
			if line == "Chained {" {
				lines = append(lines, "chained")
			}
			continue
		}
		switch m[1] {
		case "StartAddress", "EndAddress", "UnwindInfoAddress":
			v, _ := strconv.ParseUint(m[2], 16, 64)
			if places = append(places, fmt.Sprintf("%#x", v)); len(places) == 3 {
				where := fmt.Sprintf("%s-%s %s", places[0], places[1], places[2])
				if n := len(lines); n > 0 && lines[n-1] == "chained" {
					lines[n-1] += " " + where
				} else {
					lines = append(lines, where)
				}
				places = nil
			}
		case "Version":
			lines = append(lines, "version "+m[3])
		case "PrologSize":
			lines[len(lines)-1] += " prolog " + m[3]
		case "FrameRegister":
			frame = m[3]
		case "FrameOffset":
			if frame != "-" {
				v, _ := strconv.ParseUint(m[2], 16, 64)
				lines[len(lines)-1] += fmt.Sprintf(" frame %s %#x", frame, v)
			}
		}
	}
	return slices.Clip(lines)
}

// number returns the number behind a word of a line.
func number(line, word string) uint64 {
	_, rest, _ := strings.Cut(line, word)
	rest, _, _ = strings.Cut(rest, ",")
	v, _ := strconv.ParseUint(strings.TrimPrefix(rest, "0x"), 16, 64)
	return v
}
