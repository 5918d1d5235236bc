//go:build unix

package interrupt

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// ending are the signals that ask a program to end.
var ending = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// die ends the program by a signal, so that whoever started it knows of it.
func die(s os.Signal) {
	const patience = time.Second
	signal.Reset(s)
	if number, ok := s.(syscall.Signal); ok && syscall.Kill(os.Getpid(), number) == nil {
		time.Sleep(patience) // for the signal to arrive
	}
	os.Exit(1)
}
