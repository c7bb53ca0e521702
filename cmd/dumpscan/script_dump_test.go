package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// parseDumpSpec reads the description of a synthetic dump: one line for each
// part, fields separated by blanks, numbers hexadecimal unless noted. A field
// in double quotes is a Go string; lines that begin with # are comments.
//
//	time 2024-05-01T08:00:00Z        of the dump; "none" for a dump without
//	process PID CREATED              decimal, and like time
//	cpu SECONDS                      of the process, decimal
//	module BASE SIZE PATH            the first is the main module
//	bits 32                          of the process, decimal
//	writer crashpad                  no names, smaller descriptors
//	nohandles                        no handle data at all
//	handle VALUE TYPE ACCESS [NAME]
//	handles COUNT VALUE TYPE ACCESS [NAME]
//	open|close|badref HANDLE PID.TID [FRAME...]
//	truncate SIZE                    end the file after so many bytes, decimal
//	windows MAJOR.MINOR.BUILD TYPE   version and product type, decimal
//	platform ID                      another system than Windows, version 0.0.1
//	exception THREAD CODE ADDRESS
//	thread ID
//	token ID USER [PRIVILEGE...] a token, decimal ids; USER is a SID, PRIVILEGE a LUID
//	stream TYPE [TEXT]           any stream with the text for its bytes
//	shortstream                      a second list of handles before the first, of 4 bytes
//	nothing                          no streams at all
//	nodirectory, noheader            zero the directory, or the header too; the last line
//
// TYPE - is a handle without a type. NAME is the rest of the line. "handles"
// makes COUNT (decimal) handles with consecutive values, the first VALUE; %d
// and %x in NAME are the number of the handle, from 0.
func parseDumpSpec(text string) (*dumptest.Dump, error) {
	d := &dumptest.Dump{Flags: dumptest.WithHandleData, HandleData: &dumptest.HandleData{}}
	line := 0
	for words := range strings.Lines(text) {
		line++
		words = strings.TrimSpace(words)
		if words == "" || words[0] == '#' {
			continue
		}
		s := &specLine{rest: words}
		if err := s.addTo(d); err != nil {
			return nil, fmt.Errorf("%d: %w", line, err)
		}
	}
	return d, nil
}

// specLine takes fields off a line; the first error sticks.
type specLine struct {
	rest string
	err  error
}

func (s *specLine) addTo(d *dumptest.Dump) error {
	switch verb := s.word(); verb {
	case "time":
		d.TimeDateStamp = s.seconds()
		if d.TimeDateStamp == 0 {
			d.Patches = append(d.Patches, dumptest.Patch{Anchor: "Header", Off: 20, Bytes: make([]byte, 4)})
		}
	case "process":
		d.MiscInfo = &dumptest.MiscInfo{ProcessID: uint32(s.number(10)), ProcessCreateTime: s.seconds()}
	case "cpu":
		if d.MiscInfo == nil {
			return fmt.Errorf("cpu stands behind process")
		}
		d.MiscInfo.ProcessUserTime = uint32(s.number(10))
	case "module":
		d.Modules = append(d.Modules, dumptest.Module{Base: s.number(16), Size: uint32(s.number(16)), Name: s.text()})
	case "bits":
		d.PointerSize = int(s.number(10) / 8)
	case "writer":
		if name := s.word(); name != "crashpad" {
			return fmt.Errorf("unknown writer %q", name)
		}
		d.HandleData.Style, d.Version, d.Flags = dumptest.Crashpad, 0xa793, 0
		const crashpadInfo, size = 0x43500001, 64
		d.Streams = append(d.Streams, dumptest.RawStream{Type: crashpadInfo, Data: make([]byte, size)})
	case "nohandles":
		d.HandleData, d.Flags = nil, 0
	case "handle":
		d.HandleData.Handles = append(d.HandleData.Handles, s.handle())
	case "handles":
		n := int(s.number(10))
		first := s.handle()
		for i := range n {
			h := first
			h.Value += uint64(4 * i)
			h.Name = strings.NewReplacer("%d", strconv.Itoa(i), "%x", strconv.FormatInt(int64(i), 16)).Replace(h.Name)
			d.HandleData.Handles = append(d.HandleData.Handles, h)
		}
	case "open", "close", "badref":
		if d.HandleOperations == nil {
			d.HandleOperations = &dumptest.HandleOperationList{}
		}
		kind := 1 + slices.Index([]string{"open", "close", "badref"}, verb)
		d.HandleOperations.Operations = append(d.HandleOperations.Operations, s.operation(uint32(kind)))
	case "windows":
		d.SystemInfo = s.windows()
	case "platform":
		d.SystemInfo = &dumptest.SystemInfo{PlatformID: uint32(s.number(16)), BuildNumber: 1}
	case "exception":
		d.Exception = &dumptest.Exception{ThreadID: uint32(s.number(16)), ExceptionCode: uint32(s.number(16)), ExceptionAddress: s.number(16)}
	case "thread":
		d.Threads = append(d.Threads, dumptest.Thread{ThreadID: uint32(s.number(16))})
	case "token":
		if d.Tokens == nil {
			d.Tokens = &dumptest.TokenList{}
		}
		d.Flags |= dumptest.WithTokenInformation
		d.Tokens.Tokens = append(d.Tokens.Tokens, s.token())
	case "stream":
		d.Streams = append(d.Streams, dumptest.RawStream{Type: dumptest.StreamType(s.number(16)), Data: []byte(s.text())})
	case "shortstream":
		const header = 32 // the list is where the file has another structure
		d.Directory.Leading = append(d.Directory.Leading, dumptest.DirectoryEntry{Type: dumptest.HandleDataStream, DataSize: 4, RVA: header})
	case "nothing":
		d.HandleData, d.NoSystemInfo, d.Flags = nil, true, 0
	case "nodirectory", "noheader":
		layout, err := d.Layout()
		if err != nil {
			return err
		}
		const header, entry = 32, 12
		end := int64(header)
		for layout[fmt.Sprintf("Directory[%d]", (end-header)/entry)] != 0 {
			end += entry
		}
		start := map[string]int64{"nodirectory": header, "noheader": 0}[verb]
		d.Patches = append(d.Patches, dumptest.Patch{Off: start, Bytes: make([]byte, end-start)})
	case "truncate":
		d.TruncateAt = int64(s.number(10))
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	if s.err == nil && s.rest != "" {
		return fmt.Errorf("%q is too much", s.rest)
	}
	return s.err
}

func (s *specLine) handle() dumptest.Handle {
	h := dumptest.Handle{Value: s.number(16), Type: s.word(), GrantedAccess: uint32(s.number(16)), Name: s.text()}
	if h.Type == "-" {
		h.Type = ""
	}
	return h
}

func (s *specLine) token() dumptest.Token {
	t := dumptest.Token{
		ID: uint32(s.number(10)), User: dumptest.Group{SID: s.word()}, PrimaryGroup: "S-1-5-32-545",
		Groups: []dumptest.Group{{SID: "S-1-16-12288", Attributes: 0x60}},
	}
	for s.rest != "" && s.err == nil {
		t.Privileges = append(t.Privileges, dumptest.Privilege{LUID: s.number(10), Attributes: 2})
	}
	return t
}

func (s *specLine) windows() *dumptest.SystemInfo {
	i := &dumptest.SystemInfo{}
	if _, err := fmt.Sscanf(s.word(), "%d.%d.%d", &i.MajorVersion, &i.MinorVersion, &i.BuildNumber); err != nil {
		s.fail(err)
	}
	i.ProductType = uint8(s.number(10))
	return i
}

func (s *specLine) operation(kind uint32) dumptest.HandleOperation {
	op := dumptest.HandleOperation{Type: kind, Handle: s.number(16)}
	if _, err := fmt.Sscanf(s.word(), "%x.%x", &op.ProcessID, &op.ThreadID); err != nil {
		s.fail(err)
	}
	for s.rest != "" && s.err == nil {
		op.Stack = append(op.Stack, s.number(16))
	}
	return op
}

// word takes the next field.
func (s *specLine) word() string {
	if s.rest == "" {
		s.fail(fmt.Errorf("a field is missing"))
		return ""
	}
	if s.rest[0] == '"' {
		quoted, err := strconv.QuotedPrefix(s.rest)
		if err != nil {
			s.fail(err)
			s.rest = ""
			return ""
		}
		s.rest = strings.TrimSpace(s.rest[len(quoted):])
		text, err := strconv.Unquote(quoted)
		s.fail(err)
		return text
	}
	word, rest, _ := strings.Cut(s.rest, " ")
	s.rest = strings.TrimSpace(rest)
	return word
}

// text takes the rest of the line.
func (s *specLine) text() string {
	if strings.HasPrefix(s.rest, `"`) {
		return s.word()
	}
	text := s.rest
	s.rest = ""
	return text
}

func (s *specLine) number(base int) uint64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(s.word(), "0x"), base, 64)
	s.fail(err)
	return n
}

func (s *specLine) seconds() uint32 {
	word := s.word()
	if word == "none" {
		return 0
	}
	t, err := time.Parse(time.RFC3339, word)
	s.fail(err)
	return uint32(t.Unix())
}

func (s *specLine) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func TestParseDumpSpec(t *testing.T) {
	d, err := parseDumpSpec(`
# every kind of line
time 2024-05-01T08:00:00Z
process 42 2024-05-01T07:00:00Z
module 7ff600000000 1000 C:\a b\w3wp.exe
handle 4 "ALPC Port" 1f0001 \RPC Control\x y
handles 2 0x8 Key 20019 \K%d
handle 10 - 804
open 8 2a.1f 7ff1 7ff2
close 8 2a.1f
thread 1f
token 42 S-1-5-18 20 23
stream fff0 a b
`)
	want := &dumptest.Dump{
		TimeDateStamp: 1714550400, Flags: dumptest.WithHandleData | dumptest.WithTokenInformation,
		MiscInfo: &dumptest.MiscInfo{ProcessID: 42, ProcessCreateTime: 1714546800},
		Modules:  []dumptest.Module{{Base: 0x7ff600000000, Size: 0x1000, Name: `C:\a b\w3wp.exe`}},
		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
			{Value: 4, Type: "ALPC Port", GrantedAccess: 0x1f0001, Name: `\RPC Control\x y`},
			{Value: 8, Type: "Key", GrantedAccess: 0x20019, Name: `\K0`},
			{Value: 0xc, Type: "Key", GrantedAccess: 0x20019, Name: `\K1`},
			{Value: 0x10, GrantedAccess: 0x804},
		}},
		HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
			{Type: dumptest.OperationOpen, Handle: 8, ProcessID: 0x2a, ThreadID: 0x1f, Stack: []uint64{0x7ff1, 0x7ff2}},
			{Type: dumptest.OperationClose, Handle: 8, ProcessID: 0x2a, ThreadID: 0x1f},
		}},
		Threads: []dumptest.Thread{{ThreadID: 0x1f}},
		Tokens: &dumptest.TokenList{Tokens: []dumptest.Token{{
			ID: 42, User: dumptest.Group{SID: "S-1-5-18"}, PrimaryGroup: "S-1-5-32-545",
			Groups:     []dumptest.Group{{SID: "S-1-16-12288", Attributes: 0x60}},
			Privileges: []dumptest.Privilege{{LUID: 20, Attributes: 2}, {LUID: 23, Attributes: 2}},
		}}},
		Streams: []dumptest.RawStream{{Type: 0xfff0, Data: []byte("a b")}},
	}
	if diff := cmp.Diff(want, d); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
	for _, bad := range []string{"handle", "handle x Key 0", "size 5", "time yesterday", `handle 4 "Key 0`, "truncate 5 6", "open 4 1"} {
		if _, err := parseDumpSpec(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
