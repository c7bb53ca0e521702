package unwind

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// unwound returns the stacks of a dump's threads that have registers, each as the
// places of its frames, return addresses as they are; and why they end.
func unwound(t *testing.T, f *minidump.File, o symbol.Options) (stacks []string, trusts map[Trust]int) {
	t.Helper()
	u := unwinder86(t, f, o)
	threads, err := f.Threads()
	if err != nil {
		t.Fatal(err)
	}
	exception, _ := f.Exception()
	indexes := make([]int, len(threads))
	for i := range indexes {
		indexes[i] = i
	}
	all, err := u.Threads(t.Context(), f, threads, exception, indexes)
	if err != nil {
		t.Fatal(err)
	}
	trusts = map[Trust]int{}
	for _, s := range all {
		if s.Context == nil {
			continue
		}
		both := []Stack{s.Stack}
		if s.Stack32 != nil {
			both = append(both, *s.Stack32)
		}
		for _, s := range both {
			var places []string
			for _, fr := range s.Frames {
				trusts[fr.Trust]++
				place := fr.PC.String()
				if m, ok := u.modules.Find(fr.PC); ok {
					place = fmt.Sprintf("%s+%x", strings.TrimSuffix(m.Name(), ".exe"), uint64(fr.PC-m.BaseOfImage))
				}
				places = append(places, place)
			}
			stacks = append(stacks, strings.Join(places, " ")+": "+string(s.Stop))
		}
	}
	return stacks, trusts
}

// TestLeakyX86 unwinds our own program under Wine to the start of each thread. The
// frames are those that winedbg's bt shows for these dumps, and one that it passes
// over: it takes ebp for the frame pointer of the system call,
// which has none, and so misses the function that made it, kernelbase+76e56.
func TestLeakyX86(t *testing.T) {
	const wait = "ntdll+c51c kernelbase+76e56 kernelbase+7762e "
	const start = "kernel32+293e0 ntdll+5ca07 ntdll+5d228: start of the thread"
	thread := wait + "w3wp+167d " + start
	for _, tt := range []struct {
		name string
		main string
		cfi  bool // the dump holds call frame information
	}{
		{"a", "w3wp+16ea w3wp+1b9e w3wp+1dc4 w3wp+138e ", false},
		{"b", "w3wp+16ea w3wp+1b9e w3wp+1e86 w3wp+138e ", false},
		{"c", "w3wp+16ea w3wp+1b9e w3wp+1f2e w3wp+138e ", false},
		{"c-heap", "w3wp+16ea w3wp+1b9e w3wp+1f42 w3wp+138e ", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := testdump.Open(t, path.Join("testdata", "leaky", "leaky-x86-"+tt.name+".dmp.gz"))
			got, trusts := unwound(t, f, symbol.Options{})
			if diff := cmp.Diff([]string{wait + tt.main + start, thread, thread, thread, thread}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if trusts[TrustScan] > 0 || (trusts[TrustCFI] > 0) != tt.cfi {
				t.Errorf("frames are found by %v", trusts)
			}
		})
	}
}

// TestRealX86 unwinds dumps of others.
func TestRealX86(t *testing.T) {
	for _, tt := range []struct {
		name  string
		want  []string
		scans int
	}{
		// Windows XP, Breakpad: frame pointers. The second thread wrote the dump: its
		// stack is of a later moment than its registers.
		{"minidump2.dmp", []string{
			"test_app+429e test_app+4200 test_app+53ec kernel32+16fd7: start of the thread",
			"ntdll+eb94: " + string(StopNoImage),
		}, 0},
		{"notepad32.dmp", []string{"ntdll+a12fb ntdll+81607 ntdll+458ad ntdll+39269: start of the thread"}, 0},
		{"tiny-exe-with-cet-xsave-x86.dmp", []string{
			"ntdll+7768c: " + string(StopNoImage),
			"ntdll+7852c ntdll+3ebc8 kernel32+17ba9 ntdll+6bd2b ntdll+6bcaf: start of the thread",
			"ntdll+7852c ntdll+3ebc8 kernel32+17ba9 ntdll+6bd2b ntdll+6bcaf: start of the thread",
		}, 0},
		// A WOW64 process as a 64-bit debugger dumped it: both halves. The 32-bit one
		// is within an exception: its filter, called with ebp of another frame; the
		// handlers; the dispatcher; and the function that divided by 0.
		{"fizzbuzz_wow64.dmp.gz", []string{
			"wow64cpu+2e09 wow64cpu+283e wow64+d286 wow64+c69e ntdll+410d6 ntdll+9dc30 ntdll+2b17e: start of the thread",
			"ntdll+201fd KERNELBASE+1170b kernel32+11a0c kernel32+14200 kernel32+380bc kernel32+37f7b kernel32+37870 kernel32+377ef " +
				"ntdll+76637 ntdll+76514 ntdll+763b1 ntdll+5b81d ntdll+5b7ef ntdll+5b790 ntdll+10163 " +
				"fizzbuzz+115a fizzbuzz+9449 kernel32+1338a ntdll+39a02 ntdll+399d5: start of the thread",
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, trusts := unwound(t, testdump.Open(t, path.Join("..", "shared", "dumps", tt.name)), symbol.Options{})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if trusts[TrustScan] != tt.scans {
				t.Errorf("frames are found by %v", trusts)
			}
		})
	}
}

// TestDispatched steps over the dispatcher of exceptions, to what was interrupted.
func TestDispatched(t *testing.T) {
	m, f := load86(t, "frames-fp")
	const dispatcher = 0x1600
	u := unwinder86(t, f, symbol.Options{SymbolPath: store(t, f, []string{
		fmt.Sprintf("PUBLIC %x 0 KiUserExceptionDispatcher", dispatcher), fmt.Sprintf("PUBLIC %x 0 other", dispatcher+0x40),
	})})
	u.memory = m
	const sp, contextAt = stackLow + 0x100, stackLow + 0x200
	put := func(at uint32, v uint32) {
		for i := range 4 {
			m.stack[at-stackLow+uint32(i)] = byte(v >> (8 * i))
		}
	}
	put(sp+4, contextAt)
	put(contextAt, uint32(minidump.ContextX86|minidump.ContextControl|minidump.ContextInteger))
	put(contextAt+0xb8, 0x10001234)     // eip
	put(contextAt+0xc4, stackLow+0x800) // esp
	put(contextAt+0xb4, stackLow+0x900) // ebp
	regs := Registers{PC: minidump.VA(m.base + dispatcher + 0xf)}
	regs.set(esp, sp)
	frame := Frame{PC: regs.PC, SP: sp, Return: true}
	next, stop := stepX86(t.Context(), u, frame, &regs)
	if stop != "" || next.regs.PC != 0x10001234 || next.regs.R[esp] != stackLow+0x800 || next.regs.R[ebp] != stackLow+0x900 || !next.interrupt || next.trust != TrustContext {
		t.Errorf("%+v, %s", next, stop)
	}
	frame.PC += 0x40 // another function
	regs.PC += 0x40
	if next, _ := stepX86(t.Context(), u, frame, &regs); next.regs.PC == 0x10001234 {
		t.Error("any function is taken for the dispatcher")
	}
}

// TestWithoutCode unwinds by frame data alone, as in a small dump: where functions
// begin to return it is wrong, where more has been pushed than it says, and in
// functions that have none.
func TestWithoutCode(t *testing.T) {
	for image, most := range map[string]int{"frames-fp": 10, "frames-fpo": 11, "frames-os": 10} {
		t.Run(image, func(t *testing.T) {
			m, f := load86(t, image)
			u := unwinder86(t, f, symbol.Options{SymbolPath: path.Join("testdata", "x86")})
			none := &machine86{}
			u.code, u.x86().codes, u.x86().calls.Code = none, window{r: none}, none
			wrong, total, trusts := every(t, m, u)
			t.Logf("%d places, %d wrong; frames: %v", total, len(wrong), trusts)
			if 100*len(wrong) > most*total {
				t.Errorf("%d of %d places are wrong", len(wrong), total)
			}
			if trusts[TrustScan] > 0 {
				t.Error("without code nothing is behind a call")
			}
		})
	}
}

// FuzzX86 unwinds whatever code and stack there are.
func FuzzX86(f *testing.F) {
	f.Add([]byte{0x55, 0x89, 0xe5, 0x83, 0xec, 0x10, 0xe8, 0, 0, 0, 0, 0xc9, 0xc2, 4, 0}, []byte{0x0b, 0, 0, 0x10}, uint16(0), uint16(8))
	f.Add([]byte{0x50, 0xc3, 0x94, 0x8b, 0, 0x89, 4, 0x24, 0xc3}, make([]byte, 64), uint16(2), uint16(0))
	f.Fuzz(func(t *testing.T, code, stack []byte, pc, fp uint16) {
		const base, low = 0x10000000, 0x200000
		walk := func() string {
			m := &machine86{code: code, stack: stack, base: base, low: low}
			dump := testdump.Make(t, dumptest.Dump{PointerSize: 4, Modules: []dumptest.Module{{Base: base, Size: 0x10000, Name: "a.exe"}}})
			s, err := symbol.NewResolver(dump, symbol.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			c := s.Code(t.Context())
			u, err := New(dump, s, c)
			if err != nil {
				t.Fatal(err)
			}
			u.memory, u.code, u.calls.Code, u.calls.Data = m, m, m, m
			regs := Registers{PC: base + minidump.VA(pc)}
			regs.set(esp, low)
			regs.set(ebp, low+uint64(fp))
			var out []string
			last := minidump.VA(0)
			stop, err := u.Walk(t.Context(), regs, func(f Frame, _ *Registers) bool {
				if f.SP < last || f.Trust == TrustCFI {
					t.Errorf("%+v behind the stack pointer %s", f, last)
				}
				last = f.SP
				out = append(out, fmt.Sprint(f))
				return true
			})
			if stop == "" || err != nil || len(out) > len(stack)/4+2 {
				t.Errorf("%d frames, %q, %v", len(out), stop, err)
			}
			return fmt.Sprint(out, stop)
		}
		if a, b := walk(), walk(); a != b {
			t.Errorf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

// BenchmarkX86 unwinds the five stacks of our own program.
func BenchmarkX86(b *testing.B) {
	f := testdump.Open(b, path.Join("testdata", "leaky", "leaky-x86-c-heap.dmp.gz"))
	s, err := symbol.NewResolver(f, symbol.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	code := s.Code(b.Context())
	u, err := New(f, s, code)
	if err != nil {
		b.Fatal(err)
	}
	threads, err := f.Threads()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Threads(b.Context(), f, threads, nil, []int{0, 1, 2, 3, 4}); err != nil {
			b.Fatal(err)
		}
	}
}

// takes what may have called.
func TestScanX86(t *testing.T) {
	const base, low = 0x10000000, 0x200000
	code := make([]byte, 0x1000)
	copy(code[0x10:], []byte{0xff, 0xd0})             // call eax
	copy(code[0x20:], []byte{0xe8, 0xdb, 0, 0, 0})    // call 0x100
	copy(code[0x40:], []byte{0x8b, 0xc0, 0x90, 0x90}) // no call
	copy(code[0x100:], []byte{0x0f, 0x0b})            // ud2
	for _, tt := range []struct {
		stack []uint64
		want  uint64 // what follows on code, 0 for nothing
		at    uint64
	}{
		{[]uint64{0, base + 0x44, base + 0x12}, 0x12, 12},
		{[]uint64{base + 0x44, base + 0x25, base + 0x12}, 0x25, 8},
		{[]uint64{base + 0x44, base + 0x1000, 5, 0xffffffff}, 0, 0},
	} {
		m := &machine86{code: code, base: base, low: low}
		for _, w := range tt.stack {
			m.stack = append(m.stack, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
		}
		f := testdump.Make(t, dumptest.Dump{PointerSize: 4, Modules: []dumptest.Module{{Base: base, Size: 0x10000, Name: "a.exe"}}})
		u := unwinder86(t, f, symbol.Options{})
		u.memory, u.code, u.calls.Code, u.calls.Data = m, m, m, m
		regs := Registers{PC: base + 0x100}
		regs.set(esp, low)
		if tt.want != 0 && tt.at == 12 { // what is no code has called nothing, and nothing is pushed
			called := Registers{PC: 0}
			called.set(esp, low+8)
			called.set(ebp, 0x77)
			next, stop := stepX86(t.Context(), u, Frame{SP: low + 8}, &called)
			if stop != "" || next.regs.PC != base+0x12 || next.regs.R[esp] != low+12 || next.regs.R[ebp] != 0x77 || next.trust != TrustFP {
				t.Errorf("a null pointer: %+v, %q", next, stop)
			}
		}
		next, stop := stepX86(t.Context(), u, Frame{PC: regs.PC, SP: low}, &regs)
		if tt.want == 0 && stop != StopNoUnwind || tt.want != 0 && (stop != "" || next.trust != TrustScan && tt.want != 0x25 ||
			next.regs.PC != minidump.VA(base+tt.want) || next.regs.R[esp] != low+tt.at) {
			t.Errorf("%x: %+v, %q", tt.stack, next, stop)
		}
	}
}
