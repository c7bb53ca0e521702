package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dumpscan/dumpscan/minidump/dumpfile"
)

// A spoolFlag is the option --max-spool of all commands: how many bytes of
// temporary files a run may have, and so each of its inputs.
type spoolFlag struct {
	text  string
	limit *dumpfile.Limit // nil: none
}

func (s *spoolFlag) Set(text string) error {
	n, err := parseSize(text)
	if err != nil {
		return err
	}
	s.text, s.limit = text, dumpfile.NewLimit(n)
	return nil
}

// String is empty for the default, which the usage says.
func (s *spoolFlag) String() string { return s.text }

// Type is the word for a value in the help.
func (s *spoolFlag) Type() string { return "size" }

// parseSize reads a number of bytes, or of KiB, MiB, GiB or TiB.
func parseSize(text string) (int64, error) {
	wrong := errors.New("it is a number of bytes, such as 1000000, 500M or 20G")
	digits := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text), "B"), "I")
	shift := 0
	if n := len(digits); n > 0 {
		if i := strings.IndexByte("KMGT", digits[n-1]); i >= 0 {
			digits, shift = digits[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > (1<<63-1)>>shift {
		return 0, wrong
	}
	return int64(n << shift), nil
}

// truncated is why an input could not be unpacked whole, with what to do about it.
func truncated(file *dumpfile.File) error {
	err := file.Truncated()
	if errors.Is(err, dumpfile.ErrLimit) {
		return fmt.Errorf("%w; --max-spool sets it", err)
	}
	return err
}
