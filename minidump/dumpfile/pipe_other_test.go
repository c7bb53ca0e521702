//go:build !unix

package dumpfile

import "errors"

func mkfifo(string) error { return errors.ErrUnsupported }
