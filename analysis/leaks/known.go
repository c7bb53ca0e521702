package leaks

import (
	"fmt"
	"strings"
)

// A KnownLeak is a leak that others have found and described. It explains a
// finding that stands on its own evidence, and never makes one.
type KnownLeak struct {
	Title  string
	Source string // address of the description
	Advice string

	Type   string // of the handles
	State  string // of the objects; "" any
	Module string // in the stack that opens them, as WinDbg names it; "" none is asked for
	// OfOthers asks for threads of other processes.
	OfOthers bool
}

// KnownLeaks returns the table.
func KnownLeaks() []KnownLeak {
	return []KnownLeak{
		{
			Title:  "GetICMProfile leaks a registry key with each call on Windows 10",
			Source: "https://learn.microsoft.com/en-us/troubleshoot/windows/win32/geticmprofile-might-leak-one-or-more-handles-on-windows10",
			Advice: "fixed in Windows 11; call it seldom, and keep the answer",
			Type:   "Key", Module: "mscms",
		},
		{
			Title:  "WinHttpOpen keeps keys of the proxy settings for as long as its session lives",
			Source: "https://github.com/dotnet/corefx/issues/2793",
			Advice: "open one session (one HttpClient) and use it for all requests, or close each",
			Type:   "Key", Module: "winhttp",
		},
		{
			Title:  "PROCESS_INFORMATION.hThread is left open after CreateProcess",
			Source: "https://learn.microsoft.com/en-us/cpp/code-quality/c6335",
			Advice: "close both hProcess and hThread",
			Type:   "Thread", State: "exited", OfOthers: true,
		},
		{
			Title:  "PROCESS_INFORMATION.hProcess is left open after CreateProcess",
			Source: "https://learn.microsoft.com/en-us/cpp/code-quality/c6335",
			Advice: "close both hProcess and hThread",
			Type:   "Process", State: "exited",
		},
	}
}

// recognise looks a finding up in the table.
func (f *Finding) recognise() {
	for _, k := range KnownLeaks() {
		if !k.fits(f.Group) {
			continue
		}
		f.Known = &k
		f.Evidence = append(f.Evidence, fmt.Sprintf("looks like a known one: %s (%s); %s", k.Title, k.Source, k.Advice))
		return
	}
}

func (k *KnownLeak) fits(g *Group) bool {
	if g.Type != k.Type || k.State != "" && g.State != k.State || k.OfOthers && g.Objects.Foreign <= g.Objects.Own {
		return false
	}
	if k.Module == "" {
		return true
	}
	if g.Opener == nil {
		return false
	}
	for _, l := range g.Opener.Frames {
		if strings.EqualFold(l.Module, k.Module) {
			return true
		}
	}
	return false
}
