package htrace

import "strings"

// systemFolders are the folders below Windows that hold the operating system,
// in lower case.
var systemFolders = [...]string{
	`system32\`, `syswow64\`, `sysarm32\`, `sysnative\`, `syschpe32\`,
	`microsoft.net\`, `system\`, `systemapps\`, `immersivecontrolpanel\`, `shellexperiences\`,
	`servicing\`, `uus\`, `ime\`, `apppatch\`,
}

// vendorFolders are folders among them that hold the drivers of others.
var vendorFolders = [...]string{
	`system32\driverstore\filerepository\`, `system32\spool\drivers\`, `system32\spool\prtprocs\`,
}

// runtimePrefixes are the redistributable runtimes of Microsoft, which
// programs bring along.
var runtimePrefixes = [...]string{
	"msvcr", "msvcp", "vcruntime", "ucrtbase", "concrt", "vccorlib", "vcomp", "mfc", "atl", "api-ms-win-", "ext-ms-win-",
}

// runtimeNames are those that a prefix would not tell from others.
var runtimeNames = [...]string{
	"coreclr.dll", "clrjit.dll", "hostfxr.dll", "hostpolicy.dll", "clr.dll", "mscorwks.dll", "mscoree.dll",
	"mscoreei.dll", "system.private.corelib.dll", "mscorlib.ni.dll",
}

// isRuntime reports whether a file name in lower case is that of a runtime:
// one of runtimePrefixes, then digits, letters and points, as in
// "msvcr120_clr0400.dll", "mfc140u.dll", "msvcrt.dll".
func isRuntime(name string) bool {
	for _, n := range runtimeNames {
		if name == n {
			return true
		}
	}
	for _, prefix := range runtimePrefixes {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		switch prefix {
		case "mfc", "atl", "msvcr", "msvcp", "vcomp", "concrt", "vccorlib", "vcruntime":
			// A version must follow: atlas.dll and mfcapp.dll are somebody's own.
			if rest != "" && (rest[0] >= '0' && rest[0] <= '9') || rest == ".dll" || rest == "t.dll" {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// systemNames are modules of Windows that turn up in stacks, for dumps that
// know no paths; without extension, in lower case, separated by white space.
const systemNames = ` ntdll kernel32 kernelbase wow64 wow64win wow64cpu wow64base wow64con verifier vrfcore vfbasics
 vfcompat vfnet vfprint vfluapriv advapi32 sechost rpcrt4 combase ole32 oleaut32 user32 win32u gdi32 gdi32full gdiplus
 imm32 msctf shell32 shlwapi shcore comctl32 comdlg32 uxtheme dwmapi dcomp d2d1 d3d9 d3d10 d3d11 d3d12 dxgi
 dwrite windowscodecs propsys setupapi cfgmgr32 devobj wintrust crypt32 cryptsp cryptbase cryptnet cryptui
 rsaenh bcrypt bcryptprimitives ncrypt ncryptsslp schannel secur32 sspicli security kerberos msv1_0 ntlmshared lsasrv
 lsass samsrv samlib samcli netapi32 netutils wkscli srvcli logoncli dsrole activeds adsldp adsldpc wldap32
 ws2_32 mswsock wshtcpip wship6 wshqos nsi iphlpapi dhcpcsvc dhcpcsvc6 dnsapi rasadhlp rasapi32 rasman rtutils
 winhttp wininet urlmon iertutil webio websocket httpapi winnsi fwpuclnt netprofm npmproxy nlaapi napinsp pnrpnsp
 winrnr mpr drprov ntlanman davclnt msxml3 msxml6 xmllite jscript jscript9 vbscript mshtml ieframe
 userenv profapi gpapi powrprof umpdc winsta wtsapi32 version psapi pdh wevtapi tdh wer faultrep dbghelp dbgcore
 dbgeng imagehlp winmm winmmbase mmdevapi audioses avrt ksuser msacm32 wdmaud avicap32 mf mfplat mfcore
 clbcatq comsvcs es catsrvut mtxclu esent cabinet msi sfc sfc_os msimg32 usp10 lpk normaliz apphelp acgenral
 aclayers sysfer mscms icm32 winspool spoolss localspl win32spl taskschd wbemcomn wbemprox fastprox wmiutils
 wbemsvc wmiclnt vssapi vsstrace virtdisk fltlib netbios ntmarta authz credssp credui wlanapi slc sppc
 w3wp w3core w3tp w3dt w3wphost iisutil iiscore iisres nativerd cachuri cachfile cachtokn cachhttp filter
 isapi static protsup authanon authbas authsspi webengine webengine4 aspnet_isapi asp aspnetca gzip compstat compdyn
 logcust loghttp iisfreb iisreqs modrqflt redirect custerr dirlist defdoc svchost services dllhost explorer
 rundll32 csrss winlogon conhost taskhost taskhostw spoolsv searchindexer wmiprvse runtimebroker ntoskrnl `

// apiModules only pass calls on: a stack of nothing but system modules is
// blamed on the first one that is none of them.
const apiModules = ` ntdll kernel32 kernelbase wow64 wow64win wow64cpu wow64base verifier vrfcore vfbasics vfcompat
 vfnet advapi32 sechost rpcrt4 combase ole32 oleaut32 user32 win32u gdi32 gdi32full imm32 ucrtbase msvcrt shlwapi shcore
 ws2_32 apphelp acgenral aclayers `
