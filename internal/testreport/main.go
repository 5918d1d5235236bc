// Testreport reads what go test -json writes and prints what a reader needs: a
// line for each package, the output of what failed, and at the end what was
// skipped, and why. Its exit status is 1 if anything failed.
//
//	go test -json ./... | go run ./internal/testreport
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

func main() {
	ok, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// event is a line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// skip is what was skipped in a package for one reason.
type skip struct {
	pkg, test, why string
	times          int
}

// tests is what has been read so far.
type tests struct {
	output   map[string]*strings.Builder // by package and test
	skips    []*skip
	failed   bool
	packages int
}

// report reads events and tells whether everything passed.
func report(from io.Reader, to io.Writer) (bool, error) {
	all := &tests{output: map[string]*strings.Builder{}}
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(to, "%s", line) // of the go command itself
			} else {
				all.add(e, to)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	all.writeSkips(to)
	if all.packages == 0 {
		return false, fmt.Errorf("no package was tested")
	}
	return !all.failed, nil
}

func (a *tests) add(e event, to io.Writer) {
	key := e.Package + e.ImportPath + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		if a.output[key] == nil {
			a.output[key] = &strings.Builder{}
		}
		a.output[key].WriteString(e.Output)
		return
	case "skip":
		if e.Test != "" {
			a.skipped(e, a.text(key))
		}
	case "fail", "build-fail":
		a.failed = true
		if e.Test != "" || e.Action == "build-fail" {
			fmt.Fprint(to, a.text(key))
		}
	}
	if e.Test == "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip") {
		a.packages++
		fmt.Fprint(to, verdicts(a.text(key), e.Action == "fail"))
	}
	if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
		delete(a.output, key)
	}
}

func (a *tests) text(key string) string {
	if b := a.output[key]; b != nil {
		return b.String()
	}
	return ""
}

// verdicts returns the line of a package that tells how it went; of one that failed
// everything it printed.
func verdicts(output string, failed bool) string {
	if failed {
		return output
	}
	var kept strings.Builder
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "?  ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// reason finds what t.Skip was given, behind file and line.
var reason = regexp.MustCompile(`(?m)^ +[\w.]+\.go:\d+: (.*)$`)

func (a *tests) skipped(e event, output string) {
	why := "no reason given"
	if found := reason.FindAllStringSubmatch(output, -1); found != nil {
		why = found[len(found)-1][1]
	}
	for _, s := range a.skips {
		if s.pkg == e.Package && s.why == why {
			s.times++
			return
		}
	}
	a.skips = append(a.skips, &skip{e.Package, e.Test, why, 1})
}

func (a *tests) writeSkips(to io.Writer) {
	if len(a.skips) == 0 {
		fmt.Fprintln(to, "Nothing was skipped.")
		return
	}
	fmt.Fprintln(to, "Skipped:")
	for _, s := range a.skips {
		more := ""
		if s.times > 1 {
			more = fmt.Sprintf(" and %d more", s.times-1)
		}
		fmt.Fprintf(to, "  %s %s%s: %s\n", s.pkg, s.test, more, s.why)
	}
}
