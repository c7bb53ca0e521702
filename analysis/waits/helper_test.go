package waits

import "fmt"

func describe(w *Wait) string { return fmt.Sprintf("%d: %s %s", w.ThreadID, w.Function, w) }

func describeChains(chains []Chain) (list []string) {
	for _, c := range chains {
		s := c.String()
		if c.Closed {
			s = "closed: " + s
		}
		list = append(list, s)
	}
	return list
}
