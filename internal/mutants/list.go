package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one wrong line: a fact about the program that its tests must state.
type mutant struct {
	list  string // the file that it stands in, and its line there
	line  int
	title string
	file  string   // of the program, from the module's root
	tests []string // arguments of go test
	old   string   // a line of the file, without the blanks around it
	wrong string   // what stands in its place
	// equivalent says why no test can tell the wrong line from the right one.
	equivalent string

	hasOld, hasWrong bool
}

// where names the place that a mutant is written down at.
func (m *mutant) where() string { return fmt.Sprintf("%s:%d", m.list, m.line) }

// readLists reads all lists of a folder, by name.
func readLists(folder string) (all []mutant, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		list, err := parse(filepath.Base(f), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// parse reads a list. A mutant is a title and the lines below it:
//
//	## package: what the wrong line does
//	file: package/file.go
//	tests: ./package -run TestThatStatesTheFact
//	- 	the right line
//	+ 	the wrong line
//
// and, where the two are the same, "equivalent: why". Other lines that are not
// empty start with "//".
func parse(name, text string) (list []mutant, err error) {
	var m *mutant
	line := 0
	fail := func(format string, args ...any) ([]mutant, error) {
		return nil, fmt.Errorf("%s:%d: %s", name, line, fmt.Sprintf(format, args...))
	}
	for raw := range strings.Lines(text) {
		line++
		raw = strings.TrimSpace(raw)
		if raw == "" || strings.HasPrefix(raw, "//") {
			continue
		}
		if title, ok := strings.CutPrefix(raw, "## "); ok {
			list = append(list, mutant{list: name, line: line, title: title})
			m = &list[len(list)-1]
			continue
		}
		if m == nil {
			return fail("a mutant starts with \"## title\"")
		}
		key, value, _ := strings.Cut(raw, " ")
		value = strings.TrimSpace(value)
		switch key {
		case "file:":
			m.file = value
		case "tests:":
			m.tests = strings.Fields(value)
		case "equivalent:":
			m.equivalent = value
		case "-":
			if m.hasOld {
				return fail("a second \"-\" line; a mutant is one line")
			}
			m.old, m.hasOld = value, true
		case "+":
			if m.hasWrong {
				return fail("a second \"+\" line; a mutant is one line")
			}
			m.wrong, m.hasWrong = value, true
		default:
			return fail("%q is none of file:, tests:, equivalent:, -, +", key)
		}
	}
	for i := range list {
		m := &list[i]
		if m.file == "" || len(m.tests) == 0 || m.old == "" || !m.hasWrong {
			return nil, fmt.Errorf("%s: needs file:, tests:, a \"-\" line that is not empty and a \"+\" line", m.where())
		}
	}
	return list, nil
}

// apply returns the file's text with the wrong line in place of the right one,
// which must be there once.
func (m *mutant) apply(text string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	at, found := 0, 0
	for i, l := range lines {
		if words(l) == words(m.old) { // a table's columns may have moved
			at = i
			found++
		}
	}
	switch {
	case found != 1:
		return "", fmt.Errorf("%s: %s has %d lines %q; one is wanted", m.where(), m.file, found, m.old)
	case m.wrong == m.old:
		return "", fmt.Errorf("%s: the \"+\" line is the \"-\" line", m.where())
	}
	lines[at] = lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], "\t "))] + m.wrong + "\n"
	return strings.Join(lines, ""), nil
}

// words is a line with one blank wherever it has several.
func words(line string) string { return strings.Join(strings.Fields(line), " ") }
