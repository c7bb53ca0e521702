package dumptest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

const leakyDumps = "../../testdata/leaky/"

// leakyHandles are the handles of one of our leaking program's dumps, as the
// table beside it gives them. Of threads, processes and mutexes the table has a
// part only: they are given their size.
func leakyHandles(t *testing.T, name string, ptr int) []Handle {
	t.Helper()
	text, err := os.ReadFile(leakyDumps + name + ".handles.tsv")
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string, base int) uint64 {
		n, err := strconv.ParseUint(s, base, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var handles []Handle
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if cells[0] == "handle" {
			continue
		}
		h := Handle{
			Value: number(cells[0], 16), Type: cells[1], Attributes: uint32(number(cells[2], 16)), GrantedAccess: uint32(number(cells[3], 16)),
			HandleCount: uint32(number(cells[4], 10)), PointerCount: uint32(number(cells[5], 10)), Name: cells[6],
		}
		var a, b uint64
		switch object := cells[7]; h.Type {
		case "Event":
			fmt.Sscanf(object, "reset=manual set=%d", &a)
			auto, _ := fmt.Sscanf(object, "reset=auto set=%d", &b)
			h.Info = []ObjectInformation{EventInformation{AutoReset: auto == 1, Set: a+b != 0}}
		case "Semaphore":
			fmt.Sscanf(object, "count=%d limit=%d", &a, &b)
			h.Info = []ObjectInformation{SemaphoreInformation{int32(a), int32(b)}}
		case "Section":
			fmt.Sscanf(object, "attributes=%x size=%x", &a, &b)
			h.Info = []ObjectInformation{SectionInformation{AllocationAttributes: uint32(a), MaximumSize: int64(b)}}
		case "Mutant":
			h.Info = []ObjectInformation{RawInformation{2, make([]byte, 8)}}
		case "Thread":
			h.Info = []ObjectInformation{RawInformation{1, ThreadInformation{}.payload(ptr, 0)}}
		case "Process":
			h.Info = []ObjectInformation{RawInformation{4, ProcessInformation{}.payload(ptr, 0)}}
		}
		handles = append(handles, h)
	}
	return handles
}

// TestAgreesWithLeakyProgram rebuilds the handle data of dumps that a C program
// wrote with the structures of the Windows headers.
func TestAgreesWithLeakyProgram(t *testing.T) {
	for _, tt := range []struct {
		name string
		ptr  int
	}{{"leaky-x86-b", 4}, {"leaky-x64-a", 8}} {
		t.Run(tt.name, func(t *testing.T) {
			file := readGzip(t, leakyDumps+tt.name+".dmp.gz")
			var stream, size uint32
			for i := range binary.LittleEndian.Uint32(file[8:]) {
				if entry := file[binary.LittleEndian.Uint32(file[12:])+12*i:]; binary.LittleEndian.Uint32(entry) == uint32(HandleDataStream) {
					size, stream = binary.LittleEndian.Uint32(entry[4:]), binary.LittleEndian.Uint32(entry[8:])
				}
			}
			d := Dump{NoSystemInfo: true, PointerSize: tt.ptr, HandleData: &HandleData{Handles: leakyHandles(t, tt.name, tt.ptr)}}
			// The file has other streams in front.
			layout, err := d.Layout()
			if err != nil {
				t.Fatal(err)
			}
			d.Skew = int(int64(stream) - layout["HandleData"])
			if layout, err = d.Layout(); err != nil {
				t.Fatal(err)
			}
			got := d.Bytes()[layout["HandleData[0].TypeName"]:]
			want := bytes.Clone(file[layout["HandleData[0].TypeName"] : stream+size])
			for i, h := range d.HandleData.Handles {
				for j, info := range h.Info {
					if raw, ok := info.(RawInformation); ok { // the table does not know the data
						at := layout[fmt.Sprintf("HandleData[%d].ObjectInfo[%d]", i, j)] - layout["HandleData[0].TypeName"] + infoHeaderSize
						clear(want[at:][:len(raw.Data)])
						clear(got[at:][:len(raw.Data)])
					}
				}
			}
			equal(t, got, want)
		})
	}
}
