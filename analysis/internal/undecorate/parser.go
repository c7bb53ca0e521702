package undecorate

import "strings"

// parser reads one Visual C++ name. The grammar has no published specification; what is here is the part that many
// have described alike and that compilers can be seen to emit. Anything else sets bad, and the name stays raw.
type parser struct {
	in   string // what is left
	anon bool   // a back reference may mean an anonymous namespace, as with Visual C++; not so with clang
	bad  bool

	depth int
	memo  memo
}

// memo holds what single digits refer back to. Template arguments have their own.
type memo struct {
	names []string   // identifiers and class templates, in order of appearance
	types []typeText // parameter types that took more than one character
}

const (
	maxMemo = 10
	// Bounds for hostile names: back references double their text every few characters.
	maxDepth = 200
	maxText  = 1 << 14
)

func (p *parser) fail() { p.bad, p.in = true, "" }

// enter bounds recursion; every call that returns true is paired with a leave.
func (p *parser) enter() bool {
	if p.depth++; p.depth > maxDepth {
		p.fail()
	}
	return !p.bad
}

func (p *parser) leave() { p.depth-- }

// text bounds the length of what is put together.
func (p *parser) text(parts ...string) string {
	n := 0
	for _, s := range parts {
		n += len(s)
	}
	if n > maxText {
		p.fail()
		return ""
	}
	return strings.Join(parts, "")
}

func (p *parser) eat(prefix string) bool {
	rest, ok := strings.CutPrefix(p.in, prefix)
	if ok {
		p.in = rest
	}
	return ok
}

// next takes one character, or zero at the end.
func (p *parser) next() byte {
	if p.in == "" {
		p.fail()
		return 0
	}
	c := p.in[0]
	p.in = p.in[1:]
	return c
}

func (p *parser) peek() byte {
	if p.in == "" {
		return 0
	}
	return p.in[0]
}

// number reads an encoded number: a digit for 1 to 10, or hexadecimal digits A to P up to an @.
func (p *parser) number() (value uint64, negative bool) {
	negative = p.eat("?")
	if c := p.peek(); c >= '0' && c <= '9' {
		p.next()
		return uint64(c-'0') + 1, negative
	}
	for digits := 0; ; digits++ {
		c := p.next()
		switch {
		case p.bad:
			return 0, false
		case c == '@' && digits > 0 && !(negative && value == 0):
			return value, negative
		case c < 'A' || c > 'P' || digits == 16:
			p.fail()
			return 0, false
		}
		value = value<<4 | uint64(c-'A')
	}
}

// small reads a number that is not negative.
func (p *parser) small() uint64 {
	n, negative := p.number()
	if negative {
		p.fail()
	}
	return n
}

// remember adds a name to what later digits refer to.
func (p *parser) remember(name string) {
	if len(p.memo.names) >= maxMemo {
		return
	}
	for _, known := range p.memo.names {
		if known == name {
			return
		}
	}
	p.memo.names = append(p.memo.names, name)
}
