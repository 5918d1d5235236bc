//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// pipe returns a named pipe into which text is written once, then again and again
// if it has no end, until the reader leaves.
func pipe(t *testing.T, text string, endless bool) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	go func() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		defer f.Close()
		if endless {
			text = strings.Repeat(text, 1<<14)
		}
		for {
			if _, err := f.WriteString(text); err != nil || !endless {
				return
			}
		}
	}()
	return name
}

// TestPipesAreReadOnce, as `<(...)` of a shell gives them.
func TestPipesAreReadOnce(t *testing.T) {
	const board = "pe: {rows: 8, columns: 8, lanes: 8, clock: 200MHz}\nonchip: {capacity: 2MiB}\ndram: {device: ddr4-2400, channels: 1, ranks: 1}\n"
	for _, c := range []struct{ args, text string }{
		{"run --net $F", validNet},
		{"run --net lenet1 --k 1 --n 1 --hw $F", board},
		{"run --net lenet1 --k 1 --n 1 --activity $F", "input: 0.5\n"},
		{"run --net lenet1 --k 1 --n 1 --energy $F", "pe: {add_fp32: 1 pJ}\n"},
		{"schedule --net $F", validNet},
		{"dram --device ddr4-2400 --trace $F", "0x0 READ 0\n"},
		{"import scalesim $F --classes 3", "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\na, 8, 8, 3, 3, 2, 5, 1,\n"},
	} {
		if status, _, stderr := commandLine(t, strings.Fields(strings.ReplaceAll(c.args, "$F", pipe(t, c.text, false)))...); status != exitDone {
			t.Errorf("%s: exit %d, %s", c.args, status, stderr)
		}
	}
}

// TestPipesWithoutEnd are refused; so are pipes where parts are read by position.
func TestPipesWithoutEnd(t *testing.T) {
	for _, args := range inputFlags(t) {
		if args == "compare $F $F" {
			continue // one pipe cannot be read twice
		}
		line := refused(t, strings.Fields(strings.ReplaceAll(args, "$F", pipe(t, "# comment\n", true)))...)
		switch {
		case strings.Contains(line, "is larger than 16 MiB"):
		case strings.Contains(line, "is a pipe; a regular file is wanted"):
		case strings.Contains(args, "--trace") && strings.Contains(line, "pipe:1: "):
		case strings.Contains(args, "--checkpoint") && strings.Contains(line, "not a checkpoint"):
		default:
			t.Errorf("%s: %s", args, line)
		}
	}
}
