//go:build !unix

package interrupt

import (
	"os"
	"syscall"
)

// ending are the signals that ask a program to end.
var ending = []os.Signal{os.Interrupt, syscall.SIGTERM}

func die(os.Signal) { os.Exit(1) }
