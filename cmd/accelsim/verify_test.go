package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/tensors"
)

// runVerify executes the command and returns what it prints.
func runVerify(args ...string) (string, error) {
	var out bytes.Buffer
	c := newVerifyCommand()
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(io.Discard)
	c.SilenceUsage, c.SilenceErrors = true, true
	err := c.Execute()
	return out.String(), err
}

const vectorFiles = "../../testdata/vectors/"

func vectorArgs(name string, more ...string) []string {
	return append([]string{"--net", vectorFiles + name + ".yaml", "--tensors", vectorFiles + name + ".in.npz"}, more...)
}

func TestVerifyOfAFileIsClean(t *testing.T) {
	dump := filepath.Join(t.TempDir(), "sim.npz")
	out, err := runVerify(vectorArgs("conv-local1", "--k", "3", "--n", "1", "--format", "json", "--dump-sim", dump)...)
	if err != nil {
		t.Fatal(err)
	}
	var r verifyResult
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if !r.Pass || !r.WordsAndMACs || r.Differing != 0 || r.Values == 0 || r.Batch != 6 {
		t.Errorf("%+v", r)
	}
	got, err := tensors.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tensors.ReadFile(vectorFiles + "conv-local1.out.npz")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := strings.Join(got.Names(), " "), strings.Join(want.Names(), " "); a != b {
		t.Errorf("the dump has %s; want %s", a, b)
	}
}

func TestVerifyOfRandomTensorsIsClean(t *testing.T) {
	out, err := runVerify("--net", vectorFiles+"res-bn.yaml", "--k", "2", "--n", "1", "--batch", "3", "--classifier", "random", "--seed", "9")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"random input and weights, seed 9", "equal in every value", "spikes1", "bn3_gain", "up6"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func TestVerifyOfWhatStaysOnChipIsClean(t *testing.T) {
	out, err := runVerify(vectorArgs("conv-local1", "--k", "3", "--n", "1", "--format", "json", "--hw", "zcu102", "--residency", "resident", "--skip-unread")...)
	if err != nil {
		t.Fatal(err)
	}
	var r verifyResult
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if !r.Pass || r.Differing != 0 || r.Saved == 0 || r.WordsAndMACs {
		t.Errorf("%+v", r)
	}
}

func TestVerifyRefusesBadInput(t *testing.T) {
	in, err := tensors.ReadFile(vectorFiles + "fc-bptt.in.npz")
	if err != nil {
		t.Fatal(err)
	}
	write := func(change func(tensors.Set)) string {
		set := tensors.Set{}
		for name, tensor := range in {
			set[name] = tensor
		}
		change(set)
		path := filepath.Join(t.TempDir(), "in.npz")
		if err := set.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := func(path string) []string { return []string{"--net", vectorFiles + "fc-bptt.yaml", "--tensors", path} }
	for _, c := range []struct {
		args  []string
		error string
	}{
		{file(write(func(s tensors.Set) { delete(s, "w2") })), "w2 is missing"},
		{file(write(func(s tensors.Set) { s["w1"] = tensors.Floats(make([]float32, 12), 3, 4) })), "w1 has shape [3,4]; expected [12,32]"},
		{file(write(func(s tensors.Set) {
			w := append([]float32(nil), s["w1"].Float32...)
			w[5] = float32(math.NaN())
			s["w1"] = tensors.Floats(w, s["w1"].Shape...)
		})), "w1: value 5 is NaN"},
		{file("nowhere.npz"), "nowhere.npz"},
		{vectorArgs("fc-bptt", "--traffic", "equations"), "--traffic all"},
		{vectorArgs("fc-bptt", "--data", "."), "--dataset"},
		{vectorArgs("fc-bptt", "--k", "4"), "k = 4 does not divide T = 6"},
		{vectorArgs("fc-bptt", "--batch", "5"), "expected [6,5,2,4,4]"},
		{[]string{"--net", "lenet1", "--dataset", "cifar10", "--data", t.TempDir()}, "cifar10"},
	} {
		_, err := runVerify(c.args...)
		if err == nil || !strings.Contains(err.Error(), c.error) {
			t.Errorf("%v: %v; want an error with %q", c.args, err, c.error)
		} else if !errors.As(err, new(usageError)) {
			t.Errorf("%v: exit status 1; the input is wrong: %v", c.args, err)
		}
	}
}
