package unwind

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/peimage"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

const stackLow, stackSize = 0x200000, 0x10000

// load86 makes a machine that is about to run thread_start of one of our images,
// and a dump of it whose memory holds the image.
func load86(t *testing.T, name string) (*machine86, *minidump.File) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "x86", name+".dll"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := peimage.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	m := &machine86{code: make([]byte, img.SizeOfImage), base: uint32(img.ImageBase), stack: make([]byte, stackSize), low: stackLow}
	copy(m.code, data[:0x400])
	for _, s := range img.Sections {
		copy(m.code[s.VirtualAddress:], data[s.PointerToRawData:s.PointerToRawData+min(s.SizeOfRawData, s.VirtualSize)])
	}
	exports, err := img.Exports()
	if err != nil {
		t.Fatal(err)
	}
	for rva := range img.SizeOfImage {
		if x, ok, _ := exports.Lookup(rva); ok && x.RVA == rva && strings.Contains(x.Name, "thread_start") {
			m.pc = m.base + rva
		}
	}
	if m.pc == 0 {
		t.Fatal("no thread_start")
	}
	// __SEH_prolog4 and __SEH_epilog4, which lie side by side.
	begin := bytes.Index(m.code, []byte{0x6a, 0, 0x6a, 0, 0x8b, 0x44, 0x24, 0x10})
	end := bytes.Index(m.code, []byte{0x89, 0xec, 0x5d, 0x51, 0xc3})
	if begin > 0 {
		m.helpers = [2]uint32{m.base + uint32(begin), m.base + uint32(end) + 5}
	}
	m.r = [8]uint32{1, 2, 3, 0xb0b0, stackLow + stackSize - 64, 0, 0xc0c0, 0xd0d0}
	m.push(0) // where a thread returns to
	module := dumptest.Module{
		Base: uint64(m.base), Size: img.SizeOfImage, TimeDateStamp: img.TimeDateStamp, Name: `C:\` + name + ".dll",
	}
	if v, ok, err := img.CodeView(); ok && err == nil {
		module.CodeView = dumptest.RSDS{GUID: v.GUID, Age: v.Age, Path: v.PDBFile}
	} else { // MinGW's linker writes none
		module.CodeView = dumptest.RSDS{GUID: [16]byte{1, 2, 3}, Path: name + ".pdb"}
	}
	f := testdump.Make(t, dumptest.Dump{
		PointerSize: 4, Modules: []dumptest.Module{module}, Memory64: []dumptest.MemoryRange{{Start: uint64(m.base), Data: m.code}},
	})
	return m, f
}

// unwinder86 makes the Unwinder of a dump, until the test ends.
func unwinder86(t *testing.T, f *minidump.File, o symbol.Options) *Unwinder {
	t.Helper()
	s, err := symbol.NewResolver(f, o)
	if err != nil {
		t.Fatal(err)
	}
	code := s.Code(t.Context())
	t.Cleanup(func() { s.Close() })
	u, err := New(f, s, code)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// registers returns those of the machine.
func (m *machine86) registers() Registers {
	regs := Registers{PC: minidump.VA(m.pc)}
	for n, v := range m.r {
		regs.set(n, uint64(v))
	}
	return regs
}

// helper reports whether the machine is in one of the helpers of functions with
// exception handlers, which change the stack pointer of their caller: what it was at
// the call, or will be after it, is both right.
func (m *machine86) helper() bool { return m.pc >= m.helpers[0] && m.pc < m.helpers[1] }

// every runs the whole program and unwinds the stack at each instruction. It
// returns the places where a frame is wrong or missing, and how many there were.
func every(t *testing.T, m *machine86, u *Unwinder) (wrong map[string]int, total int, trusts map[Trust]int) {
	wrong, trusts = map[string]int{}, map[Trust]int{}
	for m.pc != 0 {
		if len(m.frames) > 0 {
			total++
			// The memory of the stack changes, so nothing that was read of it may be kept.
			x := u.x86()
			x.stack = window{r: m}
			var frames []frame86
			stop, err := u.Walk(t.Context(), m.registers(), func(f Frame, r *Registers) bool {
				if f.Trust != TrustContext {
					frames = append(frames, frame86{uint32(f.PC), uint32(f.SP)})
					trusts[f.Trust]++
				}
				return len(frames) < len(m.frames)
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range m.frames {
				want := m.frames[len(m.frames)-1-i]
				if i >= len(frames) {
					wrong[fmt.Sprintf("0x%x: frame %d is missing, of %d: %s", m.pc, i+1, len(m.frames), stop)]++
					break
				}
				if i == 0 && (m.moved && frames[i].sp == m.r[esp]+4 || m.helper()) {
					want.sp = frames[i].sp
				}
				if frames[i] != want {
					wrong[fmt.Sprintf("0x%x: frame %d is %x, want %x", m.pc, i+1, frames[i], want)]++
					break
				}
			}
		}
		if err := m.step(); err != nil {
			t.Fatal(err)
		}
		if total > 0 && len(m.frames) == 0 {
			break // back in thread_start
		}
	}
	return wrong, total, trusts
}

// TestEveryInstruction stops programs of our own at each instruction that they
// run, and unwinds the stack there to the start of the thread.
func TestEveryInstruction(t *testing.T) {
	for _, tt := range []struct {
		image   string
		symbols bool
		// most is how many places may be wrong: none if there is unwind data.
		most  int
		scans bool // some frames are found by a scan
	}{
		{image: "frames-fp", symbols: true},
		{image: "frames-fpo", symbols: true},
		{image: "frames-os", symbols: true},
		{image: "frames-gcc"},
		// Without symbols: exports, the calls before return addresses, and the code. One
		// place is in the middle of __chkstk, where the stack pointer is no longer
		// the caller's and the return address is not yet put there.
		{image: "frames-fp", most: 1},
		{image: "frames-fpo", most: 1, scans: true},
		{image: "frames-os", most: 1, scans: true},
	} {
		t.Run(fmt.Sprintf("%s,symbols=%v", tt.image, tt.symbols), func(t *testing.T) {
			m, f := load86(t, tt.image)
			o := symbol.Options{}
			if tt.symbols {
				o.SymbolPath = filepath.Join("testdata", "x86")
			}
			u := unwinder86(t, f, o)
			wrong, total, trusts := every(t, m, u)
			t.Logf("%d places, %d wrong; frames: %v", total, len(wrong), trusts)
			if (trusts[TrustScan] > 0) != tt.scans {
				t.Errorf("%d scanned frames", trusts[TrustScan])
			}
			if total < 1000 {
				t.Errorf("only %d places", total)
			}
			var list []string
			for w, n := range wrong {
				list = append(list, fmt.Sprintf("%s (%d times)", w, n))
			}
			sort.Strings(list)
			if len(list) > tt.most {
				for i := range min(len(list), 25) {
					t.Error(list[i])
				}
			}
		})
	}
}
