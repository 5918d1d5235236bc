package dataset

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// FileError says where a file is not what it should be.
type FileError struct {
	Path   string
	Offset int64 // the byte, or -1 with a Line
	Line   int   // of a text file, counted from 1
	Err    error
}

func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: byte %d: %v", e.Path, e.Offset, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }

func atByte(path string, offset int64, format string, args ...any) error {
	return &FileError{Path: path, Offset: offset, Err: fmt.Errorf(format, args...)}
}

func atLine(path string, line int, format string, args ...any) error {
	return &FileError{Path: path, Offset: -1, Line: line, Err: fmt.Errorf(format, args...)}
}

// short says that a file ends at a byte, before what should be there, or that
// it could not be read.
func short(path string, offset int64, err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return atByte(path, offset, "the file ends within %s: %w", what, io.ErrUnexpectedEOF)
	}
	return atByte(path, offset, "%s: %w", what, err)
}

// folder returns the first of dir and the folders in it that has the file.
func folder(dir, file string, within ...string) (string, error) {
	if dir == "" {
		return "", fmt.Errorf("where is it? Give --data DIR, the folder that has %s in it", file)
	}
	tried := append([]string{"."}, within...)
	for _, sub := range tried {
		if exists(filepath.Join(dir, sub, file)) {
			return filepath.Join(dir, sub), nil
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	if len(within) > 0 {
		return "", fmt.Errorf("--data %s: no %s there, nor in %s", dir, file, strings.Join(within, ", "))
	}
	return "", fmt.Errorf("--data %s: no %s there", dir, file)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
