package undecorate

import (
	"slices"
	"strconv"
	"strings"
)

// ident is the last part of a qualified name.
type ident struct {
	text string // name, or the spelling of an operator
	kind identKind
	args string // template arguments, with their brackets
}

type identKind uint8

const (
	identPlain identKind = iota
	identConstructor
	identDestructor
	identConversion // the type follows as the return type
	identVTable     // a table: not followed by a function or variable
	identVCall      // a jump through a virtual table
	identGuard      // what guards the initialization of a static variable of a function
)

// operators are the names that have a code instead of letters.
var operators = map[string]ident{
	"0": {kind: identConstructor}, "1": {kind: identDestructor}, "B": {kind: identConversion},
	"2": {text: "operator new"}, "3": {text: "operator delete"}, "4": {text: "operator="}, "5": {text: "operator>>"},
	"6": {text: "operator<<"}, "7": {text: "operator!"}, "8": {text: "operator=="}, "9": {text: "operator!="},
	"A": {text: "operator[]"}, "C": {text: "operator->"}, "D": {text: "operator*"}, "E": {text: "operator++"},
	"F": {text: "operator--"}, "G": {text: "operator-"}, "H": {text: "operator+"}, "I": {text: "operator&"},
	"J": {text: "operator->*"}, "K": {text: "operator/"}, "L": {text: "operator%"}, "M": {text: "operator<"},
	"N": {text: "operator<="}, "O": {text: "operator>"}, "P": {text: "operator>="}, "Q": {text: "operator,"},
	"R": {text: "operator()"}, "S": {text: "operator~"}, "T": {text: "operator^"}, "U": {text: "operator|"},
	"V": {text: "operator&&"}, "W": {text: "operator||"}, "X": {text: "operator*="}, "Y": {text: "operator+="},
	"Z": {text: "operator-="},

	"_0": {text: "operator/="}, "_1": {text: "operator%="}, "_2": {text: "operator>>="}, "_3": {text: "operator<<="},
	"_4": {text: "operator&="}, "_5": {text: "operator|="}, "_6": {text: "operator^="},
	"_7": {text: "`vftable'", kind: identVTable}, "_8": {text: "`vbtable'", kind: identVTable},
	"_9": {text: "`vcall'", kind: identVCall}, "_B": {text: "`local static guard'", kind: identGuard},
	"_D": {text: "`vbase destructor'"}, "_E": {text: "`vector deleting destructor'"},
	"_F": {text: "`default constructor closure'"}, "_G": {text: "`scalar deleting destructor'"},
	"_H": {text: "`vector constructor iterator'"}, "_I": {text: "`vector destructor iterator'"},
	"_J": {text: "`vector vbase constructor iterator'"}, "_K": {text: "`virtual displacement map'"}, "_L": {text: "`eh vector constructor iterator'"},
	"_M": {text: "`eh vector destructor iterator'"}, "_N": {text: "`eh vector vbase constructor iterator'"},
	"_O": {text: "`copy constructor closure'"}, "_S": {text: "`local vftable'", kind: identVTable},
	"_T": {text: "`local vftable constructor closure'"},
	"_U": {text: "operator new[]"}, "_V": {text: "operator delete[]"},
	"__J": {text: "`local static thread guard'", kind: identGuard}, "__L": {text: "operator co_await"}, "__M": {text: "operator<=>"},
}

// qualified reads the name of a function or variable and its scopes, the innermost first.
func (p *parser) qualified() (ident, []string) {
	if !p.enter() {
		return ident{}, nil
	}
	defer p.leave()
	id := p.ident()
	return id, p.scopes()
}

func (p *parser) ident() ident {
	switch {
	case p.eat("?$"):
		id, args := p.template()
		id.args = args
		if id.kind != identPlain && id.kind != identConstructor && id.kind != identConversion {
			p.fail()
		}
		return id
	case p.eat("?"):
		return p.operator()
	}
	return ident{text: p.simple()}
}

func (p *parser) operator() ident {
	n := 1
	if strings.HasPrefix(p.in, "__") {
		n = 3
	} else if strings.HasPrefix(p.in, "_") {
		n = 2
	}
	if len(p.in) < n {
		p.fail()
		return ident{}
	}
	code := p.in[:n]
	p.in = p.in[n:]
	if code == "__K" { // a literal operator: its suffix follows
		return ident{text: "operator \"\"" + p.simple()}
	}
	id, ok := operators[code]
	if !ok {
		p.fail()
	}
	return id
}

// simple reads an identifier up to its @, or a digit that refers back to one.
func (p *parser) simple() string {
	if c := p.peek(); c >= '0' && c <= '9' {
		p.next()
		if int(c-'0') >= len(p.memo.names) {
			p.fail()
			return ""
		}
		return p.memo.names[c-'0']
	}
	name, rest, ok := strings.Cut(p.in, "@")
	if !ok || name == "" || strings.ContainsAny(name, "?") {
		p.fail()
		return ""
	}
	p.in = rest
	p.remember(name)
	return name
}

// scopes reads the classes and namespaces around a name, up to the closing @.
func (p *parser) scopes() []string {
	var out []string
	for !p.bad && !p.eat("@") {
		out = append(out, p.scope())
	}
	return out
}

func (p *parser) scope() string {
	switch {
	case p.eat("?$"):
		return p.templateName()
	case p.eat("?A0x"): // its hash tells apart the anonymous namespaces of object files
		hash, rest, ok := strings.Cut(p.in, "@")
		if !ok || strings.Contains(hash, "?") {
			p.fail()
			return ""
		}
		p.in = rest
		if p.anon {
			// Spelled out again although a digit would do: not Visual C++.
			if slices.Contains(p.memo.names, anonymousKey+hash) {
				p.fail()
			}
			p.remember(anonymousKey + hash)
		}
		return anonymous
	case p.peek() == '?':
		return p.localScope()
	}
	name := p.simple()
	if strings.HasPrefix(name, anonymousKey) {
		return anonymous
	}
	return name
}

const (
	anonymous    = "`anonymous namespace'"
	anonymousKey = "?A0x" // begins what is remembered of one; no identifier can
)

// localScope reads the scope of something declared inside a function: the number of the block, and the function.
func (p *parser) localScope() string {
	if !p.enter() {
		return ""
	}
	defer p.leave()
	p.next()
	block := p.small()
	if !p.eat("?") {
		p.fail()
		return ""
	}
	return p.text("`", p.symbol(), "'::`", strconv.FormatUint(block, 10), "'")
}

// typeName reads the qualified name of a class or enum.
func (p *parser) typeName() string {
	if !p.enter() {
		return ""
	}
	defer p.leave()
	var name string
	if p.eat("?$") {
		name = p.templateName()
	} else {
		name = p.simple()
	}
	return p.join(name, p.scopes())
}

// join puts a qualified name together from the innermost part out.
func (p *parser) join(name string, scopes []string) string {
	parts := make([]string, 0, 2*len(scopes)+1)
	for i := len(scopes) - 1; i >= 0; i-- {
		parts = append(parts, scopes[i], "::")
	}
	return p.text(append(parts, name)...)
}
