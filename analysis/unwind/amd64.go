package unwind

import (
	"context"

	"github.com/dumpscan/dumpscan/minidump"
)

func init() { steppers[minidump.ProcessorAMD64] = stepAMD64 }

// The registers that a function of Windows has to keep: rbx, rsp, rbp, rsi, rdi,
// r12 to r15, and r30 and r31 of APX ("x64 ABI conventions" of Microsoft's
// documentation of C++).
const amd64Kept = 1<<3 | 1<<minidump.RegSP | 1<<minidump.RegFP | 1<<6 | 1<<7 | 0xf<<12 | 3<<30

// An amd64 goes from frame to frame on AMD64: by the unwind data of images, which
// every function but a leaf has; by the frame pointer where code has none; and by
// the words of the stack.
type amd64 struct {
	u      *Unwinder
	stack  window
	tables exceptionTables
	found  map[minidump.VA]amd64Function // by [Frame.Lookup]
	infos  map[fragment]*unwindInfo      // nil if it cannot be read
	ops    []wind                        // of the frame at hand
	// dynamics are the function tables in use of code made at run time, by that
	// code.
	dynamics map[codeRange]dynamicTable
	*codeMap
}

// maxCached is how many functions and addresses are kept; those that are called
// most are soon there again.
const maxCached = 1 << 13

// An amd64Function is what the unwind data says of an address.
type amd64Function struct {
	base     minidump.VA // what the addresses of entry count from
	entry    runtimeFunction
	coverage coverage
}

// A fragment is code that has unwind data of its own: fragments may share that, and
// where its epilogs are depends on how many bytes they have.
type fragment struct {
	unwind minidump.VA
	size   uint32
}

// coverage says what is known of an address from the tables of functions.
type coverage uint8

const (
	noTable  coverage = iota // there is no table, or it cannot be read
	noEntry                  // the table does not have the address
	hasEntry                 // its function has unwind data
)

func (u *Unwinder) amd64() *amd64 {
	if u.amd64State == nil {
		u.amd64State = &amd64{
			u: u, stack: window{r: u.memory}, tables: exceptionTables{code: u.code},
			found: map[minidump.VA]amd64Function{}, infos: map[fragment]*unwindInfo{}, codeMap: newCodeMap(u),
			dynamics: map[codeRange]dynamicTable{},
		}
	}
	return u.amd64State
}

// stepAMD64 finds the caller by the first way that leads to one.
func stepAMD64(ctx context.Context, u *Unwinder, f Frame, r *Registers) (step, Stop) {
	a := u.amd64()
	next, stop := a.step(ctx, f, r)
	// What a dispatcher of the kernel's calls finds where it stores the address of
	// an interrupted instruction, or of one behind a system call, is none that a
	// call has left, and all that is said of return addresses does not hold.
	if stop == "" && (a.behindCall(next.regs.PC) == notBehindCall || next.regs.PC == 0 && a.calledNull(f, &next.regs)) {
		next.interrupt = true
	}
	return next, stop
}

// calledNull reports whether the address 0 is where a null pointer was called, and
// not the end of the stack: a CONTEXT lies between the frame and what was
// interrupted, and there the return address of the call.
func (a *amd64) calledNull(f Frame, r *Registers) bool {
	const sizeOfContext = 0x4d0
	sp := minidump.VA(r.R[minidump.RegSP])
	if sp-f.SP < sizeOfContext {
		return false
	}
	ret, ok := a.stack.u64(sp)
	return ok && a.behindCall(minidump.VA(ret)) == isBehindCall
}

func (a *amd64) step(ctx context.Context, f Frame, r *Registers) (step, Stop) {
	if _, ok := a.stack.u64(f.SP); !ok || !r.knows(minidump.RegSP) {
		return step{}, StopNoStack
	}
	fn := a.function(f.Lookup())
	if fn.coverage == hasEntry {
		next, stop := a.unwind(f, r, fn)
		if stop != StopNoUnwind {
			return next, stop
		}
	}
	if fn.coverage != noEntry { // the image is not at hand, or damaged
		if next, stop, ok := a.u.callFrame(ctx, f, r, &a.stack); ok {
			return next, stop
		}
	}
	if !f.Return && (fn.coverage == noEntry || fn.coverage == noTable && !a.isCode(f.PC)) {
		// A leaf has not touched the stack pointer. What has called something is
		// no leaf. Where there is no code, a wrong pointer was called.
		if next, ok := a.leaf(f, r, fn); ok {
			return next, ""
		}
	}
	if next, ok := a.framePointer(f, r, fn); ok {
		return next, ""
	}
	return a.scan(ctx, f)
}

// function searches the table of the module, or of code that was made at run
// time.
func (a *amd64) function(addr minidump.VA) amd64Function {
	if fn, ok := a.found[addr]; ok {
		return fn
	}
	var fn amd64Function
	if m, ok := a.u.modules.Find(addr); ok {
		table := a.tables.of(m, runtimeFunctionSize)
		fn.base = table.base
		if table.count > 0 {
			f, found, readable := table.find(a.u.code, uint32(addr-table.base))
			switch {
			case found:
				fn.entry, fn.coverage = f, hasEntry
			case readable:
				fn.coverage = noEntry
			}
		}
	} else {
		fn = a.dynamic(addr)
	}
	if len(a.found) >= maxCached {
		clear(a.found)
	}
	a.found[addr] = fn
	return fn
}

// info reads the unwind data of an entry, through entries that only point to
// others.
func (a *amd64) info(base minidump.VA, entry runtimeFunction) (*unwindInfo, runtimeFunction) {
	// Bit 0 says that what stands there is another entry, whose data is meant.
	for range maxChain {
		if entry.unwind&1 == 0 {
			break
		}
		var buf [runtimeFunctionSize]byte
		if !readFull(a.u.code, buf[:], base+minidump.VA(entry.unwind&^1)) {
			return nil, entry
		}
		entry = decodeRuntimeFunction(buf[:])
	}
	if entry.unwind&1 != 0 || entry.unwind == 0 {
		return nil, entry
	}
	at := fragment{base + minidump.VA(entry.unwind), entry.end - entry.begin}
	if info, ok := a.infos[at]; ok {
		return info, entry
	}
	info, ok := readUnwindInfo(a.u.code, at.unwind, at.size)
	if !ok {
		info = nil
	}
	if len(a.infos) >= maxCached {
		clear(a.infos)
	}
	a.infos[at] = info
	return info, entry
}

// maxChain is how many fragments of one function are followed; compilers write
// two or three.
const maxChain = 32

// leaf returns the caller of a function that has no unwind data and none of its
// own on the stack.
func (a *amd64) leaf(f Frame, r *Registers, fn amd64Function) (step, bool) {
	ret, _ := a.stack.u64(f.SP)
	switch a.behindCall(minidump.VA(ret)) {
	case isBehindCall:
	case noCode:
		if fn.coverage != noEntry || !a.isCode(minidump.VA(ret)) {
			return step{}, false
		}
	default:
		return step{}, false
	}
	next := step{regs: *r, trust: TrustCFI}
	next.regs.PC = minidump.VA(ret)
	next.regs.Known &= amd64Kept
	next.regs.set(minidump.RegSP, uint64(f.SP)+8)
	return next, true
}
