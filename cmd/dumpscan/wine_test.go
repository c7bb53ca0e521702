package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// wineShim is what Wine 8 lacks and Go needs, by the function that it has: the
// documented name of SystemFunction036 is RtlGenRandom.
const wineShim = `#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return RtlGenRandom(data, (ULONG)size); }
`

// TestWine runs the command for Windows under Wine and wants the bytes of Linux.
func TestWine(t *testing.T) {
	if testing.Short() {
		t.Skip("Wine takes long to start")
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("for Linux on amd64")
	}
	for _, program := range []string{"wine", "x86_64-w64-mingw32-gcc", "go"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	env := append(os.Environ(), "WINEPREFIX="+filepath.Join(dir, "prefix"), "WINEDEBUG=-all", "DISPLAY=")
	must := func(env []string, name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	exe := filepath.Join(dir, "dumpscan.exe")
	must(append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0"), "go", "build", "-o", exe, ".")
	must(env, "wine", "wineboot", "-i")
	shim := filepath.Join(dir, "shim.c")
	if err := os.WriteFile(shim, []byte(wineShim), 0o600); err != nil {
		t.Fatal(err)
	}
	must(env, "x86_64-w64-mingw32-gcc", "-shared", "-o", filepath.Join(dir, "prefix/drive_c/windows/system32/bcryptprimitives.dll"), shim, "-ladvapi32")
	t.Cleanup(func() { // the server of Wine stays behind in the folder that is to be removed
		server := exec.Command("wineserver", "-k", "-w")
		server.Env = env
		server.Run()
	})

	t.Chdir("../../testdata")
	for _, command := range []string{
		"handles w3wp.dmp.gz", "handles w3wp.dmp.gz 0 ff", "handles w3wp.dmp.gz --json", "info w3wp.dmp.gz", "modules w3wp.dmp.gz -v", "threads w3wp.dmp.gz",
		"streams w3wp.dmp.gz --json", "htrace w3wp.dmp.gz", "leaks w3wp.dmp.gz", "check w3wp.dmp.gz --max 1", "owners w3wp.dmp.gz", "help leaks", "handles",
	} {
		args := strings.Fields(command)
		var stdout, stderr, wineOut, wineErr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
		cmd := exec.CommandContext(t.Context(), "wine", append([]string{exe}, args...)...)
		cmd.Env, cmd.Stdout, cmd.Stderr = env, &wineOut, &wineErr
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != code || wineOut.String() != stdout.String() || wineErr.String() != stderr.String() {
			t.Errorf("%s: exit code %d, on Linux %d\n%s%s\non Linux:\n%s%s", command, got, code, &wineOut, &wineErr, &stdout, &stderr)
		}
	}
}
