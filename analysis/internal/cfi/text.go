package cfi

import (
	"fmt"
	"strconv"
	"strings"
)

// textual evaluates postfix expressions in Breakpad's words.
type textual struct {
	stack
	values map[string]uint64 // of names that are no registers, and of registers that were assigned to
	names  []string          // of the places of the stack, "" for a plain value
}

var errNotAssigned = fmt.Errorf("%w: a value is assigned to what is no variable", ErrSyntax)

// run takes the words of a text one after the other. assign allows "=".
func (t *textual) run(text string, assign bool) error {
	words := 0
	for word := range strings.FieldsSeq(text) {
		if words++; words > maxSteps {
			return ErrSteps
		}
		if err := t.word(word, assign); err != nil {
			return err
		}
	}
	return nil
}

func (t *textual) word(w string, assign bool) error {
	switch w {
	case "+", "-", "*", "/", "%", "@":
		b, err := t.take()
		if err != nil {
			return err
		}
		a, err := t.take()
		if err != nil {
			return err
		}
		v, err := arithmetic(w[0], a, b)
		if err != nil {
			return err
		}
		return t.put(v)
	case "^":
		addr, err := t.take()
		if err != nil {
			return err
		}
		v, ok := t.m.Read(addr, t.arch.pointer())
		if !ok {
			return fmt.Errorf("%w at 0x%x", ErrMemory, addr)
		}
		return t.put(v)
	case "=":
		if !assign {
			return fmt.Errorf("%w: an assignment", ErrSyntax)
		}
		return t.assign()
	}
	if n, err := strconv.ParseInt(w, 10, 64); err == nil {
		return t.put(uint64(n))
	}
	if n, err := strconv.ParseUint(w, 10, 64); err == nil {
		return t.put(n)
	}
	if err := t.push(0); err != nil {
		return err
	}
	t.names = append(t.names, w)
	return nil
}

func (t *textual) put(v uint64) error {
	if err := t.push(v); err != nil {
		return err
	}
	t.names = append(t.names, "")
	return nil
}

// take pops a value, that of a name if the place holds one.
func (t *textual) take() (uint64, error) {
	v, err := t.pop()
	if err != nil {
		return 0, err
	}
	name := t.names[len(t.names)-1]
	t.names = t.names[:len(t.names)-1]
	if name == "" {
		return v, nil
	}
	if v, ok := t.values[name]; ok {
		return v, nil
	}
	n, ok := t.arch.register(name)
	if !ok {
		return 0, fmt.Errorf("%w: %.40q", ErrSyntax, name)
	}
	if v, ok = t.m.Register(n); !ok {
		return 0, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	return t.arch.mask(v), nil
}

func (t *textual) assign() error {
	v, err := t.take()
	if err != nil {
		return err
	}
	if _, err := t.pop(); err != nil {
		return err
	}
	name := t.names[len(t.names)-1]
	t.names = t.names[:len(t.names)-1]
	if !strings.HasPrefix(name, "$") {
		return errNotAssigned
	}
	t.values[name] = v
	return nil
}

// arithmetic applies an operator. "@" rounds down to a multiple of a power of 2.
func arithmetic(op byte, a, b uint64) (uint64, error) {
	switch op {
	case '+':
		return a + b, nil
	case '-':
		return a - b, nil
	case '*':
		return a * b, nil
	case '@':
		if b == 0 || b&(b-1) != 0 {
			return 0, fmt.Errorf("%w: rounded to %d", ErrSyntax, b)
		}
		return a &^ (b - 1), nil
	}
	if b == 0 {
		return 0, fmt.Errorf("%w: divided by 0", ErrSyntax)
	}
	if op == '/' {
		return a / b, nil
	}
	return a % b, nil
}

// evalText evaluates an expression that leaves one value. cfa is that of ".cfa",
// if it is known.
func evalText(arch Arch, m Machine, text string, cfa uint64, hasCFA bool) (uint64, error) {
	t := textual{stack: stack{arch: arch, m: m}, values: map[string]uint64{}}
	if hasCFA {
		t.values[".cfa"] = cfa
	}
	if err := t.run(text, false); err != nil {
		return 0, err
	}
	v, err := t.take()
	if err == nil && len(t.vals) > 0 {
		err = fmt.Errorf("%w: %d values too many", ErrSyntax, len(t.vals))
	}
	return v, err
}

// Program runs a program of Windows' frame data, such as
// "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =", and returns the registers that it
// assigns. values are those of the names that begin with a point.
func Program(arch Arch, m Machine, text string, values map[string]uint64) (Registers, error) {
	t := textual{stack: stack{arch: arch, m: m}, values: make(map[string]uint64, len(values)+8)}
	for name, v := range values {
		t.values[name] = v
	}
	var regs Registers
	if err := t.run(text, true); err != nil {
		return regs, err
	}
	if len(t.vals) > 0 {
		return regs, fmt.Errorf("%w: %d values are not used", ErrSyntax, len(t.vals))
	}
	for name, v := range t.values {
		if n, ok := arch.register(name); ok {
			regs.set(n, v)
		}
	}
	return regs, nil
}
