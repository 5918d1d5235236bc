package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/tensors"
)

const vectorFolder = "../../testdata/vectors/"

// runTrain runs the command, its result discarded.
func runTrain(args []string) error {
	c := newTrainCommand()
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	c.SetOut(io.Discard)
	return c.Execute()
}

func TestTrainDumpsTheTensorsOfAVector(t *testing.T) {
	dump := filepath.Join(t.TempDir(), "out.npz")
	err := runTrain([]string{
		"--net", vectorFolder + "conv-local1.yaml", "--k", "3", "--n", "1",
		"--tensors", vectorFolder + "conv-local1.in.npz", "--dump", dump, "--format", "json",
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := tensors.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tensors.ReadFile(vectorFolder + "conv-local1.out.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range want.Names() {
		if tensors.ShapeString(got[name].Shape) != tensors.ShapeString(want[name].Shape) {
			t.Errorf("%s has shape %v, want %v", name, got[name].Shape, want[name].Shape)
		}
	}
}

func TestTrainRefusesBadInput(t *testing.T) {
	damaged := filepath.Join(t.TempDir(), "in.npz")
	if err := os.WriteFile(damaged, []byte("PK"), 0o600); err != nil {
		t.Fatal(err)
	}
	net := []string{"--net", vectorFolder + "fc-bptt.yaml"}
	for name, args := range map[string][]string{
		"no dataset":               {},
		"tensors of another net":   {"--tensors", vectorFolder + "bn-ce.in.npz"},
		"damaged tensors":          {"--tensors", damaged},
		"no such tensors":          {"--tensors", damaged + ".none"},
		"k that does not divide T": {"--k", "4"},
		"n beyond N":               {"--n", "9"},
		"learning rate":            {"--learning-rate", "-1"},
		"epochs":                   {"--epochs", "0"},
		"initial scale":            {"--init-scale", "NaN"},
		"optimizer":                {"--optimizer", "adagrad"},
		"dump without tensors":     {"--dump", damaged},
		"resume from nothing":      {"--dataset", "mnist", "--resume"},
		"no such folder":           {"--dataset", "mnist", "--data", damaged + ".none"},
		"format":                   {"--format", "xml"},
	} {
		if err := runTrain(append(net[:2:2], args...)); !errors.As(err, new(usageError)) {
			t.Errorf("%s: error %v is not the user's to mend (exit status 2)", name, err)
		}
	}
}

// TestTrainRefusesABatchLargerThanTheSet: memory for it would be asked for first.
func TestTrainRefusesABatchLargerThanTheSet(t *testing.T) {
	status, stdout, stderr := commandLine(t, "train", "--net", "lenet1", "--dataset", "mnist", "--batch", "100000000")
	if strings.Contains(stderr, "no network") {
		t.Skip(stderr)
	}
	if status != exitBadInput || stdout != "" || stderr != "accelsim: --batch 100000000; the train set of mnist has 60000 samples\n" {
		t.Errorf("exit %d, %q, %q", status, stdout, stderr)
	}
}
