package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// TestInterruptedGroups wants no table that covers a part of the handles only.
func TestInterruptedGroups(t *testing.T) {
	d := dumptest.Dump{HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{{Value: 4, Type: "Key"}}}}
	name := filepath.Join(t.TempDir(), "d.dmp")
	if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"handles", name, "--group-by", "type"}, strings.NewReader(""), &stdout, &stderr)
	if code != exitInterrupted || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

// TestInterruptedNames interrupts commands that wait for a symbol server: they
// say so, and print nothing as if there were no names.
func TestInterruptedNames(t *testing.T) {
	t.Parallel()
	const base, frame = 0x140000000, 0x140001010
	d := dumptest.Dump{
		Modules: []dumptest.Module{{
			Base: base, Size: 0x10000, Name: `C:\app.exe`,
			CodeView: dumptest.RSDS{Path: "app.pdb", Age: 1, GUID: [16]byte{1}},
		}},
		Threads:     []dumptest.Thread{{ThreadID: 1}},
		ThreadInfos: &dumptest.ThreadInfoList{Threads: []dumptest.ThreadInfo{{ThreadID: 1, StartAddress: frame}}},
		HandleOperations: &dumptest.HandleOperationList{Operations: []dumptest.HandleOperation{
			{Handle: 4, Type: dumptest.OperationOpen, Stack: []uint64{frame}},
		}},
	}
	name := filepath.Join(t.TempDir(), "d.dmp")
	if err := os.WriteFile(name, d.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"threads", "htrace", "symbols"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			}))
			defer srv.Close()
			var stdout, stderr bytes.Buffer
			args := []string{command, name, "-y", "srv*" + t.TempDir() + "*" + srv.URL}
			code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
			if code != exitInterrupted || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
		})
	}
}
