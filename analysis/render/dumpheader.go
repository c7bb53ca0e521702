package render

import (
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// DumpHeader is the field "dump" of every JSON answer. A field that the dump
// does not have is absent.
type DumpHeader struct {
	File          string  `json:"file"` // as named on the command line
	Time          string  `json:"time,omitempty"`
	PointerSize   int     `json:"pointerSize,omitempty"` // 4 or 8 bytes
	Process       string  `json:"process,omitempty"`     // file name of the program
	Path          string  `json:"path,omitempty"`        // of the program
	ProcessID     *uint32 `json:"processId,omitempty"`
	Created       string  `json:"created,omitempty"` // start of the process
	UptimeSeconds *int64  `json:"uptimeSeconds,omitempty"`
	OS            string  `json:"os,omitempty"` // "Windows NT 10.0.19041"
	Writer        string  `json:"writer,omitempty"`
	// Recovered are the streams that were found by their shapes, because the
	// directory is damaged.
	Recovered []string `json:"recovered,omitempty"`
}

// NewDumpHeader describes a dump that was opened under the given name.
func NewDumpHeader(file string, d *analysis.DumpInfo) DumpHeader {
	h := DumpHeader{
		File: file, PointerSize: d.PointerSize, Process: analysis.BaseName(d.Process), Path: d.Process,
		OS: osName(d.System), Writer: d.Writer.Name,
		Time: words.Timestamp(d.Time), Created: words.Timestamp(d.Created),
	}
	if d.Misc != nil && d.Misc.Flags1&minidump.MiscProcessID != 0 {
		h.ProcessID = &d.Misc.ProcessID
	}
	for _, s := range d.Recovered {
		h.Recovered = append(h.Recovered, s.StreamType.String())
	}
	if d.Uptime > 0 {
		seconds := int64(d.Uptime / time.Second)
		h.UptimeSeconds = &seconds
	}
	return h
}

// osName is the name and version of a system, as the dump has them.
func osName(s *minidump.SystemInfo) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%s %d.%d.%d", s.PlatformID, s.MajorVersion, s.MinorVersion, s.BuildNumber)
}
