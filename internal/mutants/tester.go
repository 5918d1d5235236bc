package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// verdict is what the tests say of a mutant.
type verdict int

const (
	survived verdict = iota // tests pass
	killed                  // a test fails
	broken                  // it does not compile, or tests do not start
)

// outcome is a verdict and what it was based on.
type outcome struct {
	verdict verdict
	by      string // the first test that failed
	output  string // of go test
}

// tester runs go test at a module's root.
type tester struct {
	root    string
	timeout time.Duration // of one package's tests
	short   bool
}

// passes runs tests on the program as it is.
func (t *tester) passes(ctx context.Context, tests []string) error {
	out, err := t.run(ctx, "", tests)
	if err != nil {
		return fmt.Errorf("tests that fail without a mutant: go test %s: %w\n%s", strings.Join(tests, " "), err, out)
	}
	if noTests.MatchString(out) {
		return fmt.Errorf("go test %s runs no tests", strings.Join(tests, " "))
	}
	return nil
}

// try runs a mutant's tests on the program with its wrong line. Files are left
// alone: go test is told to read another one instead.
func (t *tester) try(ctx context.Context, m *mutant) (outcome, error) {
	path := filepath.Join(t.root, filepath.FromSlash(m.file))
	text, err := os.ReadFile(path)
	if err != nil {
		return outcome{}, fmt.Errorf("%s: %w", m.where(), err)
	}
	mutated, err := m.apply(string(text))
	if err != nil {
		return outcome{}, err
	}
	folder, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(folder)
	instead := filepath.Join(folder, filepath.Base(path))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: instead}})
	if err != nil {
		return outcome{}, err
	}
	list := filepath.Join(folder, "overlay.json")
	if err := errors.Join(os.WriteFile(instead, []byte(mutated), 0o600), os.WriteFile(list, overlay, 0o600)); err != nil {
		return outcome{}, err
	}

	out, err := t.run(ctx, list, m.tests)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return outcome{}, ctx.Err()
	case err == nil:
		return outcome{verdict: survived, output: out}, nil
	case !errors.As(err, &exit):
		return outcome{}, err
	case notBuilt.MatchString(out):
		return outcome{verdict: broken, output: out}, nil
	}
	by := "a test that does not end, or a crash"
	if first := failed.FindStringSubmatch(out); first != nil {
		by = first[1]
	}
	return outcome{verdict: killed, by: by, output: out}, nil
}

var (
	failed   = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	noTests  = regexp.MustCompile(`\[no tests? (files|to run)\]`)
	notBuilt = regexp.MustCompile(`\[(build|setup) failed\]`)
)

func (t *tester) run(ctx context.Context, overlay string, tests []string) (output string, err error) {
	args := []string{"test", "-vet=off", "-failfast", "-timeout", t.timeout.String()}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	if t.short {
		args = append(args, "-short")
	}
	cmd := exec.CommandContext(ctx, "go", slices.Concat(args, tests)...)
	cmd.Dir = t.root
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go test ends its children
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}
