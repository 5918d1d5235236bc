// Package config reads the files by which users describe things: workloads,
// hardware, energies, densities, grids.
//
// Such a file is one document of YAML 1.2, of which JSON is a part. [Parse] turns
// it into values with their lines, within the bounds of package input, and
// [Document.Decode] puts them into a struct whose tags name the keys:
//
//	type workload struct {
//		Timesteps *float64 `yaml:"timesteps"`
//	}
//
// Scalars are kept as they are written. What they are is YAML 1.2's core schema:
// 010 is ten, 0o10 eight, 0x10 sixteen, and 1_000 is text.
//
// Every error says file, line and key, what is wrong, and what would be accepted.
package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// Kind tells what a value is.
type Kind int

// The kinds of value.
const (
	Null Kind = iota // nothing, null or ~
	Scalar
	Mapping
	Sequence
)

// Node is a value of a document.
type Node struct {
	Kind   Kind
	Line   int
	Text   string // of a scalar: as written, without its quotes
	Quoted bool   // it is text, whatever it looks like
	Pairs  []Pair // of a mapping, in the file's order
	Items  []*Node
}

// Pair is a key of a mapping with its value.
type Pair struct {
	Name  string
	Line  int
	Value *Node
}

// Get returns the value of a mapping's key, nil if it has none.
func (n *Node) Get(name string) *Node {
	for _, p := range n.Pairs {
		if p.Name == name {
			return p.Value
		}
	}
	return nil
}

// Document is a file's content.
type Document struct {
	File string
	Root *Node
}

// Error says what is wrong with a file, and what would be accepted.
type Error struct {
	File string
	Line int    // 0 if it is no line's
	Key  string // "" if it is no key's
	Err  error
}

// Error puts file, line and key before the problem, in one line that can be
// printed whatever the file holds.
func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where += ":" + strconv.Itoa(e.Line)
	}
	if e.Key != "" {
		where += ": " + e.Key
	}
	return input.Printable(where + ": " + e.Err.Error())
}

// Unwrap returns the problem.
func (e *Error) Unwrap() error { return e.Err }

// At is an error about a key that stands on that line.
func (d *Document) At(line int, key, format string, args ...any) error {
	return &Error{File: d.File, Line: line, Key: key, Err: fmt.Errorf(format, args...)}
}

// On is an error about a key, such as "pe.rows" or "layers[1]", whether it is
// there or in a section that is.
func (d *Document) On(key, format string, args ...any) error {
	return d.At(d.line(key), key, format, args...)
}

// line returns the line of a key, or of the innermost section around it that is
// there.
func (d *Document) line(key string) int {
	line, n := 1, d.Root
	for name := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		position, err := strconv.Atoi(name)
		switch {
		case n.Kind == Sequence && err == nil && position >= 0 && position < len(n.Items):
			n = n.Items[position]
			line = n.Line
			continue
		case n.Kind != Mapping:
			return line
		}
		found := false
		for _, p := range n.Pairs {
			if found = p.Name == name; found {
				n, line = p.Value, p.Line
				break
			}
		}
		if !found {
			return line
		}
	}
	return line
}

// join puts a name behind the key of the mapping that it is in.
func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// oneLine keeps a message to the one line that goes to stderr.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
