package undecorate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Codes that follow a name, of private, protected and public members in turn.
const (
	members   = "AEIMQU" // functions with a this pointer: ordinary and virtual ones
	thunks    = "GOW"    // the same, adjusting it: a number follows
	globals   = "CKSY"   // functions without: static members, and those outside of classes
	variables = "01234"  // static members, globals, and statics of functions
)

// symbol reads a decorated name from its question mark, and returns it qualified, without type and parameters.
func (p *parser) symbol() string {
	if !p.enter() {
		return ""
	}
	defer p.leave()
	if !p.eat("?") {
		p.fail()
		return ""
	}
	switch {
	case p.eat("?_R0"):
		var described typeText
		if p.eat("?") {
			described = p.qualifiedType()
		} else {
			described = p.plainType()
		}
		t := described.abstract(p)
		if !p.eat("@8") {
			p.fail()
		}
		return p.text(t, " `RTTI Type Descriptor'")
	case p.eat("?_R1"):
		var at []string
		for range 4 {
			n, negative := p.number()
			text := strconv.FormatUint(n, 10)
			if negative {
				text = "-" + text
			}
			at = append(at, text)
		}
		return p.descriptor("`RTTI Base Class Descriptor at (" + strings.Join(at, ",") + ")'")
	case p.eat("?_R2"):
		return p.descriptor("`RTTI Base Class Array'")
	case p.eat("?_R3"):
		return p.descriptor("`RTTI Class Hierarchy Descriptor'")
	case p.eat("?_R4"):
		return p.table(p.join("`RTTI Complete Object Locator'", p.scopes()))
	case p.eat("?__E"):
		return p.initializer("`dynamic initializer for ")
	case p.eat("?__F"):
		return p.initializer("`dynamic atexit destructor for ")
	}
	id, scopes := p.qualified()
	switch id.kind {
	case identVTable:
		return p.table(p.join(id.text, scopes))
	case identVCall:
		return p.virtualCall(p.join(id.text, scopes))
	case identGuard:
		return p.guard(p.join(id.text, scopes))
	}
	return p.encoding(id, scopes)
}

// virtualCall reads a jump through an entry of a virtual table: the place of the entry in bytes, and the calling convention.
func (p *parser) virtualCall(name string) string {
	if !p.eat("$B") {
		p.fail()
	}
	entry := p.small()
	if !p.eat("A") {
		p.fail()
	}
	if _, ok := conventions[p.next()]; !ok {
		p.fail()
	}
	return p.text(name, "{", strconv.FormatUint(entry, 10), ",{flat}}")
}

// guard reads the type of a guard, or its number.
func (p *parser) guard(name string) string {
	if p.eat("4IA") {
		return name
	}
	if !p.eat("5") {
		p.fail()
	}
	if p.in == "" {
		return name
	}
	return p.text(name, "{", strconv.FormatUint(p.small(), 10), "}")
}

// descriptor reads the class that an RTTI structure belongs to.
func (p *parser) descriptor(what string) string {
	text := p.join(what, p.scopes())
	if !p.eat("8") {
		p.fail()
	}
	return text
}

// table reads what follows the name of a virtual table: its qualifiers, and the base class that it is for, and of which
// classes that is the base.
func (p *parser) table(name string) string {
	if !p.eat("6") && !p.eat("7") {
		p.fail()
	}
	if _, ok := qualifiers[p.next()]; !ok {
		p.fail()
	}
	var bases []string
	for !p.bad && !p.eat("@") {
		bases = append(bases, p.typeName())
	}
	if len(bases) == 0 {
		return name
	}
	return p.text(name, "{for `", p.text(strings.Join(bases, "'s `")), "'}")
}

// initializer reads the compiler's own function that sets a global variable up or down. A static member stands there by
// its whole decorated name.
func (p *parser) initializer(what string) string {
	member := p.eat("?")
	id, scopes := p.qualified()
	if id.kind != identPlain {
		p.fail()
	}
	var name string
	if !member {
		name = p.text(what, "'", p.join(p.text(id.text, id.args), scopes), "''")
	} else {
		if c := p.peek(); c == 0 || !strings.ContainsRune(variables, rune(c)) {
			p.fail()
		}
		name = p.text(what, "`", p.encoding(id, scopes), "''")
		if !p.eat("@@") {
			p.fail()
		}
	}
	return p.encoding(ident{text: name}, nil)
}

// encoding reads what a name stands for: a variable or a function.
func (p *parser) encoding(id ident, scopes []string) string {
	if !p.eat("$$F") { // managed code
		p.eat("$$J0") // extern "C"
	}
	if p.eat("$") {
		return p.displaced(id, scopes)
	}
	code := p.next()
	is := func(codes string) bool { return strings.IndexByte(codes, code) >= 0 }
	switch {
	case p.bad:
	case code == '9' && id.kind == identPlain: // extern "C", without its type
		return p.join(p.text(id.text, id.args), scopes)
	case is(variables) && id.kind == identPlain:
		return p.variable(p.join(p.text(id.text, id.args), scopes))
	case is(members):
		return p.function(id, scopes, true, "")
	case is(globals):
		return p.function(id, scopes, false, "")
	case is(thunks):
		return p.function(id, scopes, true, "`adjustor{"+strconv.FormatUint(p.small(), 10)+"}'")
	}
	p.fail()
	return ""
}

// displaced reads a thunk that finds its object through a virtual base.
func (p *parser) displaced(id ident, scopes []string) string {
	if !p.eat("0") && !p.eat("2") && !p.eat("4") { // private, protected, public
		p.fail()
	}
	displacement, adjustment := p.small(), p.small()
	if displacement > math.MaxUint32 || adjustment > math.MaxUint32 {
		p.fail()
	}
	return p.function(id, scopes, true, fmt.Sprintf("`vtordisp{%d,%d}'", int32(displacement), int32(adjustment)))
}

// function reads the type of a function, and returns its name. adjust is what a thunk does.
func (p *parser) function(id ident, scopes []string, member bool, adjust string) string {
	if member {
		p.thisQualifiers()
	}
	ret := p.functionType("").result
	if p.bad {
		return ""
	}
	switch id.kind {
	case identConstructor, identDestructor:
		if len(scopes) == 0 || ret != "" {
			p.fail()
			return ""
		}
		if id.text = scopes[0]; id.kind == identDestructor {
			id.text = "~" + scopes[0]
		}
	case identConversion:
		if ret == "" {
			p.fail()
		}
		id.text, id.args = p.text("operator", id.args, " ", ret), ""
	}
	return p.join(p.text(id.text, id.args), scopes) + adjust
}

// variable reads type and qualifiers of a variable, and returns its name.
func (p *parser) variable(name string) string {
	t := p.plainType()
	if p.eat("E") && !t.pointer || p.eat("I") && !t.pointer {
		p.fail()
	}
	cv, ok := qualifiers[p.next()]
	if !ok || t.function {
		p.fail()
	}
	if !t.pointer { // for a pointer they repeat those of what it points to
		p.qualify(t, cv)
	}
	return name
}
