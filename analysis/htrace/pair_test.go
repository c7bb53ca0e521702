package htrace_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/htrace"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestReadPair has the records as they are stored.
func TestReadPair(t *testing.T) {
	const noTrace = "-"
	tests := []struct {
		name, earlier, later string
		handles              string // of both dumps
		request              htrace.Order
		orders, reasons      string // earlier, later
		overlap              int
		disagree             bool
	}{
		{name: "each dump decides", earlier: "o4 c4", later: "o4 c4 o8",
			orders: "oldest-first oldest-first", reasons: "anomalies anomalies", overlap: 2},
		{name: "each decides, the newest first", earlier: "c4 o4", later: "o8 c4 o4",
			orders: "newest-first newest-first", reasons: "anomalies anomalies", overlap: 2},
		{name: "only the earlier decides", earlier: "o4 c4", later: "o10 o14",
			orders: "oldest-first oldest-first", reasons: "anomalies pair"},
		{name: "only the later decides", earlier: "o4 o8", later: "c14 o14 o10",
			orders: "newest-first newest-first", reasons: "pair anomalies"},
		{name: "the handle streams decide", earlier: "c4 o4 c8 o8", later: "c4 o4 c8 o8 oc", handles: "4:Key 8:Key",
			orders: "oldest-first oldest-first", reasons: "handles handles", overlap: 4},
		{name: "the overlap decides for the oldest first", earlier: "o4 o8", later: "o4 o8 oc",
			orders: "oldest-first oldest-first", reasons: "overlap overlap", overlap: 2},
		{name: "the overlap decides for the newest first", earlier: "o8 o4", later: "oc o8 o4",
			orders: "newest-first newest-first", reasons: "overlap overlap", overlap: 2},
		{name: "nothing decides", earlier: "o4 o8", later: "o10 o14",
			orders: "newest-first newest-first", reasons: "default default"},
		{name: "the same in both directions", earlier: "o4", later: "o4",
			orders: "newest-first newest-first", reasons: "default default", overlap: 1},
		{name: "they disagree", earlier: "o4 c4", later: "o10 c14 o14",
			orders: "oldest-first newest-first", reasons: "anomalies anomalies", disagree: true},
		{name: "a long overlap against what both say", earlier: "c28 o28 o4 o8 oc o10 o14 o18 o1c",
			later:  "c28 o28 o4 o8 oc o10 o14 o18 o1c o20",
			orders: "oldest-first oldest-first", reasons: "overlap overlap", overlap: 9},
		{name: "a long overlap against what a dump says", earlier: "o4 o8 oc o10 o14 o18 o1c o20 o24",
			later:  "o4 o8 oc o10 o14 o18 o1c o20 o24 c28 o28",
			orders: "oldest-first oldest-first", reasons: "overlap overlap", overlap: 9},
		{name: "a short overlap against what a dump says", earlier: "o4 o8", later: "o4 o8 c28 o28",
			orders: "newest-first newest-first", reasons: "pair anomalies"},
		{name: "requested", earlier: "o4 c4", later: "o4 c4 o8", request: htrace.NewestFirst,
			orders: "newest-first newest-first", reasons: "request request"},
		{name: "the earlier has no trace", earlier: noTrace, later: "o4 c4 o8",
			orders: "- oldest-first", reasons: "- anomalies"},
		{name: "the earlier has an empty trace", later: "o4 c4 o8",
			orders: "oldest-first oldest-first", reasons: "pair anomalies"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			earlier := traceFile(t, dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: traceProcess}})
			if tt.earlier != noTrace {
				earlier = traceDump(t, traceOps(t, tt.earlier), tt.handles)
			}
			later := traceDump(t, traceOps(t, tt.later), tt.handles)
			p, err := htrace.ReadPair(t.Context(), earlier, later, tt.request)
			if err != nil || p.EarlierErr != nil || p.LaterErr != nil {
				t.Fatal(err, p)
			}
			orders, reasons := "-", "-"
			if p.Earlier != nil {
				orders, reasons = string(p.Earlier.Order), string(p.Earlier.Evidence.Reason)
			}
			orders += " " + string(p.Later.Order)
			reasons += " " + string(p.Later.Evidence.Reason)
			if orders != tt.orders || reasons != tt.reasons || p.Disagree != tt.disagree {
				t.Errorf("%s by %s, disagree %v; want %s by %s, %v", orders, reasons, p.Disagree, tt.orders, tt.reasons, tt.disagree)
			}
			if d := p.Later.Diff(p.Earlier); d.Overlap != tt.overlap {
				t.Errorf("overlap %d, want %d", d.Overlap, tt.overlap)
			}
			for _, one := range []struct {
				trace *htrace.Trace
				file  *minidump.File
			}{{p.Earlier, earlier}, {p.Later, later}} {
				if one.trace == nil {
					continue
				}
				// A pair adds a reason; what each dump shows stays what it shows.
				alone := readTrace(t, one.file, one.trace.Order)
				alone.Evidence.Reason = one.trace.Evidence.Reason
				if diff := cmp.Diff(alone.Evidence, one.trace.Evidence); diff != "" {
					t.Errorf("evidence (-alone +in the pair):\n%s", diff)
				}
				if a, b := describeTrace(alone), describeTrace(one.trace); a != b {
					t.Errorf("alone:\n%s\nin the pair:\n%s", a, b)
				}
			}
		})
	}
}

func TestReadPairErrors(t *testing.T) {
	whole := traceDump(t, traceOps(t, "o4 c4 o8"), "")
	none := traceFile(t, dumptest.Dump{MiscInfo: &dumptest.MiscInfo{ProcessID: traceProcess}})
	cut := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: traceOps(t, "o4 c4 o8")}}
	layout, err := cut.Layout()
	if err != nil {
		t.Fatal(err)
	}
	cut.TruncateAt = layout["HandleOperationList[1]"] + 100
	half := traceFile(t, cut)

	var missing *analysis.MissingError
	p, err := htrace.ReadPair(t.Context(), whole, none, "")
	if err != nil || p.Later != nil || !errors.As(p.LaterErr, &missing) || p.Earlier == nil {
		t.Errorf("no later trace: %+v, %v", p, err)
	}
	p, err = htrace.ReadPair(t.Context(), half, whole, "")
	if err != nil || p.EarlierErr == nil || p.Earlier.Len() != 1 || p.LaterErr != nil {
		t.Errorf("half an earlier trace: %+v, %v", p, err)
	}
	p, err = htrace.ReadPair(t.Context(), whole, half, "")
	if err != nil || p.LaterErr == nil || p.Later.Len() != 1 || p.EarlierErr != nil {
		t.Errorf("half a later trace: %+v, %v", p, err)
	}
}

// A countingReader counts reads that begin in a stretch of a file.
type countingReader struct {
	r          io.ReaderAt
	start, end int64
	reads      int
	at         func() // called before such a read, if it is not nil
}

func (c *countingReader) ReadAt(p []byte, off int64) (int, error) {
	if off >= c.start && off < c.end {
		c.reads++
		if c.at != nil {
			c.at()
		}
	}
	return c.r.ReadAt(p, off)
}

// countingDump is a dump of operations; the reads of these are counted.
func countingDump(t testing.TB, ops string) (*minidump.File, *countingReader) {
	t.Helper()
	d := dumptest.Dump{
		MiscInfo:         &dumptest.MiscInfo{ProcessID: traceProcess},
		HandleOperations: &dumptest.HandleOperationList{Operations: traceOps(t, ops)},
		HandleData:       &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 8, Type: "Key"}}},
	}
	layout, err := d.Layout()
	if err != nil {
		t.Fatal(err)
	}
	data := d.Bytes()
	r := &countingReader{r: bytes.NewReader(data), start: layout["HandleOperationList[0]"]}
	r.end = r.start + int64(288*len(d.HandleOperations.Operations))
	f, err := minidump.NewFile(r, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f, r
}

// The traces are the large part of a dump, and each is read once, however their
// order is found out.
func TestReadPairReadsOnce(t *testing.T) {
	for _, tt := range [][2]string{
		{"o4 c4", "o4 c4 o8"}, {"o4 o8", "o4 o8 oc"}, {"o4 o8", "o10 o14"}, {"o4 c4", "c4 o4"},
	} {
		earlier, readsEarlier := countingDump(t, tt[0])
		later, readsLater := countingDump(t, tt[1])
		if _, err := htrace.ReadPair(t.Context(), earlier, later, ""); err != nil {
			t.Fatal(err)
		}
		if readsEarlier.reads != 1 || readsLater.reads != 1 {
			t.Errorf("%v: the earlier trace was read %s, the later one %s; want once",
				tt, words.Times(readsEarlier.reads), words.Times(readsLater.reads))
		}
	}
}

// An interrupt gives no half of an answer, whenever it comes.
func TestReadInterrupted(t *testing.T) {
	for _, when := range []string{"before", "in the earlier trace", "in the later trace"} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		earlier, readsEarlier := countingDump(t, "o4 c4")
		later, readsLater := countingDump(t, "o4 c4 o8")
		switch when {
		case "before":
			cancel()
		case "in the earlier trace":
			readsEarlier.at = cancel
		case "in the later trace":
			readsLater.at = cancel
		}
		if p, err := htrace.ReadPair(ctx, earlier, later, ""); p != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, %v", when, p, err)
		}
		if tr, err := htrace.Read(ctx, later, ""); tr != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: a single trace: %v, %v", when, tr, err)
		}
	}
}

func ExampleReadPair() {
	open := func(handle uint64) dumptest.HandleOperation {
		return dumptest.HandleOperation{Handle: handle, Type: dumptest.OperationOpen, Stack: []uint64{0x401627}}
	}
	dump := func(ops ...dumptest.HandleOperation) *minidump.File {
		data := dumptest.Dump{HandleOperations: &dumptest.HandleOperationList{Operations: ops}}.Bytes()
		f, err := minidump.NewFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			panic(err)
		}
		return f
	}
	p, err := htrace.ReadPair(context.Background(), dump(open(4), open(8)), dump(open(4), open(8), open(0xc)), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	d := p.Later.Diff(p.Earlier)
	fmt.Printf("stored %s (%s); %d new, handle %#x is still open\n", p.Later.Order, p.Later.Evidence.Reason, d.New, d.Outstanding[0].Handle)
	// Output:
	// stored oldest first (overlap); 1 new, handle 0xc is still open
}
