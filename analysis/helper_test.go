package analysis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/dumpscan/dumpscan/analysis"
	"github.com/dumpscan/dumpscan/analysis/internal/testdump"
	"github.com/dumpscan/dumpscan/minidump"
	"github.com/dumpscan/dumpscan/minidump/dumptest"
)

// listOf returns the handles of a synthetic dump.
func listOf(t testing.TB, d dumptest.Dump) *analysis.HandleList {
	t.Helper()
	return listIn(t, testdump.Make(t, d))
}

func listIn(t testing.TB, f *minidump.File) *analysis.HandleList {
	t.Helper()
	l, err := analysis.ReadHandles(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// handles is a dump of just these handles.
func handles(list ...dumptest.Handle) dumptest.Dump {
	return dumptest.Dump{HandleData: &dumptest.HandleData{Handles: append([]dumptest.Handle{}, list...)}}
}

// some is a dump of n keys.
func some(n int) dumptest.Dump {
	return dumptest.Dump{HandleData: &dumptest.HandleData{
		Each: dumptest.GenerateHandles(n, func(i int) dumptest.Handle {
			return dumptest.Handle{Value: uint64(i+1) * 4, Type: "Key", GrantedAccess: 0x20019}
		}),
	}}
}

// canceled is the context of a command that was interrupted.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func check(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}
