// Package input is the one place through which every file is read that a user
// names, and it is where the bounds of those files stand.
//
// A text is read whole and once, so that a pipe serves as well as a file, and
// never beyond [MaxText]: /dev/zero is an error like any other. [Lines] reads a
// text that may be larger, line by line. [Data] opens a file of which parts are
// read by position, so it must be a regular one; its reader checks what the file
// declares before it makes room for it.
//
// A byte order mark before a text is skipped. What a text says may be printed by
// way of [Printable] only.
package input

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// The bounds of a text that is read whole, checked before it is parsed.
const (
	MaxText  = 16 << 20 // bytes
	MaxDepth = 1000     // of mappings and lists within each other
	MaxKeys  = 10_000   // of all mappings together
	MaxMarks = 250_000  // line ends, and marks such as commas and brackets
)

const (
	byteOrderMark = "\ufeff"
	utf16Little   = "\xff\xfe"
	utf16Big      = "\xfe\xff"
)

// Text reads a text file, without its byte order mark. Errors name the file.
func Text(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return TextFrom(f, name)
}

// TextFrom reads a text from r. Errors call it by that name.
func TextFrom(r io.Reader, name string) ([]byte, error) {
	text, err := AtMost(r, name, MaxText)
	if err != nil {
		return nil, err
	}
	return Plain(text, name)
}

// AtMost reads all of r; more than limit bytes are an error, before which no
// more than those are in memory.
func AtMost(r io.Reader, name string, limit int64) ([]byte, error) {
	var all bytes.Buffer
	n, err := all.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case errors.As(err, new(*fs.PathError)): // names the file
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case n > limit:
		return nil, tooLarge(name, limit)
	}
	return all.Bytes(), nil
}

func tooLarge(name string, limit int64) error {
	return fmt.Errorf("%s: is larger than %s; at most that is read", name, size(limit))
}

// Plain returns a text without its byte order mark. What is larger than [MaxText]
// or, as far as a look at its bytes tells, no text in UTF-8 is refused.
func Plain(text []byte, name string) ([]byte, error) {
	if len(text) > MaxText {
		return nil, tooLarge(name, MaxText)
	}
	if bytes.HasPrefix(text, []byte(utf16Little)) || bytes.HasPrefix(text, []byte(utf16Big)) {
		return nil, fmt.Errorf("%s: is text in UTF-16; save it as UTF-8", name)
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return nil, fmt.Errorf("%s:%d: has a zero byte; a text file in UTF-8 is wanted", name, 1+bytes.Count(text[:at], []byte("\n")))
	}
	return text, nil
}

// Data opens a file of which parts are read by position, and returns its size.
// Only a regular file has that; a pipe would be waited for in vain.
func Data(name string) (*os.File, int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: is %s; a regular file is wanted, as parts of it are read by position", name, kind(info.Mode()))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// kind says what a file is that is not a regular one.
func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// size prints bytes in the largest unit that keeps them whole.
func size(bytes int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	for len(units) > 1 && bytes >= 1024 && bytes%1024 == 0 {
		bytes, units = bytes/1024, units[1:]
	}
	return fmt.Sprintf("%d %s", bytes, units[0])
}
