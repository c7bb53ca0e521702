package unwind

import (
	"errors"

	"github.com/dumpscan/dumpscan/analysis/symbol"
	"github.com/dumpscan/dumpscan/minidump"
)

// A codeMap knows where there is code, and where calls return to.
type codeMap struct {
	modules *symbol.Modules
	runtime *symbol.RuntimeCode
	calls   CallDecoder
	behind  map[minidump.VA]behindCall // what [codeMap.behindCall] has found
}

func newCodeMap(u *Unwinder) *codeMap {
	c := &codeMap{modules: u.modules, runtime: u.runtime, calls: *u.calls, behind: map[minidump.VA]behindCall{}}
	c.calls.Plausible = c.isCode
	return c
}

// behindCall says whether a call precedes an address.
type behindCall uint8

const (
	noCode        behindCall = iota // its code is not there, or it is in no code
	notBehindCall                   // something else precedes it
	isBehindCall
)

// behindCall looks at the code before an address.
func (c *codeMap) behindCall(addr minidump.VA) behindCall {
	b, ok := c.behind[addr]
	if ok {
		return b
	}
	if c.isCode(addr) {
		_, err := c.calls.Decode(addr)
		switch {
		case err == nil:
			b = isBehindCall
		case !errors.Is(err, minidump.ErrNotCaptured):
			b = notBehindCall
		}
	}
	if len(c.behind) >= maxCached {
		clear(c.behind)
	}
	c.behind[addr] = b
	return b
}

// isCode reports whether an address lies in a module or in code made at run time.
func (c *codeMap) isCode(addr minidump.VA) bool {
	if _, ok := c.modules.Find(addr); ok {
		return true
	}
	return c.runtime.Contains(addr)
}

// isJIT reports whether an address is that of code made at run time.
func (c *codeMap) isJIT(addr minidump.VA) bool {
	_, inModule := c.modules.Find(addr)
	return !inModule && c.runtime.Contains(addr)
}

// leadsTo reports whether the call before a return address may have led to the
// function that is at pc. Words that are left over from calls before are most often
// those of other functions. Into another module a call goes by way of a jump,
// whose code need not be there.
func (c *codeMap) leadsTo(ret, pc minidump.VA) bool {
	site, err := c.calls.Decode(ret)
	if err != nil || site.Target == 0 {
		return err == nil
	}
	to, _ := c.modules.Find(site.Target)
	in, _ := c.modules.Find(pc)
	return to != in || pc >= site.Target && pc-site.Target < farthest
}
