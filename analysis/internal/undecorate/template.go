package undecorate

import (
	"strconv"
	"strings"
)

// templateName reads a class template with its arguments, which a later digit may refer back to.
func (p *parser) templateName() string {
	id, args := p.template()
	if id.kind != identPlain {
		p.fail()
	}
	name := p.text(id.text, args)
	p.remember(name)
	return name
}

// template reads name and arguments of a template, after its ?$.
func (p *parser) template() (ident, string) {
	if !p.enter() {
		return ident{}, ""
	}
	defer p.leave()
	outer := p.memo
	p.memo = memo{}
	var id ident
	if p.eat("?") {
		id = p.operator()
	} else {
		id = ident{text: p.simple()}
	}
	var args []string
	for !p.bad && !p.eat("@") {
		switch {
		case p.eat("$S"), p.eat("$$V"), p.eat("$$$V"), p.eat("$$Z"): // an empty pack, or the end of one
			continue
		}
		args = append(args, p.templateArgument())
	}
	p.memo = outer
	list := p.text(strings.Join(args, ","))
	if strings.HasSuffix(list, ">") {
		list += " "
	}
	return id, p.text("<", list, ">")
}

func (p *parser) templateArgument() string {
	prefix := "$"
	if p.eat("$M") { // of a parameter declared auto: its type comes first
		p.plainType()
		if prefix = ""; p.peek() != '0' && p.peek() != '1' {
			p.fail()
		}
	}
	switch {
	case p.eat(prefix + "0"):
		n, negative := p.number()
		text := strconv.FormatUint(n, 10)
		if negative {
			text = "-" + text
		}
		return text
	case p.eat(prefix + "1"): // address of a function or variable
		if !p.enter() {
			return ""
		}
		defer p.leave()
		return p.text("&", p.symbol())
	case p.eat("$$Y"): // a class template itself
		return p.typeName()
	case p.eat("$$B"): // an array, not decayed
		return p.plainType().abstract(p)
	case p.eat("$$C"):
		return p.qualifiedType().abstract(p)
	}
	return p.plainType().abstract(p)
}
