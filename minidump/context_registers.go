package minidump

import "strconv"

// A Register is a register with its name, as WinDbg writes it, and its value.
type Register struct {
	Name  string
	Bits  int // 16, 32 or 64
	Value uint64
}

// numbered is the name of a register and its number in [Context.R].
type numbered struct {
	name string
	n    int
}

// rowsX86 are the general registers in the order of WinDbg's command "r".
var rowsX86 = []numbered{
	{"ax", 0}, {"bx", 3}, {"cx", 1}, {"dx", 2}, {"si", 6}, {"di", 7}, {"ip", -1}, {"sp", RegSP}, {"bp", RegFP},
}

// Registers lists the registers in the order of WinDbg's command "r": the
// general ones, the segments, and the flags. Those that were not saved are
// left out.
func (c *Context) Registers() []Register {
	switch c.Arch {
	case ProcessorX86, ProcessorAMD64:
		return c.registersX86()
	}
	return c.registersARM()
}

func (c *Context) registersX86() []Register {
	bits, letter := 32, "e"
	if c.Arch == ProcessorAMD64 {
		bits, letter = 64, "r"
	}
	integer := c.Flags&ContextInteger != 0
	var list []Register
	for _, r := range rowsX86 {
		switch {
		case r.n < 0:
			list = append(list, Register{letter + r.name, bits, uint64(c.PC)})
		case integer || r.n == RegSP || r.n == RegFP && bits == 32:
			list = append(list, Register{letter + r.name, bits, c.R[r.n]})
		}
	}
	for n := 8; n < 16 && bits == 64 && integer; n++ {
		list = append(list, Register{"r" + strconv.Itoa(n), bits, c.R[n]})
	}
	for _, s := range []numbered{{"cs", 0}, {"ss", 5}, {"ds", 1}, {"es", 2}, {"fs", 3}, {"gs", 4}} {
		list = append(list, Register{s.name, 16, uint64(c.Segments[s.n])})
	}
	return append(list, Register{"efl", 32, uint64(c.Status)})
}

func (c *Context) registersARM() []Register {
	bits, letter, last := 64, "x", 29
	special := []numbered{{"fp", RegFP64}, {"lr", RegLR64}, {"sp", RegSP64}}
	if c.Arch == ProcessorARM {
		bits, letter, last = 32, "r", 13
		special = []numbered{{"sp", RegArmSP}, {"lr", RegArmLR}}
	}
	var list []Register
	for n := 0; n < last && c.Flags&ContextInteger != 0; n++ {
		list = append(list, Register{letter + strconv.Itoa(n), bits, c.R[n]})
	}
	for _, s := range special {
		list = append(list, Register{s.name, bits, c.R[s.n]})
	}
	return append(list, Register{"pc", bits, uint64(c.PC)}, Register{"psr", 32, uint64(c.Status)})
}
