package input

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxLine bounds a line of a text that is read line by line.
const MaxLine = 1 << 16

// Lines reads a text of any length line by line, the first without a byte order
// mark. It is used as [bufio.Scanner] is.
type Lines struct {
	scanner *bufio.Scanner
	name    string
	line    int
	text    string
}

// NewLines reads lines of r; errors call it by that name.
func NewLines(r io.Reader, name string) *Lines {
	l := &Lines{scanner: bufio.NewScanner(r), name: name}
	l.scanner.Buffer(nil, MaxLine)
	return l
}

// Scan goes to the next line and tells whether there is one.
func (l *Lines) Scan() bool {
	if !l.scanner.Scan() {
		return false
	}
	l.line++
	l.text = l.scanner.Text()
	if l.line == 1 {
		l.text = strings.TrimPrefix(l.text, byteOrderMark)
	}
	return true
}

// Text returns the line without its end.
func (l *Lines) Text() string { return l.text }

// Line returns its number, from 1.
func (l *Lines) Line() int { return l.line }

// Err returns what ended the lines early, with file and line, or nil.
func (l *Lines) Err() error {
	err := l.scanner.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("a line of more than %d bytes; a text file with shorter lines is wanted", MaxLine)
	}
	if err != nil {
		return fmt.Errorf("%s:%d: %w", l.name, l.line+1, err)
	}
	return nil
}
