package analysis

import (
	"cmp"
	"strings"

	"github.com/dumpscan/dumpscan/minidump"
)

// A windowsRelease is what a build of Windows is called.
type windowsRelease struct{ client, server string }

// windowsReleases has the builds that were released, by version. Builds up to
// 6.3 are named by Microsoft's page "Operating System Version"
// (learn.microsoft.com/windows/win32/sysinfo/operating-system-version), those
// of 10.0 by its pages "Windows 10 release information", "Windows 11 release
// information" and "Windows Server release information"
// (learn.microsoft.com/windows/release-health). "" is a build that was not
// released for such machines.
var windowsReleases = map[[3]uint32]windowsRelease{
	{5, 0, 2195}:   {"Windows 2000", "Windows 2000 Server"},
	{5, 1, 2600}:   {"Windows XP", ""},
	{5, 2, 3790}:   {"Windows XP x64", "Windows Server 2003"},
	{6, 0, 6000}:   {"Windows Vista", ""},
	{6, 0, 6001}:   {"Windows Vista SP1", "Windows Server 2008"},
	{6, 0, 6002}:   {"Windows Vista SP2", "Windows Server 2008 SP2"},
	{6, 0, 6003}:   {"Windows Vista SP2", "Windows Server 2008 SP2"},
	{6, 1, 7600}:   {"Windows 7", "Windows Server 2008 R2"},
	{6, 1, 7601}:   {"Windows 7 SP1", "Windows Server 2008 R2 SP1"},
	{6, 2, 9200}:   {"Windows 8", "Windows Server 2012"},
	{6, 3, 9600}:   {"Windows 8.1", "Windows Server 2012 R2"},
	{10, 0, 10240}: {"Windows 10 1507", ""},
	{10, 0, 10586}: {"Windows 10 1511", ""},
	{10, 0, 14393}: {"Windows 10 1607", "Windows Server 2016"},
	{10, 0, 15063}: {"Windows 10 1703", ""},
	{10, 0, 16299}: {"Windows 10 1709", "Windows Server 1709"},
	{10, 0, 17134}: {"Windows 10 1803", "Windows Server 1803"},
	{10, 0, 17763}: {"Windows 10 1809", "Windows Server 2019"},
	{10, 0, 18362}: {"Windows 10 1903", "Windows Server 1903"},
	{10, 0, 18363}: {"Windows 10 1909", "Windows Server 1909"},
	{10, 0, 19041}: {"Windows 10 2004", "Windows Server 2004"},
	{10, 0, 19042}: {"Windows 10 20H2", "Windows Server 20H2"},
	{10, 0, 19043}: {"Windows 10 21H1", ""},
	{10, 0, 19044}: {"Windows 10 21H2", ""},
	{10, 0, 19045}: {"Windows 10 22H2", ""},
	{10, 0, 20348}: {"", "Windows Server 2022"},
	{10, 0, 22000}: {"Windows 11 21H2", ""},
	{10, 0, 22621}: {"Windows 11 22H2", ""},
	{10, 0, 22631}: {"Windows 11 23H2", ""},
	{10, 0, 25398}: {"", "Windows Server 23H2"},
	{10, 0, 26100}: {"Windows 11 24H2", "Windows Server 2025"},
	{10, 0, 26200}: {"Windows 11 25H2", ""},
}

// WindowsName returns what a system is called, "Windows 7 SP1", or "" if that
// is not known: another system, or a build that was never released.
func WindowsName(s *minidump.SystemInfo) string {
	if s == nil || s.PlatformID != minidump.PlatformWindowsNT {
		return ""
	}
	r := windowsReleases[[3]uint32{s.MajorVersion, s.MinorVersion, s.BuildNumber}]
	name := r.client
	switch s.ProductType {
	case minidump.ProductServer, minidump.ProductDomainController:
		name = r.server
	case minidump.ProductWorkstation:
	default:
		// Breakpad does not say it for Windows: a build of both has no name then.
		if r.client != "" && r.server != "" {
			return ""
		}
		name = cmp.Or(r.client, r.server)
	}
	if name == "" {
		return ""
	}
	if pack, ok := strings.CutPrefix(s.CSDVersion, "Service Pack "); ok && !strings.Contains(name, " SP") {
		name += " SP" + pack
	}
	return name
}
