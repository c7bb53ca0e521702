package cfi

import (
	"errors"
	"fmt"
)

// A Machine is the state of a processor in one frame.
type Machine interface {
	// Register returns the value of a register, if that is known.
	Register(n int) (uint64, bool)
	// Read returns size bytes of memory, at most 8, as a number.
	Read(addr uint64, size int) (uint64, bool)
}

// Why there is no caller although there are rules.
var (
	ErrUnknown = errors.New("a register whose value is not known")
	ErrMemory  = errors.New("memory that is not there")
	ErrSyntax  = errors.New("rules that cannot be understood")
	ErrSteps   = errors.New("an expression without an end")
)

// A stack is what expressions compute on.
type stack struct {
	arch Arch
	m    Machine
	vals []uint64
}

// maxStack bounds what an expression may leave on the stack. Those of compilers
// need four or five places.
const maxStack = 256

func (s *stack) push(v uint64) error {
	if len(s.vals) == maxStack {
		return ErrSteps
	}
	s.vals = append(s.vals, s.arch.mask(v))
	return nil
}

func (s *stack) pop() (uint64, error) {
	if len(s.vals) == 0 {
		return 0, fmt.Errorf("%w: an operand is missing", ErrSyntax)
	}
	v := s.vals[len(s.vals)-1]
	s.vals = s.vals[:len(s.vals)-1]
	return v, nil
}

// pop2 takes the operands of a binary operator, the left one first.
func (s *stack) pop2() (a, b uint64, err error) {
	if b, err = s.pop(); err == nil {
		a, err = s.pop()
	}
	return a, b, err
}

// read pushes what memory holds at the address on top.
func (s *stack) read(size int) error {
	addr, err := s.pop()
	if err != nil {
		return err
	}
	v, ok := s.m.Read(addr, size)
	if !ok {
		return fmt.Errorf("%w at 0x%x", ErrMemory, addr)
	}
	return s.push(v)
}

// register pushes the value of a register and an offset.
func (s *stack) register(n int, off int64) error {
	v, ok := s.m.Register(n)
	if !ok {
		return ErrUnknown
	}
	return s.push(v + uint64(off))
}
