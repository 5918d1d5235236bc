package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/hdl"
)

// hdlFails runs `accelsim hdl` and returns what it says and its status.
func hdlFails(t *testing.T, args ...string) (string, int) {
	t.Helper()
	old := os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	status := execute(t.Context(), append([]string{"hdl"}, args...))
	os.Stderr = old
	w.Close()
	text := make([]byte, 1<<16)
	n, _ := r.Read(text) // at most a line; none is an error that the caller sees
	return string(text[:n]), status
}

func TestHDLRefusesBadInput(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "notes"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	fresh := func() string { return filepath.Join(t.TempDir(), "out") }
	base := []string{"--net", "lenet1", "--k", "4", "--n", "2", "--vectors", "4"}
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no folder", nil, "--out is missing"},
		{"folder in use", []string{"--out", full}, "not empty; name another folder, or give --force"},
		{"too few integer bits", []string{"--out", fresh(), "--datapath", "q1.15"}, "cannot hold 1/a = 2"},
		{"too few fraction bits", []string{"--out", fresh(), "--datapath", "q14.2"}, "it would become 1"},
		{"no format", []string{"--out", fresh(), "--datapath", "16"}, "write for example q4.12"},
		{"memory too small", []string{"--out", fresh(), "--batch", "300000"}, "the address map of lenet1"},
		{"board", []string{"--out", fresh(), "--board", "de10"}, "there are zcu102"},
		{"vectors", []string{"--out", fresh(), "--vectors", "0"}, "write 1 to 1000000"},
	} {
		text, status := hdlFails(t, append(append([]string{}, base...), c.args...)...)
		if status != exitBadInput || !strings.Contains(text, c.says) {
			t.Errorf("%s: status %d, %q; want it to say %q", c.name, status, text, c.says)
		}
	}
	t.Setenv("PATH", t.TempDir())
	text, status := hdlFails(t, append(append([]string{}, base...), "--out", fresh(), "--test")...)
	if status != exitBadInput || !strings.Contains(text, "apt-get install iverilog") {
		t.Errorf("without tools: status %d, %q", status, text)
	}
}

// hdlReportOf runs `accelsim hdl` to its report.
func hdlReportOf(t *testing.T, args ...string) (r hdlReport, status int) {
	t.Helper()
	status, out, _ := commandLine(t, append([]string{"hdl", "--format", "json", "--vectors", "4", "--out", filepath.Join(t.TempDir(), "out")}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r, status
}

func TestHDLNamesTheUnitsThatAreMissing(t *testing.T) {
	r, status := hdlReportOf(t, "--net", "resnet18", "--k", "1", "--n", "1", "--datapath", "q6.12")
	want := []string{"controller and buffers", "batch norm", "residual joins", "pooling", "cross entropy", "Adam"}
	if status != exitDone || !slices.Equal(r.Missing, want) || r.Emitted != "array only (accelsim_array)" || r.Activity != nil {
		t.Errorf("status %d, emitted %q, missing %q; want %q", status, r.Emitted, r.Missing, want)
	}
}

// A block in whose test no weight moves would pass with any backward pass.
func TestHDLTestOfABlockThatLearnsNothingFails(t *testing.T) {
	for _, tool := range []string{"iverilog", "verilator"} {
		if err := hdl.FindTool(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	for _, c := range []struct {
		rate   string
		moves  bool
		status int
	}{{"0.1", true, exitDone}, {"1e-9", false, exitFailed}} {
		net := filepath.Join(dir, "net.yaml")
		text := "input: {channels: 3, height: 2, width: 2, encoding: event}\nlayers: 5FC-3FC\ntimesteps: 6\nbatch: 3\ntraining: {learning_rate: " + c.rate + "}\n"
		if err := os.WriteFile(net, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r, status := hdlReportOf(t, "--net", net, "--hw", filepath.Join("..", "..", "hdl", "testdata", "small.yaml"), "--k", "3", "--n", "1",
			"--datapath", "w=q2.14,u=q4.12,e=q4.12,g=q6.10", "--test")
		if a := r.Activity; status != c.status || a == nil || a.Weights != 75 || a.Moved > 0 != c.moves || len(r.Missing) > 0 {
			t.Errorf("learning rate %s: status %d, %+v, missing %q", c.rate, status, a, r.Missing)
		}
	}
}

func TestRunInFixedPointReportsEveryTensor(t *testing.T) {
	vectors := filepath.Join("..", "..", "testdata", "vectors")
	out := filepath.Join(t.TempDir(), "out")
	run := func(extra ...string) int {
		return execute(t.Context(), append([]string{
			"run", "--net", filepath.Join(vectors, "fc-bptt.yaml"), "--format", "json", "--out", out,
		}, extra...))
	}
	in := filepath.Join(vectors, "fc-bptt.in.npz")
	if status := run("--tensors", in, "--datapath", "q4.12"); status != exitDone {
		t.Fatalf("status %d", status)
	}
	text, err := os.ReadFile(filepath.Join(out, "accuracy.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range []string{"dw1_i1", "dwc1_i1", "w1", "wc1", "u1", "uc1", "spikes1"} {
		if !strings.Contains(string(text), `"`+tensor+`"`) {
			t.Errorf("%s is not in %s", tensor, text)
		}
	}
	if status := run("--datapath", "q4.12"); status != exitBadInput {
		t.Errorf("--datapath without --tensors: status %d", status)
	}
	if status := run("--tensors", in, "--datapath", "q14.2"); status != exitBadInput {
		t.Errorf("a format that does not hold the parameters: status %d", status)
	}
}
