package main

import (
	"bytes"
	"context"
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
	if code != exitInput || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}
