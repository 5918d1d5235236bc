package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/tensors"
)

const (
	vectorFolder = "../../testdata/vectors/"
	tinyMNIST    = "../../dataset/testdata/mnist"
)

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
		"weights of another net":   {"--net", "lenet1", "--dataset", "mnist", "--data", tinyMNIST, "--batch", "8", "--weights", vectorFolder + "bn-ce.in.npz"},
		"no such weights":          {"--net", "lenet1", "--dataset", "mnist", "--data", tinyMNIST, "--batch", "8", "--weights", damaged + ".none"},
		"weights and tensors":      {"--tensors", vectorFolder + "fc-bptt.in.npz", "--weights", damaged},
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

// TestTrainingStartsFromWeights: with so small a learning rate that nothing changes,
// what was trained before comes out, whatever the seed; what the file has not is drawn
// and said.
func TestTrainingStartsFromWeights(t *testing.T) {
	net := filepath.Join(t.TempDir(), "net.yaml")
	text := "dataset: mnist\ninput: {channels: 1, height: 28, width: 28, encoding: direct}\ntimesteps: 2\nlayers:\n" +
		"  - {conv: {out: 4, kernel: 5, stride: 4, bias: true}}\n  - {inputs: [{fc: {out: 8}}, {from: self, delay: 1, fc: {}}]}\n  - {fc: {out: 10}}\n" +
		"training: {classifier_bias: true, readout: potential, rule: {feedback: direct}}\n"
	if err := os.WriteFile(net, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	train := func(out string, args ...string) tensors.Set {
		t.Helper()
		all := append([]string{"train", "--net", net, "--data", tinyMNIST, "--batch", "4", "--weights-out", out}, args...)
		if status, _, stderr := commandLine(t, all...); status != exitDone {
			t.Fatalf("exit %d: %s", status, stderr)
		}
		set, err := tensors.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	first := filepath.Join(t.TempDir(), "first.npz")
	trained := train(first)
	if fmt.Sprint(trained.Names()) != "[b1 bc1 fb1 w1 w2_1 w2_2 wc1]" {
		t.Fatal(trained.Names())
	}
	again := train(filepath.Join(t.TempDir(), "again.npz"), "--weights", first, "--seed", "7", "--learning-rate", "1e-30")
	for _, name := range trained.Names() {
		if !slices.Equal(again[name].Float32, trained[name].Float32) {
			t.Errorf("%s is not what it was", name)
		}
	}
	delete(trained, "w2_2")
	if err := trained.WriteFile(first); err != nil {
		t.Fatal(err)
	}
	_, _, stderr := commandLine(t, "train", "--net", net, "--data", tinyMNIST, "--batch", "4", "--weights", first)
	if !strings.Contains(stderr, "has no w2_2; --seed draws them") {
		t.Error(stderr)
	}
}

// TestTrainingTakesTheFilesBatch: Table 1's is for those who give none.
func TestTrainingTakesTheFilesBatch(t *testing.T) {
	text := "dataset: mnist\ninput: {channels: 1, height: 28, width: 28, encoding: direct}\ntimesteps: 2\nlayers: 4FC-10FC\n"
	for want, c := range map[string]struct {
		text string
		args []string
	}{
		"batch 4,":    {text + "batch: 4\n", nil},
		"batch 1024,": {text, nil},
		"batch 2,":    {text + "batch: 4\n", []string{"--batch", "2"}},
	} {
		net := filepath.Join(t.TempDir(), "net.yaml")
		if err := os.WriteFile(net, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := commandLine(t, append([]string{"train", "--net", net, "--data", tinyMNIST}, c.args...)...)
		if status != exitDone || !strings.Contains(stdout, want) {
			t.Errorf("want %s: exit %d, %s%s", want, status, stdout, stderr)
		}
	}
	if _, stdout, _ := commandLine(t, "train", "--net", "lenet1", "--dataset", "mnist", "--data", tinyMNIST, "--timesteps", "2"); !strings.Contains(stdout, "batch 1024,") {
		t.Error(stdout)
	}
}
