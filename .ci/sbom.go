// Command sbom writes what the binaries of a release are made of:
//
//	go run .ci/sbom.go DIR BINARY...
//
// DIR/sbom.cdx.json is a bill of materials (CycloneDX 1.5,
// https://cyclonedx.org/docs/1.5/json/), and DIR/licences.txt lists the licences
// with their texts, as most of them demand of those who pass binaries on. Both
// come from what the Go toolchain recorded in the binaries and from the module
// cache, have no time and no path in them, and so are the same for equal binaries.
package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

type component struct {
	Type     string    `json:"type"`
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	PURL     string    `json:"purl"`
	Licenses []license `json:"licenses"`

	// Properties has the sum of go.sum, which is of the module and of no file.
	Properties []property `json:"properties,omitempty"`

	text string // of the licence
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type license struct {
	Expression string `json:"expression"` // of SPDX
}

type bom struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []*component `json:"components"`
	Dependencies []depends    `json:"dependencies"`
}

type metadata struct {
	Component *component `json:"component"`
}

type depends struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("sbom: ")
	if len(os.Args) < 3 {
		log.Fatal("usage: go run .ci/sbom.go DIR BINARY...")
	}
	if err := write(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func write(dir string, binaries []string) error {
	program, parts, err := read(binaries)
	if err != nil {
		return err
	}
	all := slices.SortedFunc(maps.Values(parts), func(a, b *component) int { return cmp.Compare(a.Ref, b.Ref) })
	b := bom{Format: "CycloneDX", SpecVersion: "1.5", Version: 1, Metadata: metadata{program}, Components: all}
	on := depends{Ref: program.Ref}
	for _, c := range all {
		on.On = append(on.On, c.Ref)
	}
	b.Dependencies = append(b.Dependencies, on)
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "sbom.cdx.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	var list, texts bytes.Buffer
	for _, c := range append([]*component{program}, all...) {
		fmt.Fprintf(&list, "%-36s %s %s\n", c.Licenses[0].Expression, c.Name, c.Version)
		fmt.Fprintf(&texts, "\n%s\n%s %s\n\n%s", strings.Repeat("=", 72), c.Name, c.Version, c.text)
	}
	return os.WriteFile(filepath.Join(dir, "licences.txt"), append(list.Bytes(), texts.Bytes()...), 0o644)
}

// read returns the program, and what any of its binaries is made of. Some
// modules are in the binaries for some systems only.
func read(binaries []string) (program *component, parts map[string]*component, err error) {
	parts = map[string]*component{}
	for _, name := range binaries {
		info, err := buildinfo.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		version := cmp.Or(info.Main.Version, "(devel)")
		if program, err = describe("application", info.Main.Path, version, "", "."); err != nil {
			return nil, nil, err
		}
		root, err := output("go", "env", "GOROOT")
		if err != nil {
			return nil, nil, err
		}
		library, err := describe("library", "std", strings.TrimPrefix(info.GoVersion, "go"), "", root)
		if err != nil {
			return nil, nil, err
		}
		parts[library.Ref] = library
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			if _, ok := parts[purl(m.Path, m.Version)]; ok {
				continue
			}
			dir, err := output("go", "list", "-m", "-f", "{{.Dir}}", m.Path)
			if err != nil {
				return nil, nil, err
			}
			c, err := describe("library", m.Path, m.Version, m.Sum, dir)
			if err != nil {
				return nil, nil, err
			}
			parts[c.Ref] = c
		}
	}
	return program, parts, nil
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

func purl(path, version string) string { return "pkg:golang/" + path + "@" + version }

// describe makes a component of the module in dir.
func describe(kind, path, version, sum, dir string) (*component, error) {
	expression, text, err := licence(dir)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", path, version, err)
	}
	c := &component{Type: kind, Ref: purl(path, version), Name: path, Version: version, PURL: purl(path, version), Licenses: []license{{expression}}, text: text}
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c, nil
}

// licence returns the SPDX expression of a module's licence and its text: parts of
// a module may have licences of their own, all in one file. What it does not know
// is an error: someone has to read it.
func licence(dir string) (expression, text string, err error) {
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", "", err
		}
		words := strings.Join(strings.Fields(string(data)), " ")
		var ids []string
		for _, known := range []struct{ id, mark string }{
			{"Apache-2.0", "Apache License Version 2.0, January 2004"},
			{"BSD-3-Clause", "may be used to endorse or promote products derived from this software without specific prior written permission"},
			{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
		} {
			if strings.Contains(words, known.mark) {
				ids = append(ids, known.id)
			}
		}
		if len(ids) == 0 {
			return "", "", fmt.Errorf("%s is no licence that .ci/sbom.go knows", name)
		}
		return strings.Join(ids, " AND "), string(data), nil
	}
	return "", "", fmt.Errorf("no licence in %s", dir)
}
