package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A grid without a point that can be simulated is a mistake, said before any work.
func TestSweepRefusesAGridOfRefusedPoints(t *testing.T) {
	for args, want := range map[string]string{
		"--k 3":   "k = 3 does not divide T = 20; k may be 1, 2, 4, 5, 10, 20",
		"--k 3,7": "none of 2 points can be simulated; the first: k = 3 does not divide",
	} {
		status, stdout, stderr := commandLine(t, append([]string{"sweep", "--net", "lenet1"}, strings.Fields(args)...)...)
		if status != 2 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d, %s%s", args, status, stdout, stderr)
		}
	}
}

func TestRunRefusesABillionSteps(t *testing.T) {
	status, stdout, stderr := commandLine(t, "run", "--net", "lenet1", "--timesteps", "1000000000", "--k", "1", "--timing", "off")
	if status != 2 || stdout != "" || !strings.Contains(stderr, "steps; up to 1000000000 are simulated: give fewer --timesteps") {
		t.Errorf("%d, %s%s", status, stdout, stderr)
	}
}

// A seed changes nothing where nothing is drawn, and is in the output all the same.
func TestSeedsAreRecorded(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args, want string
		in         string // a file, or "" for standard output
	}{
		{"sweep --net lenet1 --k 20 --n 4 --batch 1 --timing off --format json", `"provenance": {"seed": 7}`, ""},
		{"schedule --net lenet1 --k 4 --n 2 --format json", `"seed": 7`, ""},
		{"figures --only 9 --out " + dir, "The seed 7 was given", filepath.Join(dir, "index.md")},
	} {
		for _, seed := range []string{"", " --seed 7"} {
			status, out, stderr := commandLine(t, strings.Fields(c.args+seed)...)
			if c.in != "" {
				text, err := os.ReadFile(c.in)
				if err != nil {
					t.Fatal(err)
				}
				out = string(text)
			}
			if status != 0 || strings.Contains(out, c.want) != (seed != "") {
				t.Errorf("%s%s: %d, %s%.500s", c.args, seed, status, stderr, out)
			}
		}
	}
}

// A sweep warns of what run warns of.
func TestSweepWarnsOfNotations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "net.yaml")
	if err := os.WriteFile(file, []byte("input: {channels: 2, height: 8, width: 8, encoding: event}\nlayers: 8C1x3-4FC\ntimesteps: 2\nbatch: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := commandLine(t, "sweep", "--net", file, "--k", "1,2", "--timing", "off")
	if status != 0 || strings.Count(stderr, "warning: ") != 1 || !strings.Contains(stderr, "8C1x3") {
		t.Errorf("%d, %s", status, stderr)
	}
}

// What an older design left, a new one takes away: a block's testbench, where the
// controller does not execute the new workload. What is the user's stays.
func TestHDLTakesAwayOlderFiles(t *testing.T) {
	dir := t.TempDir()
	net := filepath.Join(t.TempDir(), "block.yaml")
	if err := os.WriteFile(net, []byte("input: {channels: 3, height: 2, width: 2, encoding: event}\nlayers: 5FC-3FC\ntimesteps: 6\nbatch: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	board := filepath.Join(t.TempDir(), "board.yaml")
	if err := os.WriteFile(board, []byte("pe: {rows: 2, columns: 3, lanes: 4, pipeline: 6, clock: 100MHz}\nonchip: {capacity: 64KiB}\ndram: {device: ddr4-2400, channels: 1, ranks: 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	succeed(t, "hdl", "--net", net, "--hw", board, "--k", "2", "--n", "1", "--out", dir, "--vectors", "10")
	block, own := filepath.Join(dir, "vectors", "block.hex"), filepath.Join(dir, "notes.txt")
	if _, err := os.Stat(block); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	succeed(t, "hdl", "--net", "lenet1", "--out", dir, "--vectors", "10", "--force")
	if _, err := os.Stat(block); err == nil {
		t.Error("the older design's block.hex is still there")
	}
	if _, err := os.Stat(own); err != nil {
		t.Error(err)
	}
}
