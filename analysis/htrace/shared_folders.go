package htrace

import (
	"slices"
	"strings"
)

// sharedFolder decides about modules in those folders below Windows that hold
// the system's code and that of others side by side; ok is false for a path,
// in lower case, that lies in none of them.
func sharedFolder(below string) (system, ok bool) {
	if rest, ok := strings.CutPrefix(below, `winsxs\`); ok {
		return sideBySide(rest), true
	}
	for _, folder := range []string{`assembly\`, `microsoft.net\assembly\`} {
		if rest, ok := strings.CutPrefix(below, folder); ok {
			return frameworkAssembly(rest), true
		}
	}
	if strings.HasPrefix(below, `microsoft.net\`) && strings.Contains(below, `\temporary asp.net files\`) {
		return frameworkAssembly(below), true
	}
	return false, false
}

// microsoftKeys are the public key tokens that Microsoft signs Windows, the
// .NET Framework and the runtimes of Visual C++ with. They are part of the
// folders' names in WinSxS and the global assembly cache.
var microsoftKeys = []string{
	"b77a5c561934e089", "b03f5f7f11d50a3a", "31bf3856ad364e35", // .NET Framework; the last Windows too
	"6595b64144ccf1df", "1fc8b3b9a1e18e3b", // Windows, Visual C++
}

// publicKey returns the first part of a name that looks like a public key
// token: 16 hexadecimal digits between underscores.
func publicKey(name string) string {
	for part := range strings.SplitSeq(name, "_") {
		if len(part) == 16 && strings.Trim(part, "0123456789abcdef") == "" {
			return part
		}
	}
	return ""
}

// sideBySide decides about a path below WinSxS: the first folder is
// "amd64_microsoft.vc90.crt_1fc8b3b9a1e18e3b_9.0.30729.6161_none_…".
func sideBySide(path string) bool {
	folder, _, _ := strings.Cut(strings.TrimPrefix(path, `policies\`), `\`)
	if slices.Contains(microsoftKeys, publicKey(folder)) {
		return true
	}
	_, name, _ := strings.Cut(folder, "_")
	return strings.HasPrefix(name, "microsoft.") || strings.HasPrefix(name, "microsoft-windows-") ||
		strings.HasPrefix(name, "policy.") && strings.Contains(name, ".microsoft.")
}

// frameworkAssembly decides about an assembly by its file's name, and the key
// of its publisher if the path has it, as that of the global assembly cache:
// "gac_msil\system.web\v4.0_4.0.0.0__b03f5f7f11d50a3a\system.web.dll".
func frameworkAssembly(path string) bool {
	folders := strings.Split(path, `\`)
	name := strings.TrimSuffix(stem(folders[len(folders)-1]), ".ni") // a native image
	for _, folder := range folders[:len(folders)-1] {
		if key := publicKey(folder); key != "" && !slices.Contains(microsoftKeys, key) {
			return false
		}
	}
	for _, other := range notFramework {
		if strings.HasPrefix(name, other) {
			return false
		}
	}
	for _, own := range frameworkNames {
		if rest, ok := strings.CutPrefix(name, own); ok && (rest == "" || rest[0] == '.' || own[len(own)-1] == '.') {
			return true
		}
	}
	return false
}

// frameworkNames are the assemblies of the .NET Framework: these, and what
// follows them after a point.
var frameworkNames = [...]string{
	"mscorlib", "netstandard", "system", "windowsbase", "windowsformsintegration", "accessibility", "custommarshalers",
	"presentationbuildtasks", "presentationcore", "presentationframework", "presentationui", "reachframework",
	"uiautomationclient", "uiautomationclientsideproviders", "uiautomationprovider", "uiautomationtypes",
	"smdiagnostics", "smsvchost", "sysglobl", "isymwrapper", "cppcodeprovider", "aspnetmmcext", "compsvcconfig",
	"microsoft.activities.build", "microsoft.build", "microsoft.csharp", "microsoft.internal", "microsoft.jscript",
	"microsoft.transactions.bridge", "microsoft.visualbasic", "microsoft.visualc", "microsoft.vsa",
	"microsoft.windows.applicationserver", "microsoft.workflow", "microsoft.web.administration", "microsoft.web.management",
	"microsoft.data.entity.build.tasks", "microsoft_vsavb", "xamlbuildtask", "xsdbuildtask", "dfsvc",
}

// notFramework are well-known assemblies of others whose names would fit.
var notFramework = [...]string{"system.data.sqlite"}
