package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	status := execute(append([]string{"hdl"}, args...))
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

func TestRunInFixedPointReportsEveryTensor(t *testing.T) {
	vectors := filepath.Join("..", "..", "testdata", "vectors")
	out := filepath.Join(t.TempDir(), "out")
	run := func(extra ...string) int {
		return execute(append([]string{
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
