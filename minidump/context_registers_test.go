package minidump_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump"
)

func TestContextRegisters(t *testing.T) {
	c := minidump.Context{Flags: minidump.ContextControl | minidump.ContextInteger, PC: 0x1000, Status: 0x246}
	for i := range c.R {
		c.R[i] = uint64(i) + 0x100
	}
	c.Segments = [6]uint16{0x33, 0x2b, 0x2c, 0x53, 0x2d, 0x2e}
	for _, tt := range []struct {
		arch  minidump.ProcessorArchitecture
		flags minidump.ContextFlags
		want  string
	}{
		{
			minidump.ProcessorAMD64, c.Flags, "rax=100 rbx=103 rcx=101 rdx=102 rsi=106 rdi=107 rip=1000 rsp=104 rbp=105 " +
				"r8=108 r9=109 r10=10a r11=10b r12=10c r13=10d r14=10e r15=10f cs=33 ss=2e ds=2b es=2c fs=53 gs=2d efl=246",
		},
		{
			minidump.ProcessorAMD64, minidump.ContextControl,
			"rip=1000 rsp=104 cs=33 ss=2e ds=2b es=2c fs=53 gs=2d efl=246",
		},
		{
			minidump.ProcessorX86, minidump.ContextControl,
			"eip=1000 esp=104 ebp=105 cs=33 ss=2e ds=2b es=2c fs=53 gs=2d efl=246",
		},
		{minidump.ProcessorARM64, minidump.ContextControl, "fp=11d lr=11e sp=11f pc=1000 psr=246"},
		{
			minidump.ProcessorARM, c.Flags,
			"r0=100 r1=101 r2=102 r3=103 r4=104 r5=105 r6=106 r7=107 r8=108 r9=109 r10=10a r11=10b r12=10c sp=10d lr=10e pc=1000 psr=246",
		},
	} {
		c.Arch, c.Flags = tt.arch, tt.flags
		var got []string
		for _, r := range c.Registers() {
			got = append(got, fmt.Sprintf("%s=%x", r.Name, r.Value))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s %#x:\n%s\nwant\n%s", tt.arch, tt.flags, s, tt.want)
		}
	}
}
