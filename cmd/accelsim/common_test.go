package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// vectorFile is a file of the vectors that the numbers are held to.
func vectorFile(name string) string { return filepath.Join("..", "..", "testdata", "vectors", name) }

// TestCommonFlagsThatChangeNothingSaySo: every common flag of a command that
// simulates something is accepted; one line on stderr for each that has no effect.
func TestCommonFlagsThatChangeNothingSaySo(t *testing.T) {
	small := "--net " + vectorFile("conv-local1.yaml") + " --k 3 --n 1"
	values := " --tensors " + vectorFile("conv-local1.in.npz")
	for _, c := range []struct{ args, want string }{
		{"run " + small + " --timing off --seed 7 --activity 0.2", "--seed changes nothing in run: nothing is drawn at random\n"},
		{"run " + small + values + " --activity 0.2", "--activity changes nothing in run with --tensors: densities are those of the tensors\n"},
		{"train " + small + values + " --seed 7", "--seed changes nothing in train with --tensors: nothing is drawn at random\n"},
		{"train " + small + values + " --activity 0.2", "--activity changes nothing in train: densities are measured; --activity-out writes them\n"},
		{"train " + small + values + " --hw zcu102", "--hw changes nothing in train: a golden trainer has no machine\n"},
		{"train " + small + values + " --timing off", "--timing changes nothing in train: a golden trainer has no machine\n"},
		{"train " + small + values + " --traffic equations", "--traffic changes nothing in train: a golden trainer has no machine\n"},
		{"verify " + small + " --activity 0.2 --seed 3", "--activity changes nothing in verify: densities are those of the tensors\n"},
		{"verify " + small + values + " --seed 3", "--seed changes nothing in verify with --tensors: nothing is drawn at random\n"},
		{"schedule " + small + " --activity 0.2", "--activity changes nothing in schedule: operations are listed, not counted\n"},
		{"schedule " + small + " --hw zcu102", "--hw changes nothing in schedule: a schedule is listed, not executed\n"},
		{"schedule " + small + " --timing off", "--timing changes nothing in schedule: a schedule is listed, not executed\n"},
		{"schedule " + small + " --seed 2", "--seed changes nothing in schedule: nothing is drawn at random\n"},
		{"sweep " + small + " --timing off --seed 2", "--seed changes nothing in sweep: nothing is drawn at random\n"},
		{"dram --device ddr4-2400 --requests 100 --pattern random --seed 2", ""},
		{"dram --device ddr4-2400 --seed 2 --trace " + tempFile(t, "t.trc", "0x40 READ 3\n"), "--seed changes nothing in dram with --trace: nothing is drawn at random\n"},
		{"hdl " + small + " --vectors 10 --activity 0.2 --out " + t.TempDir(), "--activity changes nothing in hdl: Verilog is written for any spikes\n"},
		{"hdl " + small + " --vectors 10 --timing off --out " + t.TempDir(), "--timing changes nothing in hdl: Verilog is written for any spikes\n"},
		{"hdl " + small + " --vectors 10 --traffic equations --out " + t.TempDir(), "--traffic changes nothing in hdl: Verilog is written for any spikes\n"},
		{"figures --only 13 --seed 2 --out " + t.TempDir(), "--seed changes nothing in figures: nothing is drawn at random\n"},
		{"figures --only 13 --timing off --out " + t.TempDir(), "--timing changes nothing in figures: what the figures show is simulated\n"},
		{"run " + small + " --perfetto-steps 9", "--perfetto-steps changes nothing in run without --perfetto: it says how many steps that file has\n"},
		{"run " + small + " --dram-trace-requests 9", "--dram-trace-requests changes nothing in run without --dram-trace: it says how many requests that file has\n"},
		{"sweep " + small + " --cpus 2", "--cpus changes nothing in sweep without --emit: it is for job scripts; --workers is for this machine\n"},
		{"figures --only 13 --traffic all --out " + t.TempDir(), "--traffic changes nothing in figures: an idealised and a real machine are simulated\n"},
	} {
		status, _, stderr := commandLine(t, strings.Fields(c.args)...)
		var warnings string
		for line := range strings.Lines(stderr) {
			if text, ok := strings.CutPrefix(line, "accelsim: warning: "); ok {
				warnings += text
			}
		}
		if status != exitDone || warnings != c.want {
			t.Errorf("%s: exit %d\n got %swant %s", c.args, status, stderr, c.want)
		}
	}
}

// TestFlagsThatChangeNothingAreChecked: a value that no command takes is refused,
// and then nothing else is said.
func TestFlagsThatChangeNothingAreChecked(t *testing.T) {
	for args, want := range map[string]string{
		"train --net lenet1 --hw zcu":               "no hardware \"zcu\"; there is alveo-u280",
		"hdl --net lenet1 --timing maybe --out x":   "--timing \"maybe\"; write on or off",
		"schedule --net lenet1 --seed -1":           "--seed \"-1\"; write a whole number from 0",
		"schedule --net lenet1 --k 3 --seed 1":      "k = 3 does not divide",
		"train --net lenet1 --traffic x --seed 1":   "--traffic \"x\"; write all or equations",
		"train --net lenet1 --activity 2 --seed 12": "--activity: density \"2\" is outside 0..1",
	} {
		status, stdout, stderr := commandLine(t, strings.Fields(args)...)
		if status != exitBadInput || stdout != "" || !strings.HasPrefix(stderr, "accelsim: "+want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, %q", args, status, stderr)
		}
	}
}

// TestEmptyValuesAreRefused: an unset variable of a script must not run something else.
func TestEmptyValuesAreRefused(t *testing.T) {
	for _, flag := range []string{
		"run --out", "run --tensors", "run --energy", "run --perfetto", "run --hw", "train --data",
		"figures --only", "sweep --set", "sweep --k", "hdl --board", "dram --mapping",
	} {
		name, option, _ := strings.Cut(flag, " ")
		status, stdout, stderr := commandLine(t, name, option, "")
		if status != exitBadInput || stdout != "" || !strings.HasPrefix(stderr, "accelsim: "+option+" is empty; leave it out, or write ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s \"\": exit %d, %q", flag, status, stderr)
		}
	}
}

// TestVerifyRefusesWhatTheMemoryCannotHold before it makes tensors of that size.
func TestVerifyRefusesWhatTheMemoryCannotHold(t *testing.T) {
	status, stdout, stderr := commandLine(t, "verify", "--net", "lenet1", "--batch", "100000000")
	if status != exitBadInput || stdout != "" || !strings.Contains(stderr, "bytes") {
		t.Errorf("exit %d, %s", status, stderr)
	}
}

// TestResultsRecordTheSeed: wherever one is given, whether or not anything is drawn.
func TestResultsRecordTheSeed(t *testing.T) {
	small := "--net " + vectorFile("conv-local1.yaml") + " --k 3 --n 1 --seed 7 --format json"
	for args, key := range map[string]string{
		"run --timing off " + small: "provenance.seed",
		"verify " + small:           "seed",
		"train " + small + " --tensors " + vectorFile("conv-local1.in.npz"):              "seed",
		"hdl " + small + " --vectors 10 --out " + t.TempDir():                            "seed",
		"dram --device ddr4-2400 --requests 100 --pattern random --seed 7 --format json": "seed",
	} {
		status, stdout, stderr := commandLine(t, strings.Fields(args)...)
		if status != exitDone {
			t.Fatalf("%s: exit %d, %s", args, status, stderr)
		}
		if got := fieldOf(t, stdout, key); got != "7" {
			t.Errorf("%s: %s is %q", args, key, got)
		}
	}
}

// fieldOf returns a number at a path of keys of a JSON object.
func fieldOf(t *testing.T, text, path string) string {
	t.Helper()
	number, ok := valueAt(decodeText(t, text), path).(interface{ String() string })
	if !ok {
		return ""
	}
	return number.String()
}
