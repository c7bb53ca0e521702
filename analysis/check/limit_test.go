package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dumpscan/dumpscan/analysis/check"
)

func TestParseLimit(t *testing.T) {
	const (
		count, growth, rate = check.LimitCount, check.LimitGrowth, check.LimitRate
	)
	tests := []struct {
		kind check.LimitKind
		text string
		want check.Limit
		err  string
	}{
		{kind: count, text: "Key=5000", want: check.Limit{Type: "Key", N: 5000}},
		{kind: count, text: "alpc port=0", want: check.Limit{Type: "ALPC Port"}},
		{kind: count, text: "none=5", want: check.Limit{N: 5}},
		{kind: count, text: "IRTimer=5", want: check.Limit{Type: "IRTimer", N: 5}},
		{kind: count, text: "total=20000", want: check.Limit{Scope: check.ScopeTotal, N: 20000}},
		{kind: count, text: "EACH=4294967295", want: check.Limit{Scope: check.ScopeEach, N: 4294967295}},
		{kind: count, text: "500", want: check.Limit{Scope: check.ScopeEach, N: 500}},
		{kind: count, text: `Key:\REGISTRY\MACHINE\*=100`, want: check.Limit{Type: "Key", N: 100}},
		{kind: count, text: `File:re:a=b:c$=1`, want: check.Limit{Type: "File", N: 1}},
		{kind: growth, text: "Event=+100", want: check.Limit{Type: "Event", N: 100}},
		{kind: growth, text: "Event=100", want: check.Limit{Type: "Event", N: 100}},
		{kind: growth, text: "total=+10%", want: check.Limit{Scope: check.ScopeTotal, N: 10, Percent: true}},
		{kind: rate, text: "50/h", want: check.Limit{Scope: check.ScopeEach, N: 50, Per: time.Hour}},
		{kind: rate, text: "Key=1/s", want: check.Limit{Type: "Key", N: 1, Per: time.Second}},
		{kind: rate, text: "Key=2/min", want: check.Limit{Type: "Key", N: 2, Per: time.Minute}},
		{kind: rate, text: "Key=3/d", want: check.Limit{Type: "Key", N: 3, Per: 24 * time.Hour}},

		{kind: count, text: "", err: `"" is not a whole number`},
		{kind: count, text: "Key", err: `"Key" is not a whole number`},
		{kind: count, text: "=5", err: "there is no type"},
		{kind: count, text: "Key=", err: "not a whole number"},
		{kind: count, text: "Key=-1", err: "not a whole number"},
		{kind: count, text: "Key=+1", err: "not a whole number"},
		{kind: count, text: "Key=1.5", err: "not a whole number"},
		{kind: count, text: "Key=4294967296", err: "up to 4294967295"},
		{kind: count, text: "Key=5%", err: "not a whole number"},
		{kind: count, text: "Key:=5", err: "no pattern behind the colon"},
		{kind: count, text: "Key:re:(=5", err: "name pattern"},
		{kind: growth, text: "Key=++5", err: "not a whole number"},
		{kind: growth, text: "Key=5/h", err: "not a whole number"},
		{kind: rate, text: "Key=50", err: "such as 50/h"},
		{kind: rate, text: "Key=50/w", err: `unknown time "w"`},
		{kind: rate, text: "Key=/h", err: "not a whole number"},
	}
	for _, test := range tests {
		t.Run(string(test.kind)+" "+test.text, func(t *testing.T) {
			got, err := check.ParseLimit(test.kind, test.text)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != test.text {
				t.Errorf("String %q", got)
			}
			if hasPattern := strings.Contains(test.text, ":"); hasPattern != (got.Name != nil) {
				t.Errorf("Name %v", got.Name)
			}
			test.want.Kind = test.kind
			ignore := []cmp.Option{cmpopts.IgnoreUnexported(check.Limit{}), cmpopts.IgnoreFields(check.Limit{}, "Name")}
			if diff := cmp.Diff(test.want, got, ignore...); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"Key=5", "Key=+5%", "50/h", `Key:\A\*=1`, "total:re:x=1/min", "each=9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []check.LimitKind{check.LimitCount, check.LimitGrowth, check.LimitRate} {
			l, err := check.ParseLimit(kind, text)
			if err != nil {
				if !cmp.Equal(l, check.Limit{}, cmpopts.IgnoreUnexported(check.Limit{})) {
					t.Errorf("%s %q: a limit beside the error: %+v", kind, text, l)
				}
				continue
			}
			if l.String() != text || l.Kind != kind || (l.Per > 0) != (kind == check.LimitRate) || l.Percent && kind != check.LimitGrowth {
				t.Errorf("%s %q: %+v", kind, text, l)
			}
			// What a limit without a type says can be said with "each".
			if !strings.Contains(text, "=") {
				if again, err := check.ParseLimit(kind, "each="+text); err != nil || again.N != l.N || again.Scope != l.Scope {
					t.Errorf("%s %q differs from each=: %+v, %v", kind, text, again, err)
				}
			}
		}
		if tol, err := check.ParseTolerance(text); err == nil {
			if again, err := check.ParseTolerance(tol.String()); err != nil || again != tol {
				t.Errorf("tolerance %q becomes %q and that %+v, %v", text, tol, again, err)
			}
			if tol.Allowed(1000) < 1000 {
				t.Errorf("tolerance %q allows %d of 1000", text, tol.Allowed(1000))
			}
		}
	})
}

func TestTolerance(t *testing.T) {
	for _, test := range []struct {
		text    string
		of      uint64
		allowed uint64
		err     bool
	}{
		{text: "10%", of: 100, allowed: 110},
		{text: "10%", of: 1, allowed: 2}, // a part of a handle is a handle
		{text: "10%", of: 0, allowed: 0},
		{text: "+20", of: 100, allowed: 120},
		{text: "20", of: 0, allowed: 20},
		{text: "0", of: 7, allowed: 7},
		{text: "10%+20", of: 100, allowed: 130},
		{text: check.DefaultTolerance, of: 6, allowed: 17},
		{text: "", err: true},
		{text: "%", err: true},
		{text: "10%20", err: true},
		{text: "10%+", err: true},
		{text: "-5", err: true},
		{text: "1.5%", err: true},
	} {
		tol, err := check.ParseTolerance(test.text)
		if (err != nil) != test.err {
			t.Errorf("%q: error %v", test.text, err)
		}
		if got := tol.Allowed(test.of); err == nil && got != test.allowed {
			t.Errorf("%q of %d allows %d, want %d", test.text, test.of, got, test.allowed)
		}
	}
}
