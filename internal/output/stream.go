package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Stream is standard output. It keeps its first error, so that one that nobody
// looked at is not lost, and writes nothing more after it.
type Stream struct {
	to  io.Writer
	err error
}

// NewStream returns standard output.
func NewStream(to io.Writer) *Stream { return &Stream{to: to} }

// Write implements [io.Writer].
func (s *Stream) Write(text []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	// A reader that has left must not end the program before it has said what
	// else is wrong: with somebody to notify, writing is an error instead.
	notified := make(chan os.Signal, 1)
	signal.Notify(notified, syscall.SIGPIPE)
	defer signal.Stop(notified)
	n, err := s.to.Write(text)
	if err != nil {
		s.err = fmt.Errorf("writing to standard output: %w", bare(err))
	}
	return n, s.err
}

// bare returns an error without the name of the file, "/dev/stdout".
func bare(err error) error {
	if under := new(os.PathError); errors.As(err, &under) {
		return under.Err
	}
	return err
}

// Err returns the first error.
func (s *Stream) Err() error { return s.err }

// Left tells whether the reader has left (head, less): nothing to complain about.
func (s *Stream) Left() bool { return errors.Is(s.err, syscall.EPIPE) }
