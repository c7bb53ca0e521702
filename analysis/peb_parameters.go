package analysis

import (
	"errors"
	"fmt"

	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// ProcessParameters are what a process was started with, and what it has
// changed of that since (RTL_USER_PROCESS_PARAMETERS of winternl.h). A text is
// nil if it was not captured.
type ProcessParameters struct {
	Address          minidump.VA
	Flags            uint32
	ConsoleHandle    uint64
	StandardInput    uint64 // handles
	StandardOutput   uint64
	StandardError    uint64
	CurrentDirectory *string
	DLLPath          *string
	ImagePathName    *string
	CommandLine      *string
	WindowTitle      *string
	Desktop          *string
	ShellInfo        *string
	Environment      minidump.VA
	// Variables are "NAME=value" in the order of the block; a name may begin
	// with "=". They are nil if the block was not captured.
	Variables []string
}

// Where the structure has its fields: see winternl.h. The size of the
// environment is that of Windows Vista and later.
var (
	parametersFlags     = field{0x08, 0x08}
	parametersConsole   = field{0x10, 0x10}
	parametersInput     = field{0x18, 0x20}
	parametersOutput    = field{0x1c, 0x28}
	parametersError     = field{0x20, 0x30}
	parametersDirectory = field{0x24, 0x38}
	parametersDLLPath   = field{0x30, 0x50}
	parametersImage     = field{0x38, 0x60}
	parametersCommand   = field{0x40, 0x70}
	parametersEnviron   = field{0x48, 0x80}
	parametersTitle     = field{0x70, 0xb0}
	parametersDesktop   = field{0x78, 0xc0}
	parametersShell     = field{0x80, 0xd0}
	parametersShellEnd  = field{0x88, 0xe0}
)

// parametersNormalized is the flag of a structure whose texts have addresses;
// before, they are counted from its start (PROCESS_PARAMS_FLAG_NORMALIZED).
const parametersNormalized = 1

// readParameters reads what a process was started with.
func (m *processMemory) readParameters(p *PEB) {
	if p.ProcessParameters == 0 {
		return
	}
	s, err := m.structure("the process parameters", p.ProcessParameters, p.PointerSize, parametersShellEnd)
	if err != nil {
		p.lose("the process parameters", err)
		return
	}
	q := &ProcessParameters{
		Address: p.ProcessParameters, Flags: s.u32(parametersFlags), ConsoleHandle: s.ptr(parametersConsole),
		StandardInput: s.ptr(parametersInput), StandardOutput: s.ptr(parametersOutput), StandardError: s.ptr(parametersError),
		Environment: s.va(parametersEnviron),
	}
	p.Parameters = q
	base := minidump.VA(0)
	if q.Flags&parametersNormalized == 0 {
		base = p.ProcessParameters
	}
	for _, text := range []struct {
		to   **string
		at   field
		what string
	}{
		{&q.CurrentDirectory, parametersDirectory, "the current directory"},
		{&q.DLLPath, parametersDLLPath, "the DLL path"},
		{&q.ImagePathName, parametersImage, "the path of the image"},
		{&q.CommandLine, parametersCommand, "the command line"},
		{&q.WindowTitle, parametersTitle, "the window title"},
		{&q.Desktop, parametersDesktop, "the desktop"},
		{&q.ShellInfo, parametersShell, "the shell info"},
	} {
		*text.to, err = m.unicode(s, text.at, base)
		p.lose(text.what, err)
		if err == nil && *text.to == nil {
			p.Missing = append(p.Missing, text.what)
		}
	}
	if s.lost {
		p.Missing = append(p.Missing, fmt.Sprintf("the process parameters behind their first %d bytes", len(s.buf)))
	}
	if q.Environment == 0 {
		return
	}
	q.Variables, err = m.readEnvironment(q.Environment)
	what := "the environment"
	if n := len(q.Variables); n > 0 {
		what += " behind its first " + words.Plural(n, "variable")
	}
	p.lose(what, err)
}

// readEnvironment reads the variables of a block, each of which ends in a NUL,
// up to the empty one behind the last. A block of which the end is not captured
// gives those before it, and an error.
func (m *processMemory) readEnvironment(at minidump.VA) ([]string, error) {
	const piece = 4 << 10
	var variables []string
	var line []byte // UTF-16 of the variable that has begun
	buf := make([]byte, piece)
	for left := m.size; ; { // no block is longer than the file that holds it
		// Pieces end where a page does, so that one that is missing costs no
		// more than itself.
		part := buf[:piece-int(uint64(at)%piece)]
		if len(part) < 2 {
			part = buf[:2]
		}
		n, err := m.ReadAt(part, at)
		n &^= 1
		if left -= int64(n); left < 0 {
			return variables, errors.New("it has no end")
		}
		for i := 0; i < n; i += 2 {
			if part[i]|part[i+1] != 0 {
				line = append(line, part[i], part[i+1])
				continue
			}
			if len(line) == 0 {
				return variables, nil
			}
			variables = append(variables, minidump.DecodeUTF16(line))
			line = line[:0]
		}
		if err != nil || n < len(part)&^1 {
			return variables, err
		}
		at += minidump.VA(n)
	}
}
