package leaks

import (
	"fmt"
	"time"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/words"
	"github.com/dumpscan/dumpscan/minidump"
)

// A poolEnd says when a kernel pool is used up if it goes on growing as it did.
type poolEnd struct {
	pool    string  // "paged"
	perHour float64 // bytes
	hours   float64
	limit   string // what it comes up against
	// sinceStart says that there is one dump, and perHour a mean since the start.
	sinceStart bool
}

// String is a piece of evidence.
func (e *poolEnd) String() string {
	grows := "grows by %s an hour"
	if e.sinceStart {
		grows = "has grown by %s an hour on average since the process began"
	}
	return fmt.Sprintf("the charge for %s pool "+grows+"; if that goes on, %s in %s, or sooner, as others use it too", e.pool,
		words.Bytes(uint64(e.perHour)), e.limit, words.Duration(time.Duration(e.hours*float64(time.Hour))))
}

// minPoolGrowth is the least growth of a pool's charge, in bytes, from which
// its end is foretold.
const minPoolGrowth = 1 << 20

// poolEnd finds the pool that is used up first at the present rate: that of the
// series, or since the start of the process if there is only one dump. It is
// nil if nothing shows a pool to grow or what its limit is.
func (p *Process) poolEnd() *poolEnd {
	last := p.Series.Last()
	if last.Memory == nil {
		return nil
	}
	var before minidump.ProcessVmCounters // nothing, when the process began
	span := last.Info.Uptime
	if !p.Single() {
		first := p.Series.First()
		if first.Memory == nil {
			return nil
		}
		before, span = *first.Memory, p.Series.Span()
	}
	if span < time.Second {
		return nil
	}
	var end *poolEnd
	for _, pool := range []struct {
		name   string
		growth uint64
		limit  poolLimit
	}{
		{"paged", grown(before.QuotaPagedPoolUsage, last.Memory.QuotaPagedPoolUsage), pagedLimit(last)},
		{"nonpaged", grown(before.QuotaNonPagedPoolUsage, last.Memory.QuotaNonPagedPoolUsage), nonPagedLimit(last)},
	} {
		if pool.growth < minPoolGrowth || pool.limit.text == "" {
			continue
		}
		perHour := float64(pool.growth) / span.Hours()
		hours := float64(pool.limit.left) / perHour
		if hours <= mostHoursLeft && (end == nil || hours < end.hours) {
			end = &poolEnd{pool.name, perHour, hours, pool.limit.text, p.Single()}
		}
	}
	return end
}

func grown(a, b uint64) uint64 { return b - min(a, b) }

// A poolLimit is how many bytes a pool can still grow, at most, and why.
type poolLimit struct {
	left uint64
	text string // "" if that is not known
}

const (
	mega = 1 << 20
	giga = 1 << 30
)

// pagedLimit and nonPagedLimit are from "Memory Limits for Windows and Windows
// Server Releases", https://learn.microsoft.com/windows/win32/memory/memory-limits-for-windows-releases.
// A 32-bit Windows has fixed ones, of which other processes have their part as
// well. On others the paged pool counts towards the commit limit, and the
// nonpaged pool takes at most three quarters of the memory.
func pagedLimit(s *analysis.Snapshot) poolLimit {
	if limit := limit32(s, [...]uint64{350 * mega, 490 * mega, 530 * mega}); limit > 0 {
		return fixedLimit(limit, s.Memory.QuotaPagedPoolUsage, "paged")
	}
	m := s.Machine
	if m == nil || m.BasicPerfInfo.CommitLimit <= m.BasicPerfInfo.CommittedPages {
		return poolLimit{}
	}
	left := (m.BasicPerfInfo.CommitLimit - m.BasicPerfInfo.CommittedPages) * uint64(m.BasicInfo.PageSize)
	return poolLimit{left, fmt.Sprintf("the commit limit of the machine, towards which it counts and of which %s are left, is reached", words.Bytes(left))}
}

func nonPagedLimit(s *analysis.Snapshot) poolLimit {
	if limit := limit32(s, [...]uint64{256 * mega, 256 * mega, 256 * mega}); limit > 0 {
		return fixedLimit(limit, s.Memory.QuotaNonPagedPoolUsage, "nonpaged")
	}
	m := s.Machine
	if m == nil {
		return poolLimit{}
	}
	most := uint64(m.BasicInfo.NumberOfPhysicalPages) / 4 * 3
	left := grown(uint64(m.PerfInfo.NonPagedPoolPages), most) * uint64(m.BasicInfo.PageSize)
	return poolLimit{left, fmt.Sprintf("the nonpaged pool of the machine, %s by now, reaches three quarters of its memory",
		words.Bytes(uint64(m.PerfInfo.NonPagedPoolPages)*uint64(m.BasicInfo.PageSize)))}
}

func fixedLimit(limit, used uint64, pool string) poolLimit {
	return poolLimit{grown(used, limit), fmt.Sprintf("it reaches the %s that a 32-bit Windows of this version has at most for the %s pool", words.Bytes(limit), pool)}
}

// limit32 is the limit of a pool on a 32-bit Windows, given those of Windows
// 2000, XP and Server 2003; later ones are limited by the kernel's address
// space alone. It is 0 if the system is another one, or is not known.
func limit32(s *analysis.Snapshot, old [3]uint64) uint64 {
	system := s.Info.System
	if system == nil || system.ProcessorArchitecture != minidump.ProcessorX86 || system.PlatformID != minidump.PlatformWindowsNT || s.Info.WOW64 {
		return 0
	}
	switch {
	case system.MajorVersion == 5 && system.MinorVersion <= 2:
		return old[system.MinorVersion]
	case system.MajorVersion >= 6:
		return 2 * giga
	}
	return 0
}
