package store

import (
	"fmt"
	"net/url"
	"strings"
)

// Element is one place of a symbol path: a folder or a server.
type Element struct {
	Dir   string // folder or store; "" for a server
	URL   string // http or https server; "" for a folder
	Cache string // store that keeps what this place gives; "" for none
}

// String returns the folder or URL.
func (e Element) String() string {
	if e.URL != "" {
		return e.URL
	}
	return e.Dir
}

// ParsePath splits a symbol path into its places. Caches stand for themselves
// too, before the places they keep files of. defaultCache is the store that an
// element without one uses.
func ParsePath(path, defaultCache string) ([]Element, error) {
	var elements []Element
	cache := "" // of cache*DIR, for all behind it
	for _, text := range strings.Split(path, ";") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		parts := strings.Split(text, "*")
		switch keyword := strings.ToLower(parts[0]); {
		case len(parts) == 1:
			if isURL(text) {
				parts = []string{"", text}
				break
			}
			elements = append(elements, Element{Dir: text, Cache: cache})
			continue
		case keyword == "cache" && len(parts) == 2:
			cache = or(parts[1], defaultCache)
			elements = append(elements, Element{Dir: cache, Cache: cache})
			continue
		case keyword == "symsrv" && len(parts) > 2:
			parts = parts[1:] // the name of a DLL, which is always symsrv.dll
		case keyword == "srv" && len(parts) > 1:
		default:
			return nil, fmt.Errorf("symbol path: %q is neither a folder nor srv*, symsrv* or cache*", text)
		}
		chain, err := parseServer(parts[1:], cache, defaultCache)
		if err != nil {
			return nil, fmt.Errorf("symbol path: %q: %w", text, err)
		}
		elements = append(elements, chain...)
	}
	return elements, nil
}

// parseServer reads what follows srv*: stores, each of which keeps files of
// those behind it, and at the end perhaps a URL.
func parseServer(parts []string, cache, defaultCache string) ([]Element, error) {
	var elements []Element
	for i, part := range parts {
		last := i == len(parts)-1
		if isURL(part) {
			if !last {
				return nil, fmt.Errorf("the server must come last")
			}
			if _, err := url.Parse(part); err != nil {
				return nil, err
			}
			if cache == "" {
				if defaultCache == "" {
					return nil, fmt.Errorf("there is no default cache here; name one as srv*CACHE*URL")
				}
				cache = defaultCache
				elements = append(elements, Element{Dir: cache, Cache: cache})
			}
			elements = append(elements, Element{URL: part, Cache: cache})
			continue
		}
		if strings.Contains(part, "://") {
			return nil, fmt.Errorf("only http and https servers are asked")
		}
		if part == "" {
			part = defaultCache
		}
		if cache == "" {
			cache = part
		}
		elements = append(elements, Element{Dir: part, Cache: cache})
	}
	return elements, nil
}

func isURL(s string) bool {
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
