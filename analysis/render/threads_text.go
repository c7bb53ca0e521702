package render

import (
	"bufio"
	"fmt"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis/words"
)

// text writes the exception, if there is one, and the threads as a table in the
// spirit of WinDbg's "~", or as its "~*". A dot marks the thread that a debugger
// would begin with. WinDbg marks the thread of the exception with # once another
// one is chosen, which nobody does here.
func (r *ThreadReport) text(b *bufio.Writer, style Style) error {
	if e := r.Exception; e != nil {
		fmt.Fprintf(b, "%s\n\n", style.labelled(style.Alarm, "exception:", words.Escape(e.sentence())))
	}
	if r.Verbose {
		for i := range r.Threads {
			r.Threads[i].verbose(b, &r.Dump)
		}
	} else if err := r.table(style).Write(b); err != nil {
		return err
	}
	if r.Omitted > 0 {
		fmt.Fprintln(b, words.More(r.Omitted, "thread"))
	}
	return nil
}

// table has a row for each thread, and no columns of which the dump says
// nothing.
func (r *ThreadReport) table(style Style) *Table {
	times, tebs := false, r.tebs() > 0
	for i := range r.Threads {
		times = times || r.Threads[i].UserMs != nil
	}
	t := &Table{Drop: []string{"teb", "suspend", "error", "cpu"}, Style: style}
	column := func(there bool, name string, right bool) {
		if there {
			t.Header, t.Right = append(t.Header, name), append(t.Right, right)
		}
	}
	column(true, "", false)
	column(true, "#", true)
	column(true, "id", true)
	column(true, "state", false)
	column(true, "suspend", true)
	column(true, "teb", false)
	column(times, "cpu", true)
	column(tebs, "error", true)
	column(true, "start", false)
	column(true, "name", false)
	for i := range r.Threads {
		th := &r.Threads[i]
		cells := []string{
			choose(th.Current, ".", ""), strconv.Itoa(th.Index), fmt.Sprintf("%x", th.ThreadID), th.State,
			strconv.FormatUint(uint64(th.SuspendCount), 10), pointer(r.Dump.PointerSize, th.Teb),
		}
		if times {
			cells = append(cells, th.cpu())
		}
		if tebs {
			cells = append(cells, decimal(th.LastError))
		}
		t.Row(append(cells, th.Start, th.Name)...)
	}
	return t
}

// cpu is the processor time; "" if the dump does not say.
func (t *Thread) cpu() string {
	if t.UserMs == nil {
		return ""
	}
	return milliseconds(*t.UserMs + *t.KernelMs)
}

func milliseconds(ms int64) string { return fmt.Sprintf("%d.%03d s", ms/1000, ms%1000) }

func decimal(n *uint32) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(uint64(*n), 10)
}

// verbose writes a thread as ~* does in three lines, and below them what else
// the dump says of it.
func (t *Thread) verbose(b *bufio.Writer, dump *DumpHeader) {
	process := "?"
	if dump.ProcessID != nil {
		process = fmt.Sprintf("%x", *dump.ProcessID)
	} else if t.tebProcess != 0 {
		process = fmt.Sprintf("%x", t.tebProcess)
	}
	fmt.Fprintf(b, "%s %2d  Id: %s.%x Suspend: %d Teb: %s Unfrozen", choose(t.Current, ".", " "), t.Index, process, t.ThreadID,
		t.SuspendCount, tick(dump.PointerSize, uint64(t.Teb)))
	if t.Name != "" {
		fmt.Fprintf(b, " \"%s\"", words.Escape(t.Name))
	}
	line := func(format string, args ...any) { fmt.Fprintf(b, "\n      "+format, args...) }
	if t.StartAddress != 0 {
		line("Start: %s (%s)", words.Escape(t.Start), tick(dump.PointerSize, uint64(t.StartAddress)))
	}
	line("Priority: %d  Priority class: %d", t.Priority, t.PriorityClass)
	if t.Affinity != nil {
		fmt.Fprintf(b, "  Affinity: %x", uint64(*t.Affinity))
	}
	if t.State != "alive" && t.State != "suspended" {
		line("State: %s", t.State)
	}
	if t.Created != "" {
		line("Created: %s", t.Created)
	}
	if t.ExitTime != "" {
		line("Exited: %s with %s", t.ExitTime, words.Hex(*t.ExitStatus))
	}
	if t.UserMs != nil {
		line("User: %s  Kernel: %s", milliseconds(*t.UserMs), milliseconds(*t.KernelMs))
	}
	if t.LastError != nil {
		line("LastErrorValue: %d", *t.LastError)
		if t.LastStatus != nil {
			fmt.Fprintf(b, "  LastStatusValue: %x", uint64(*t.LastStatus))
		}
		line("StackBase: %s  StackLimit: %s", pointer(t.pointerSize, t.StackBase), pointer(t.pointerSize, t.StackLimit))
		if t.Teb32 != 0 {
			line("Wow64 TEB32: %s", pointer(4, t.Teb32))
		}
	}
	b.WriteByte('\n')
}

// csv writes a row for each thread. What the dump does not say is an empty
// cell.
func (r *ThreadReport) csv(b *bufio.Writer) error {
	header := []string{
		"index", "threadId", "current", "name", "state", "suspendCount", "priority", "priorityClass", "affinity", "startAddress", "start",
		"teb", "teb32", "stack", "stackBase", "stackLimit", "lastError", "lastStatus",
		"created", "exitTime", "exitStatus", "userMs", "kernelMs",
	}
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	known := func(h Hex) string { // 0 is none
		if h == 0 {
			return ""
		}
		return words.Hex(h)
	}
	value := func(h *Hex) string {
		if h == nil {
			return ""
		}
		return words.Hex(*h)
	}
	return writeCSV(b, header, func(row func(...string)) {
		for i := range r.Threads {
			t := &r.Threads[i]
			var user, kernel string
			if t.UserMs != nil {
				user, kernel = strconv.FormatInt(*t.UserMs, 10), strconv.FormatInt(*t.KernelMs, 10)
			}
			row(strconv.Itoa(t.Index), number(t.ThreadID), strconv.FormatBool(t.Current), words.CSVCell(t.Name), t.State,
				number(t.SuspendCount), strconv.Itoa(int(t.Priority)), number(t.PriorityClass), value(t.Affinity),
				known(t.StartAddress), words.CSVCell(t.Start), words.Hex(t.Teb), known(t.Teb32), words.Hex(t.Stack),
				known(t.StackBase), known(t.StackLimit), decimal(t.LastError), value(t.LastStatus),
				t.Created, t.ExitTime, value(t.ExitStatus), user, kernel)
		}
	})
}
