package render

import (
	"bufio"
	"fmt"
	"strconv"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
)

// A MemoryReport is the answer of "dumpscan memory DUMP": how the process uses
// its address space.
type MemoryReport struct {
	Dump          DumpHeader     `json:"dump"`
	Basis         string         `json:"basis"` // "regions": the list of all of them; "captured": the memory in the dump
	Count         uint64         `json:"count"`
	Bytes         uint64         `json:"bytes"`
	FreeBytes     uint64         `json:"freeBytes"`
	Usage         []MemorySum    `json:"usage"`
	Types         []MemorySum    `json:"types"`
	States        []MemorySum    `json:"states"`
	Protections   []MemorySum    `json:"protections"`
	Largest       []MemoryBlock  `json:"largest"`
	LargestFree32 *MemoryBlock   `json:"largestFree32,omitempty"`
	Captured      MemoryCaptured `json:"captured"`
	Notes         []string       `json:"notes"`
	Complaints
}

// A MemorySum is what some regions are together.
type MemorySum struct {
	Name      string  `json:"name"`
	Count     uint64  `json:"count"`
	Bytes     uint64  `json:"bytes"`
	Share     float64 `json:"share"`               // of all bytes
	BusyShare float64 `json:"busyShare,omitempty"` // of those that are not free; 0 for those that are
}

// A MemoryBlock is one region.
type MemoryBlock struct {
	Name    string `json:"name"` // its usage
	Address Hex    `json:"address"`
	Bytes   uint64 `json:"bytes"`
}

// MemoryCaptured is the memory in the dump.
type MemoryCaptured struct {
	Ranges  uint64 `json:"ranges"`
	Bytes   uint64 `json:"bytes"`
	Missing uint64 `json:"missingBytes,omitempty"` // the file is cut off
}

// NewMemoryReport makes a report of an address space.
func NewMemoryReport(dump DumpHeader, a *analysis.AddressSpace) *MemoryReport {
	r := &MemoryReport{
		Dump: dump, Basis: choose(a.Listed, "regions", "captured"), Count: a.Total.Count, Bytes: a.Total.Bytes, FreeBytes: a.Free.Bytes,
		Captured: MemoryCaptured{a.Captured.Count, a.Captured.Bytes, a.CapturedLost},
	}
	sums := func(list []analysis.MemorySum, free string) []MemorySum {
		var rows []MemorySum
		for _, s := range list {
			row := MemorySum{Name: s.Name, Count: s.Count, Bytes: s.Bytes, Share: share(s.Bytes, a.Total.Bytes)}
			if s.Name != free {
				row.BusyShare = share(s.Bytes, a.Total.Bytes-a.Free.Bytes)
			}
			rows = append(rows, row)
		}
		return rows
	}
	r.Usage, r.Types = sums(a.Usage, analysis.UsageFree), sums(a.Types, "")
	r.States, r.Protections = sums(a.States, "MEM_FREE"), sums(a.Protections, "")
	for _, b := range a.Largest {
		r.Largest = append(r.Largest, newMemoryBlock(b))
	}
	if b := a.LargestFree32; b != nil {
		block := newMemoryBlock(*b)
		r.LargestFree32 = &block
	}
	r.Notes = memoryNotes(a)
	return r
}

func newMemoryBlock(b analysis.MemoryBlock) MemoryBlock {
	return MemoryBlock{b.Usage, Hex(b.Address), b.Bytes}
}

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// memoryNotes say what the names of the usages do not cover.
func memoryNotes(a *analysis.AddressSpace) []string {
	var notes []string
	if b := a.LargestFree32; b != nil {
		notes = append(notes, fmt.Sprintf("the program is a 32-bit one: its largest free block is %s at %s", words.Bytes(b.Bytes), words.Hex(b.Address)))
	}
	if !a.HeapsKnown {
		notes = append(notes, "the dump does not list the heaps, so that most of them are among "+analysis.UsageUnknown)
	}
	if a.StacksUnknown > 0 {
		notes = append(notes, fmt.Sprintf("the stacks of %s are not known, and among %s", words.Plural(a.StacksUnknown, "thread"), analysis.UsageUnknown))
	}
	return notes
}

func (r *MemoryReport) schema() string { return "dumpscan.memory/2" }

// text writes what !address -summary does, or a table if the sums are of the
// memory in the dump alone.
func (r *MemoryReport) text(b *bufio.Writer, style Style) error {
	if r.Basis == "captured" {
		t := Table{Header: []string{"captured memory of", "pieces", "bytes", ""}, Right: []bool{false, true, true, true}, Style: style}
		for _, s := range r.Usage {
			t.Row(s.Name, words.Count(s.Count), words.Count(s.Bytes), words.Bytes(s.Bytes))
		}
		return t.Write(b)
	}
	const right = " RgnCount ----------- Total Size -------- %ofBusy %ofTotal"
	for _, section := range []struct {
		title string
		rows  []MemorySum
	}{
		{"--- Usage Summary ----------------", r.Usage},
		{"--- Type Summary (for busy) ------", r.Types},
		{"--- State Summary ----------------", r.States},
		{"--- Protect Summary (for commit) -", r.Protections},
	} {
		fmt.Fprintf(b, "\n%s\n", style.Bold(section.title+right))
		for _, s := range section.rows {
			busy := ""
			if s.BusyShare > 0 {
				busy = percent(s.BusyShare)
			}
			fmt.Fprintf(b, "%-36s%7d%18s (%s)%8s%9s\n", words.Escape(s.Name), s.Count, halves(s.Bytes), unitSize(s.Bytes), busy, percent(s.Share))
		}
	}
	fmt.Fprintf(b, "\n%s\n", style.Bold("--- Largest Region by Usage ----------- Base Address -------- Region Size ----------"))
	for _, m := range r.Largest {
		fmt.Fprintf(b, "%-36s%16s%18s (%s)\n", words.Escape(m.Name), halves(uint64(m.Address)), halves(m.Bytes), unitSize(m.Bytes))
	}
	return nil
}

// csv writes a row for each sum; what is summed up is the first column.
func (r *MemoryReport) csv(b *bufio.Writer) error {
	return writeCSV(b, []string{"by", "name", "count", "bytes", "share", "busyShare"}, func(row func(...string)) {
		for _, section := range []struct {
			by   string
			rows []MemorySum
		}{{"usage", r.Usage}, {"type", r.Types}, {"state", r.States}, {"protection", r.Protections}} {
			for _, s := range section.rows {
				row(section.by, words.CSVCell(s.Name), strconv.FormatUint(s.Count, 10), strconv.FormatUint(s.Bytes, 10),
					strconv.FormatFloat(s.Share, 'f', 6, 64), strconv.FormatFloat(s.BusyShare, 'f', 6, 64))
			}
		}
	})
}

// halves writes a size or an address as !address does: "7dfe`953cf000".
func halves(n uint64) string { return fmt.Sprintf("%x`%08x", n>>32, uint32(n)) }

// unitSize writes a size as !address does: " 125.994 TB".
func unitSize(n uint64) string {
	f, unit := float64(n)/(1<<10), "kB"
	for _, larger := range []string{"MB", "GB", "TB"} {
		if f < 1<<10 {
			break
		}
		f, unit = f/(1<<10), larger
	}
	return fmt.Sprintf("%8.3f %s", f, unit)
}

func percent(share float64) string { return fmt.Sprintf("%.2f%%", 100*share) }
