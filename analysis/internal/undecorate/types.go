package undecorate

import (
	"strconv"
	"strings"
)

// typeText is a type as it is written around a name: before it and behind it.
type typeText struct {
	before, after string
	call          string // calling convention, for a function: it stands inside the brackets of a pointer
	cv            string // const and volatile of the type itself, not of what it points to
	result        string // what a function returns
	function      bool
	array         bool
	pointer       bool
}

// abstract writes a type without a name.
func (t typeText) abstract(p *parser) string {
	if t.function {
		return p.text(t.before, " ", t.call, t.after)
	}
	return p.text(t.before, t.after)
}

var primitives = map[string]string{
	"C": "signed char", "D": "char", "E": "unsigned char", "F": "short", "G": "unsigned short", "H": "int",
	"I": "unsigned int", "J": "long", "K": "unsigned long", "M": "float", "N": "double", "O": "long double", "X": "void",
	"_J": "__int64", "_K": "unsigned __int64", "_N": "bool", "_W": "wchar_t", "_Q": "char8_t", "_S": "char16_t",
	"_U": "char32_t", "_P": "auto", "_T": "decltype(auto)",
}

var conventions = map[byte]string{
	'A': "__cdecl", 'E': "__thiscall", 'G': "__stdcall", 'I': "__fastcall", 'M': "__clrcall", 'Q': "__vectorcall",
}

// qualifiers are const and volatile, for what a pointer points to and for objects.
var qualifiers = map[byte]string{'A': "", 'B': " const", 'C': " volatile", 'D': " const volatile"}

// qualifiedType reads a type that const and volatile stand before.
func (p *parser) qualifiedType() typeText {
	cv, ok := qualifiers[p.next()]
	if !ok {
		p.fail()
		return typeText{}
	}
	return p.qualify(p.plainType(), cv)
}

// qualify puts const and volatile behind a type. A const pointer has it from its own code already.
func (p *parser) qualify(t typeText, cv string) typeText {
	switch {
	case cv == "" || t.pointer && t.cv == cv:
		return t
	case t.function || t.array || t.cv != "":
		p.fail()
	case t.pointer:
		cv = cv[1:]
	}
	t.before, t.cv = p.text(t.before, cv), cv
	return t
}

// plainType reads a type.
func (p *parser) plainType() typeText {
	if !p.enter() {
		return typeText{}
	}
	defer p.leave()
	switch {
	case p.eat("?"): // one that only a name stands for, as <auto>
		name := p.simple()
		if !p.eat("@") {
			p.fail()
		}
		return typeText{before: name}
	case p.eat("$$T"):
		return typeText{before: "std::nullptr_t"}
	case p.eat("$$A6"):
		return p.functionType("")
	case p.eat("$$Q"):
		return p.pointer("&&", "")
	case p.eat("$$C"):
		return p.qualifiedType()
	case p.eat("T"), p.eat("U"), p.eat("V"), p.eat("W4"): // union, struct, class, enum
		return typeText{before: p.typeName()}
	case p.eat("P"):
		return p.pointer("*", "")
	case p.eat("Q"):
		return p.pointer("*", " const")
	case p.eat("R"):
		return p.pointer("*", " volatile")
	case p.eat("S"):
		return p.pointer("*", " const volatile")
	case p.eat("A"):
		return p.pointer("&", "")
	case p.eat("Y"):
		return p.arrayType()
	}
	n := 1
	if p.peek() == '_' {
		n = 2
	}
	if len(p.in) < n {
		p.fail()
		return typeText{}
	}
	name, ok := primitives[p.in[:n]]
	p.in = p.in[n:]
	if !ok {
		p.fail()
	}
	return typeText{before: name}
}

// pointer reads what a pointer or reference refers to. On 64-bit targets an E stands before that.
func (p *parser) pointer(mark, cv string) typeText {
	if p.eat("6") {
		return p.refer(p.functionType(""), "", mark, cv)
	}
	if p.eat("8") {
		class := p.typeName()
		this := p.thisQualifiers()
		return p.refer(p.functionType(this), class+"::", mark, cv)
	}
	p.eat("E")
	var extra string
	if p.eat("I") {
		extra = " __restrict"
	}
	// Q to T instead of A to D: a pointer to a member of a class, whose name comes next.
	if c := p.peek(); mark == "*" && c >= 'Q' && c <= 'T' {
		p.next()
		class := p.typeName()
		return p.refer(p.qualify(p.plainType(), qualifiers[c-'Q'+'A']), class+"::", mark+extra, cv)
	}
	return p.refer(p.qualifiedType(), "", mark+extra, cv)
}

// marked reports whether a type ends in * or &, which need no space behind them.
func (t typeText) marked() bool {
	return strings.HasSuffix(t.before, "*") || strings.HasSuffix(t.before, "&")
}

// refer makes a type a pointer or reference to it.
func (p *parser) refer(t typeText, class, mark, cv string) typeText {
	before := t.before
	if !t.marked() || t.function || t.array {
		before += " "
	}
	to := typeText{cv: cv, pointer: true}
	// The mark's own qualifiers follow it directly: *const, *__restrict.
	mark, words, _ := strings.Cut(mark, " ")
	own := strings.TrimSpace(cv + " " + words)
	switch {
	case t.function:
		to.before, to.after = p.text(before, "(", t.call, " ", class, mark, own), p.text(")", t.after)
	case t.array:
		to.before, to.after = p.text(before, "(", class, mark, own), p.text(")", t.after)
	default:
		to.before, to.after = p.text(before, class, mark, own), t.after
	}
	return to
}

func (p *parser) arrayType() typeText {
	n := p.small()
	var dims []string
	for i := uint64(0); i < n && !p.bad; i++ {
		size := strconv.FormatUint(p.small(), 10)
		if size == "0" {
			size = ""
		}
		dims = append(dims, "["+size+"]")
	}
	if n == 0 {
		p.fail()
	}
	t := p.plainType() // const elements have $$C before them
	if t.function || t.array {
		p.fail()
	}
	t.after = p.text(strings.Join(dims, ""), t.after)
	t.array = true
	return t
}

// functionType reads calling convention, return type and parameters.
func (p *parser) functionType(this string) typeText {
	call, ok := conventions[p.next()]
	if !ok {
		p.fail()
	}
	var ret typeText
	if !p.eat("@") {
		if p.eat("?") {
			ret = p.qualifiedType()
		} else {
			ret = p.plainType()
		}
		if ret.array || ret.function {
			p.fail()
		}
	}
	params := p.parameters()
	var noexcept string
	if p.eat("_E") {
		noexcept = " noexcept"
	} else if !p.eat("Z") {
		p.fail()
	}
	return typeText{before: ret.before, after: p.text("(", params, ")", this, noexcept, ret.after), call: call,
		result: ret.abstract(p), function: true}
}

// parameters reads a list of types up to its end: @, or Z where more may follow as in printf.
func (p *parser) parameters() string {
	if p.eat("X") {
		return "void"
	}
	var out []string
	length := 0
	for !p.bad {
		switch c := p.peek(); {
		case p.eat("@"):
			if len(out) == 0 {
				p.fail()
			}
			return p.text(strings.Join(out, ","))
		case p.eat("Z"):
			return p.text(strings.Join(append(out, "..."), ","))
		case c >= '0' && c <= '9':
			p.next()
			if int(c-'0') >= len(p.memo.types) {
				p.fail()
				return ""
			}
			out = append(out, p.memo.types[c-'0'].abstract(p))
		default:
			left := len(p.in)
			t := p.plainType()
			if t.function {
				p.fail()
			}
			if left-len(p.in) > 1 && len(p.memo.types) < maxMemo {
				p.memo.types = append(p.memo.types, t)
			}
			out = append(out, t.abstract(p))
		}
		if length += len(out[len(out)-1]) + 1; length > maxText {
			p.fail()
		}
	}
	return ""
}

// thisQualifiers reads what stands behind the brackets of a member function.
func (p *parser) thisQualifiers() string {
	p.eat("E")
	var restrict, ref string
	if p.eat("I") {
		restrict = " __restrict"
	}
	if p.eat("G") {
		ref = " &"
	} else if p.eat("H") {
		ref = " &&"
	}
	cv, ok := qualifiers[p.next()]
	if !ok {
		p.fail()
	}
	return cv + restrict + ref
}
