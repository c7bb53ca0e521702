package minidump_test

import (
	"bytes"
	"fmt"
	"io"

	"github.com/dumpscan/dumpscan/minidump"
)

// walk reads everything that the package can read of a dump and returns it as
// text, errors included, so that two walks can be compared.
func walk(data []byte) string {
	f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		if f != nil {
			panic("a file and an error")
		}
		return err.Error()
	}
	return walkFile(f)
}

// walkFile is walk for a file that is open.
func walkFile(f *minidump.File) string {
	var out bytes.Buffer
	show := func(what string, v any, err error) { fmt.Fprintf(&out, "%s: %+v, %v\n", what, v, err) }
	dir, err := f.Directory()
	show("directory", dir, err)
	show("ignored", f.Ignored(), nil)
	for _, d := range dir {
		r, err := f.Stream(d.StreamType)
		n, readErr := io.Copy(io.Discard, r)
		show(d.StreamType.String(), n, err)
		if readErr != nil {
			show("reading", nil, readErr)
		}
	}
	si, err := f.SystemInfo()
	show("system", si, err)
	misc, err := f.MiscInfo()
	show("misc", misc, err)
	threads, err := f.Threads()
	show("threads", threads, err)
	infos, err := f.ThreadInfos()
	show("thread infos", infos, err)
	names, err := f.ThreadNames()
	show("thread names", names, err)
	modules, err := f.Modules()
	show("modules", modules, err)
	for _, m := range modules {
		show(m.Name(), m.CvRecord.Key(), nil)
	}
	unloaded, err := f.UnloadedModules()
	show("unloaded", unloaded, err)
	comments, err := f.Comments()
	show("comments", comments, err)
	counters, err := f.ProcessVmCounters()
	show("counters", counters, err)
	exception, err := f.Exception()
	show("exception", exception, err)
	walkHandles(f, show)
	walkMemory(f, show)
	walkContexts(f, show)
	walkExtensions(f, show)
	return out.String()
}

func walkContexts(f *minidump.File, show func(string, any, error)) {
	exs, err := f.ThreadExs()
	show("threads with two stacks", exs, err)
	threads, _ := f.Threads()
	for _, t := range exs {
		threads = append(threads, t.Thread)
	}
	if e, err := f.Exception(); err == nil {
		threads = append(threads, minidump.Thread{ThreadContext: e.ThreadContext})
	}
	for _, t := range threads {
		c, err := f.Context(t.ThreadContext)
		if (c == nil) == (err == nil) {
			panic("registers and an error")
		}
		if c != nil {
			show("registers", c.Registers(), err)
			m, err := f.ModuleAt(c.PC)
			show("module", m, err)
		}
	}
	tables, err := f.FunctionTables()
	if err != nil {
		show("function tables", nil, err)
		return
	}
	n, err := tables.Len()
	show("function tables", n, err)
	for t, err := range tables.All() {
		n--
		if t.Entries != nil {
			entries, _ := io.Copy(io.Discard, t.Entries)
			native, _ := io.Copy(io.Discard, t.Native)
			show("function table", []any{t.MinimumAddress, t.MaximumAddress, t.BaseAddress, entries, native, tables.Find(t.MinimumAddress) != nil}, err)
		}
	}
	if n != 0 {
		panic("All and Len disagree on the function tables")
	}
}

func walkExtensions(f *minidump.File, show func(string, any, error)) {
	tokens, err := f.Tokens()
	show("tokens", len(tokens), err)
	for _, k := range tokens {
		if k.Statistics != nil {
			show("statistics", *k.Statistics, nil)
			k.Statistics = nil // an address is no text to compare
		}
		show("token", k, nil)
	}
	machine, err := f.SystemMemoryInfo()
	show("memory of the machine", machine, err)
	breakpad, err := f.BreakpadInfo()
	show("breakpad", breakpad, err)
	assertion, err := f.AssertionInfo()
	show("assertion", assertion, err)
	maps, err := f.Text(minidump.LinuxMapsStream)
	show("maps", maps, err)
	auxv, err := f.LinuxAuxv()
	show("auxv", auxv, err)
	dso, err := f.LinuxDSODebug()
	show("shared objects", dso, err)
	crashpad, err := f.CrashpadInfo()
	show("crashpad", crashpad, err)
}

func walkHandles(f *minidump.File, show func(string, any, error)) {
	hd, err := f.HandleData()
	if err != nil {
		show("handles", nil, err)
	} else {
		n, err := hd.Len()
		show("handles", n, err)
		for h, err := range hd.All() {
			n--
			show("handle", *h, err)
			for _, info := range h.ObjectInfo {
				o, err := info.Decode()
				show("object", o, err)
			}
		}
		if n != 0 {
			panic("All and Len disagree on the handles")
		}
		slice, _ := hd.Slice()
		if all, _ := hd.Len(); len(slice) != all {
			panic("Slice and Len disagree on the handles")
		}
	}
	ops, err := f.HandleOperations()
	if err != nil {
		show("operations", nil, err)
		return
	}
	n, err := ops.Len()
	show("operations", n, err)
	for op, err := range ops.All() {
		n--
		show("operation", op.Frames(), err)
	}
	if n != 0 {
		panic("All and Len disagree on the operations")
	}
}

func walkMemory(f *minidump.File, show func(string, any, error)) {
	m, err := f.Memory()
	show("memory", nil, err)
	if m != nil {
		p := make([]byte, 64)
		for _, r := range m.Ranges() {
			n, err := m.ReadAt(p, r.Start)
			show("range", r, err)
			show("bytes", p[:n], nil)
		}
		threads, _ := f.Threads()
		for i := range threads {
			x, err := m.WOW64Context(&threads[i])
			show("32-bit registers", x, err)
			if x != nil && err != nil {
				panic("registers and an error")
			}
		}
	}
	regions, err := f.MemoryInfos()
	if err != nil {
		show("regions", nil, err)
		return
	}
	n, err := regions.Len()
	show("regions", n, err)
	for r, err := range regions.All() {
		n--
		show("region", *r, err)
	}
	if n != 0 {
		panic("All and Len disagree on the regions")
	}
}
