// Mutants tries wrong lines of the program, one at a time, and reports those
// that its tests let through.
//
// The lists of wrong lines are in testdata, one for each package. For every line
// the tests that it names run on a program in which it stands in place of the
// right one; the source tree is not touched. Status 1: a mutant survived, or did
// not compile. A mutant that nothing can tell from the program says so, and why,
// in a line "equivalent: why".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	only := flag.String("run", "", "only mutants whose `list/title` matches, a regular expression")
	long := flag.Bool("long", false, "tests without -short")
	timeout := flag.Duration("timeout", 2*time.Minute, "for the tests of a package; what takes longer is killed")
	verbose := flag.Bool("v", false, "what go test printed of those that survive or do not compile")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	good, err := try(ctx, *only, *verbose, tester{timeout: *timeout, short: !*long})
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
	if err != nil || !good {
		os.Exit(1)
	}
}

// try tries all mutants that match and reports whether tests kill them.
func try(ctx context.Context, only string, verbose bool, t tester) (good bool, err error) {
	match, err := regexp.Compile(only)
	if err != nil {
		return false, fmt.Errorf("-run: %w", err)
	}
	if t.root, err = moduleRoot(); err != nil {
		return false, err
	}
	list, err := readLists(filepath.Join(t.root, "internal", "mutants", "testdata"))
	if err != nil {
		return false, err
	}
	var chosen []*mutant
	for i := range list {
		if m := &list[i]; match.MatchString(m.list + "/" + m.title) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return false, fmt.Errorf("no mutant matches %q", only)
	}
	if err := baseline(ctx, t, chosen); err != nil {
		return false, err
	}
	var total tally
	for i, m := range chosen {
		fmt.Fprintf(os.Stderr, "%d of %d: %s\n", i+1, len(chosen), m.title)
		start := time.Now()
		o, err := t.try(ctx, m)
		if err != nil {
			return false, err
		}
		total.report(m, o, time.Since(start))
		if verbose && o.verdict != killed {
			fmt.Println(o.output)
		}
	}
	return total.summary(), nil
}

// baseline runs the tests of all mutants on the program as it is.
func baseline(ctx context.Context, t tester, list []*mutant) error {
	seen := map[string]bool{}
	for _, m := range list {
		tests := strings.Join(m.tests, " ")
		if seen[tests] {
			continue
		}
		seen[tests] = true
		fmt.Fprintf(os.Stderr, "without a mutant: go test %s\n", tests)
		if err := t.passes(ctx, m.tests); err != nil {
			return fmt.Errorf("%s: %w", m.where(), err)
		}
	}
	return nil
}

// tally counts what became of mutants.
type tally struct{ killed, equivalent, bad int }

// report prints a mutant's line.
func (n *tally) report(m *mutant, o outcome, took time.Duration) {
	word, note := "", ""
	switch {
	case o.verdict == broken:
		word, note = "BROKEN", "does not compile: "+m.where()
		n.bad++
	case o.verdict == killed && m.equivalent != "":
		word, note = "KILLED", "but said to be equivalent: "+m.where()
		n.bad++
	case o.verdict == killed:
		word, note = "killed", "by "+o.by
		n.killed++
	case m.equivalent != "":
		word, note = "equivalent", m.equivalent
		n.equivalent++
	default:
		word, note = "SURVIVED", m.where()
		n.bad++
	}
	fmt.Printf("%-10s %s (%s, %.1f s)\n", word, m.title, note, took.Seconds())
}

// summary prints the sums and reports whether all is well.
func (n *tally) summary() bool {
	fmt.Printf("%d mutants: %d killed, %d equivalent, %d survived or broken\n",
		n.killed+n.equivalent+n.bad, n.killed, n.equivalent, n.bad)
	return n.bad == 0
}

// moduleRoot returns the folder of the module's go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", errors.New("not inside the module; run it from there")
	}
	return filepath.Dir(mod), nil
}
