package owners

import (
	"fmt"
	"testing"

	"github.com/dumpscan/dumpscan/analysis/internal/clr"
)

// led is a group of objects at 1, 2, …, that lead to so many.
func led(assembly, name string, leads, objects int) *holderGroup {
	g := &holderGroup{class: &clr.Class{Name: name, Module: assembly + ".dll", Assembly: assembly}}
	for n := range leads {
		g.links = append(g.links, link{from: uint64(n), n: n})
	}
	for n := range objects {
		g.objects = append(g.objects, uint64(n+1))
	}
	return g
}

// Which of those that refer to a hundred objects is followed.
func TestGoOn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		groups []*holderGroup
		want   string // the group, how many of its objects are to be followed, the keeper
	}{
		{"none", nil, "nothing, 0, "},
		{"one of .NET", []*holderGroup{led("System", "FileStream", 90, 90)}, "FileStream, 90, "},
		{"one of a program", []*holderGroup{led("orders", "Entry", 90, 90)}, "Entry, 0, Entry"},
		{"too few", []*holderGroup{led("orders", "Entry", 9, 9)}, "nothing, 0, "},
		{"a program's before .NET's", []*holderGroup{led("System", "FileStream", 90, 90), led("orders", "Entry", 45, 45)}, "Entry, 0, Entry"},
		{"a program's few", []*holderGroup{led("System", "FileStream", 90, 90), led("orders", "Entry", 44, 44)}, "FileStream, 90, "},
		{"back to what was passed", []*holderGroup{led("System", "Node", 49, 49)}, "nothing, 0, "},
		{"the head of a list", []*holderGroup{led("System", "Node", 99, 99), led("System", "List", 1, 1)}, "List, 1, "},
		{"one object that is no head", []*holderGroup{led("System", "Node", 40, 40), led("System", "List", 1, 1)}, "nothing, 0, "},
		{"more than is followed", []*holderGroup{led("System", "FileStream", 90, 9000)}, fmt.Sprintf("FileStream, %d, ", workers*maxPlaces)},
	}
	for _, tt := range tests {
		c := &claim{seen: []string{"Node"}}
		name := "nothing"
		if g := c.goOn(tt.groups, 100); g != nil {
			name = g.class.Name
		}
		if got := fmt.Sprintf("%s, %d, %s", name, len(c.frontier), c.Keeper); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
