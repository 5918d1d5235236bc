package design_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/sim"
)

func point(t *testing.T, net string, k, n int) design.Point {
	t.Helper()
	w, err := network.Open(net)
	if err != nil {
		t.Fatal(err)
	}
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	return design.Point{Workload: w, Hardware: hw, K: k, N: n, Options: sim.Options{Untimed: true, Energy: energy.Default()}}
}

func TestBaselineIsStandardBPTTWithTheRunsClassifier(t *testing.T) {
	p := point(t, "lenet1", 4, 2)
	p.Workload.Training.Classifier = network.Random
	e, err := design.Evaluate(p)
	if err != nil {
		t.Fatal(err)
	}
	b := e.Baseline
	if b.K != 20 || b.N != 4 || len(b.Blocks) != 1 || b.RanksAdded != 0 {
		t.Errorf("(%d,%d) in %d blocks, %d ranks added", b.K, b.N, len(b.Blocks), b.RanksAdded)
	}
	if b.Words[role.ClassifierWeight] != (sim.Traffic{}) {
		t.Error("the baseline of a random classifier has a trainable one")
	}
	alone, err := design.BPTT(p)
	if err != nil || alone.Counts != b.Counts {
		t.Errorf("the baseline alone: %+v, %v, want %+v", alone, err, b.Counts)
	}
}

// Whatever the rule, a trace for one, which needs k = 1, it is compared with BPTT.
func TestBaselineOfAnyRuleIsBPTT(t *testing.T) {
	p := point(t, "lenet1", 1, 4)
	p.Options.Untimed, p.Help = false, true
	want, err := design.BPTT(p)
	if err != nil {
		t.Fatal(err)
	}
	p.Workload.Training.Rule = network.Rule{OnceAnIteration: true, Trace: network.LeakTrace}
	e, err := design.Evaluate(p)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Check.Pass || e.Baseline.Counts != want.Counts || e.BaselineMemoryWords == 0 {
		t.Errorf("pass %v, baseline %+v, want %+v", e.Check.Pass, e.Baseline.Counts, want.Counts)
	}
}

func TestNoBaseline(t *testing.T) {
	p := point(t, "lenet1", 4, 2)
	p.NoBaseline = true
	if e, err := design.Evaluate(p); err != nil || e.Baseline != nil || !e.Check.Pass {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestProgressCountsBothRuns: up to all steps of the run and its baseline, and
// never back.
func TestProgressCountsBothRuns(t *testing.T) {
	p := point(t, "alexnet", 1, 1)
	var last, steps int64
	p.Progress = func(done, total int64) {
		if done < last || done > total {
			t.Errorf("%d of %d steps after %d", done, total, last)
		}
		last, steps = done, total
	}
	e, err := design.Evaluate(p)
	if err != nil {
		t.Fatal(err)
	}
	if want := e.Run.Steps + e.Baseline.Steps; steps != want || last < want-512 {
		t.Errorf("the last report is %d of %d steps, there are %d", last, steps, want)
	}
}

func TestTooLarge(t *testing.T) {
	p := point(t, "alexnet", 10, 1)
	p.Workload.Batch = 1 << 16
	_, err := design.Evaluate(p)
	var large *design.TooLarge
	if !errors.As(err, &large) || large.Largest < 128 || !errors.As(err, new(*sim.NotFit)) {
		t.Fatalf("%v", err)
	}
	for batch, fits := range map[int]bool{large.Largest: true, large.Largest + 1: false} {
		p.Workload.Batch = batch
		if _, err := design.Evaluate(p); (err == nil) != fits {
			t.Errorf("batch %d: %v", batch, err)
		}
	}
}

func TestTooLargeForAnyBatch(t *testing.T) {
	p := point(t, "lenet1", 1, 1)
	w, err := network.Read([]byte("input: {channels: 1, height: 100, width: 1000, encoding: event}\nlayers: 100000FC-10FC\ntimesteps: 1\n"), "wide.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p.Workload = w
	_, err = design.Evaluate(p)
	if err == nil || !strings.Contains(err.Error(), "wide at batch 128, k = 1, n = 1 needs ") || !strings.HasSuffix(err.Error(), " GB of DRAM, paper has 34.360 GB; no batch fits; choose hardware with more DRAM") {
		t.Error(err)
	}
}

func TestProjectionNeedsADatasetAndTiming(t *testing.T) {
	p := point(t, "lenet1", 4, 2)
	if e, err := design.Evaluate(p); err != nil || e.Projection != nil {
		t.Errorf("untimed: %+v, %v", e.Projection, err)
	}
	p.Options.Untimed = false
	e, err := design.Evaluate(p)
	if err != nil || e.Projection == nil || e.Projection.Iterations != 882 || e.Projection.SecondsPerEpoch != 882*e.Run.Timing.Seconds {
		t.Errorf("timed: %+v, %v", e.Projection, err)
	}
	p.Workload.Samples = 0
	if e, err := design.Evaluate(p); err != nil || e.Projection != nil {
		t.Errorf("no dataset: %+v, %v", e.Projection, err)
	}
}
