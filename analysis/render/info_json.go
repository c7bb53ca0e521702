package render

import (
	"io"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/minidump"
)

// InfoSchema is the field "schema" of what an [InfoReport] writes.
const InfoSchema = "dumpscan.info/1"

// InfoReport writes the answer of "dumpscan info --json":
//
//	schema     "dumpscan.info/1"
//	dump       see DumpHeader
//	size       bytes
//	version    of the header, "0xa063a793"
//	flags      {value, names[]}
//	writer     {name, evidence}: dbghelp, crashpad, breakpad or wine; name ""
//	           if the bytes do not tell
//	system     {architecture, processors, productType, servicePack, build}
//	memory     {privateBytes, workingSetBytes, pagedPoolBytes, nonPagedPoolBytes}
//	comments   [text]
//	answers    {handles, handleTraces, fullMemory}, each {can, detail, advice}:
//	           whether the dump can answer such questions
//	streams    [{type, name, size, offset}] in the order of the file
//	errors     [sentence]
type InfoReport struct {
	File string
	Info *analysis.DumpInfo
}

type jsonAnswer struct {
	Can    bool   `json:"can"`
	Detail string `json:"detail,omitempty"`
	Advice string `json:"advice,omitempty"`
}

// Write writes the report.
func (r *InfoReport) Write(w io.Writer) error {
	type flags struct {
		Value string   `json:"value"`
		Names []string `json:"names"`
	}
	type writer struct {
		Name     string `json:"name"`
		Evidence string `json:"evidence,omitempty"`
	}
	type stream struct {
		Type   uint32 `json:"type"`
		Name   string `json:"name"`
		Size   uint32 `json:"size"`
		Offset string `json:"offset"`
	}
	d := r.Info
	j := NewJSONWriter(w, InfoSchema)
	j.Field("dump", NewDumpHeader(r.File, d))
	j.Field("size", d.Size)
	j.Field("version", hexNumber(d.Version))
	j.Field("flags", flags{hexNumber(d.Flags), d.Flags.Names()})
	j.Field("writer", writer(d.Writer))
	if d.System != nil {
		j.Field("system", newJSONSystem(d.System, d.Misc))
	}
	if d.Memory != nil {
		j.Field("memory", newJSONMemory(d.Memory))
	}
	j.Strings("comments", d.Comments)
	j.Field("answers", map[string]jsonAnswer{
		"handles": jsonAnswer(d.Handles), "handleTraces": jsonAnswer(d.Traces), "fullMemory": jsonAnswer(d.FullMem),
	})
	j.List("streams", func(element func(any)) {
		for _, s := range d.Streams {
			element(stream{uint32(s.StreamType), s.StreamType.String(), s.DataSize, hexNumber(s.RVA)})
		}
	})
	j.List("errors", func(element func(any)) {
		for _, err := range d.Problems {
			element(err.Error())
		}
	})
	return j.Close()
}

type jsonSystem struct {
	Architecture string `json:"architecture"`
	Processors   uint8  `json:"processors"`
	ProductType  uint8  `json:"productType,omitempty"`
	ServicePack  string `json:"servicePack,omitempty"`
	Build        string `json:"build,omitempty"`
}

func newJSONSystem(s *minidump.SystemInfo, m *minidump.MiscInfo) jsonSystem {
	j := jsonSystem{
		Architecture: s.ProcessorArchitecture.String(), Processors: s.NumberOfProcessors,
		ProductType: uint8(s.ProductType), ServicePack: s.CSDVersion,
	}
	if m != nil {
		j.Build = m.BuildString
	}
	return j
}

type jsonMemory struct {
	Private      uint64 `json:"privateBytes"`
	WorkingSet   uint64 `json:"workingSetBytes"`
	PagedPool    uint64 `json:"pagedPoolBytes"`
	NonPagedPool uint64 `json:"nonPagedPoolBytes"`
}

func newJSONMemory(v *minidump.ProcessVmCounters) jsonMemory {
	return jsonMemory{v.PrivateUsage, v.WorkingSetSize, v.QuotaPagedPoolUsage, v.QuotaNonPagedPoolUsage}
}
