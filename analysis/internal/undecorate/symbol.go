package undecorate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// symbolText is a whole decorated name, read.
type symbolText struct {
	name      string // qualified, without type and parameters
	signature string
}

// access says how a member or global function is declared, by the code that follows its name.
var access = map[byte]struct {
	text   string
	member bool // has a this pointer
	thunk  bool // an adjustor: a number follows
}{
	'A': {"private: ", true, false}, 'C': {"private: static ", false, false}, 'E': {"private: virtual ", true, false},
	'G': {"[thunk]: private: virtual ", true, true},
	'I': {"protected: ", true, false}, 'K': {"protected: static ", false, false}, 'M': {"protected: virtual ", true, false},
	'O': {"[thunk]: protected: virtual ", true, true},
	'Q': {"public: ", true, false}, 'S': {"public: static ", false, false}, 'U': {"public: virtual ", true, false},
	'W': {"[thunk]: public: virtual ", true, true},
	'Y': {"", false, false},
}

var storage = map[byte]string{
	'0': "private: static ", '1': "protected: static ", '2': "public: static ", '3': "", '4': "",
}

// symbol reads a decorated name from its question mark.
func (p *parser) symbol() symbolText {
	if !p.enter() {
		return symbolText{}
	}
	defer p.leave()
	if !p.eat("?") {
		p.fail()
		return symbolText{}
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
		text := p.text(t, " `RTTI Type Descriptor'")
		return symbolText{text, text}
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
func (p *parser) descriptor(what string) symbolText {
	text := p.join(what, p.scopes())
	if !p.eat("8") {
		p.fail()
	}
	return symbolText{text, text}
}

// table reads what follows the name of a virtual table: its qualifiers, and the base class that it is for.
func (p *parser) table(name string) symbolText {
	if !p.eat("6") && !p.eat("7") {
		p.fail()
	}
	cv, ok := qualifiers[p.next()]
	if !ok {
		p.fail()
	}
	if !p.eat("@") {
		base := p.typeName()
		if !p.eat("@") { // tables for a base of a base have a longer list
			p.fail()
		}
		name = p.text(name, "{for `", base, "'}")
	}
	return symbolText{name, p.text(strings.TrimPrefix(cv+" ", " "), name)}
}

// initializer reads the compiler's own function that sets a global variable up or down.
func (p *parser) initializer(what string) symbolText {
	if p.peek() == '?' { // a static member, by its whole decorated name
		p.fail()
		return symbolText{}
	}
	id, scopes := p.qualified()
	if id.kind != identPlain {
		p.fail()
	}
	name := p.text(what, p.join(p.text(id.text, id.args), scopes), "''")
	return p.encoding(ident{text: name}, nil)
}

// encoding reads what a name stands for: a variable or a function.
func (p *parser) encoding(id ident, scopes []string) symbolText {
	if p.eat("$") {
		return p.displaced(id, scopes)
	}
	code := p.next()
	if where, ok := storage[code]; ok && id.kind == identPlain {
		return p.variable(where, p.join(p.text(id.text, id.args), scopes))
	}
	how, ok := access[code]
	if !ok {
		p.fail()
		return symbolText{}
	}
	var adjust string
	if how.thunk {
		adjust = "`adjustor{" + strconv.FormatUint(p.small(), 10) + "}'"
	}
	return p.function(id, scopes, how.text, how.member, adjust)
}

// displaced reads a thunk that finds its object through a virtual base.
func (p *parser) displaced(id ident, scopes []string) symbolText {
	where, ok := map[byte]string{'0': "private", '2': "protected", '4': "public"}[p.next()]
	displacement, adjustment := p.small(), p.small()
	if !ok || displacement > math.MaxUint32 || adjustment > math.MaxUint32 {
		p.fail()
	}
	return p.function(id, scopes, "[thunk]: "+where+": virtual ", true,
		fmt.Sprintf("`vtordisp{%d,%d}'", int32(displacement), int32(adjustment)))
}

// function reads the type of a function whose name and access are known.
func (p *parser) function(id ident, scopes []string, where string, member bool, adjust string) symbolText {
	var this string
	if member {
		this = p.thisQualifiers()
	}
	f := p.functionType(this)
	if p.bad {
		return symbolText{}
	}
	ret := f.before
	switch id.kind {
	case identConstructor, identDestructor:
		if len(scopes) == 0 || ret != "" {
			p.fail()
			return symbolText{}
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
	name := p.join(p.text(id.text, id.args), scopes)
	if ret != "" {
		ret += " "
	}
	name += adjust
	return symbolText{name, p.text(where, ret, f.call, " ", name, f.after)}
}

// variable reads type and qualifiers of a variable.
func (p *parser) variable(where, name string) symbolText {
	t := p.plainType()
	if p.eat("E") && !t.pointer || p.eat("I") && !t.pointer {
		p.fail()
	}
	cv, ok := qualifiers[p.next()]
	if !ok || t.function {
		p.fail()
	}
	if !t.pointer { // for a pointer they repeat those of what it points to
		t = p.qualify(t, cv)
	}
	if !t.marked() {
		t.before += " "
	}
	return symbolText{name, p.text(where, t.before, name, t.after)}
}
