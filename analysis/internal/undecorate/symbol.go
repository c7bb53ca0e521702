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
		return p.initializer("`dynamic initializer for '")
	case p.eat("?__F"):
		return p.initializer("`dynamic atexit destructor for '")
	}
	id, scopes := p.qualified()
	if id.kind == identVTable {
		return p.table(p.join(id.text, scopes))
	}
	return p.encoding(id, scopes)
}

// descriptor reads the class that an RTTI structure belongs to.
func (p *parser) descriptor(what string) string {
	text := p.join(what, p.scopes())
	if !p.eat("8") {
		p.fail()
	}
	return text
}

// table reads what follows the name of a virtual table: its qualifiers, and the base class that it is for.
func (p *parser) table(name string) string {
	if !p.eat("6") && !p.eat("7") {
		p.fail()
	}
	if _, ok := qualifiers[p.next()]; !ok {
		p.fail()
	}
	if !p.eat("@") {
		base := p.typeName()
		if !p.eat("@") { // tables for a base of a base have a longer list
			p.fail()
		}
		name = p.text(name, "{for `", base, "'}")
	}
	return name
}

// initializer reads the compiler's own function that sets a global variable up or down.
func (p *parser) initializer(what string) string {
	if p.peek() == '?' { // a static member, by its whole decorated name
		p.fail()
		return ""
	}
	id, scopes := p.qualified()
	if id.kind != identPlain {
		p.fail()
	}
	name := p.text(what, p.join(p.text(id.text, id.args), scopes), "''")
	return p.encoding(ident{text: name}, nil)
}

// encoding reads what a name stands for: a variable or a function.
func (p *parser) encoding(id ident, scopes []string) string {
	if p.eat("$") {
		return p.displaced(id, scopes)
	}
	code := p.next()
	is := func(codes string) bool { return strings.IndexByte(codes, code) >= 0 }
	switch {
	case p.bad:
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
	ret := p.functionType("").before
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
		id.text = "operator " + ret
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
