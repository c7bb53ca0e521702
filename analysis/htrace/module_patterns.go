package htrace

import (
	"strings"

	"github.com/dumpscan/dumpscan/analysis"
)

// modulePatterns are the user's --system and --not-system.
type modulePatterns struct{ system, notSystem []modulePattern }

type modulePattern struct {
	pattern *analysis.NamePattern
	exact   string // without wildcards: a name with or without extension, or a path
}

func parseModulePatterns(system, notSystem []string) (modulePatterns, error) {
	var p modulePatterns
	for _, list := range []struct {
		texts []string
		to    *[]modulePattern
	}{{system, &p.system}, {notSystem, &p.notSystem}} {
		for _, text := range list.texts {
			m := modulePattern{exact: text}
			if strings.ContainsAny(text, "*?") || strings.HasPrefix(text, "re:") {
				var err error
				if m.pattern, err = analysis.ParseNamePattern(text); err != nil {
					return p, err
				}
			}
			*list.to = append(*list.to, m)
		}
	}
	return p, nil
}

// match returns what the patterns say about a module; ok is false if they say
// nothing.
func (p *modulePatterns) match(path string) (system, ok bool) {
	for _, m := range p.notSystem {
		if m.matches(path) {
			return false, true
		}
	}
	for _, m := range p.system {
		if m.matches(path) {
			return true, true
		}
	}
	return false, false
}

func (m *modulePattern) matches(path string) bool {
	name := analysis.BaseName(path)
	if m.pattern != nil {
		return m.pattern.Match(path) || m.pattern.Match(name)
	}
	return strings.EqualFold(m.exact, path) || strings.EqualFold(m.exact, name) || strings.EqualFold(m.exact, stem(name))
}
