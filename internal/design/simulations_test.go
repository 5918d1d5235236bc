package design

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/sim"
)

// onCPUs calls f with 1, 2 and 4 CPUs.
func onCPUs(t *testing.T, f func()) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, n := range []int{1, 2, 4} {
		runtime.GOMAXPROCS(n)
		f()
	}
}

func TestResultDoesNotDependOnCPUs(t *testing.T) {
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = 4
	hw, err := hardware.Open("edge-lpddr4")
	if err != nil {
		t.Fatal(err)
	}
	var first *Evaluation
	onCPUs(t, func() {
		e, err := Evaluate(Point{Workload: w, Hardware: hw, K: 10, N: 2, Options: sim.Options{Energy: energy.Default()}, Help: true})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = e
		}
		if !reflect.DeepEqual(e, first) {
			t.Errorf("with %d CPUs\n%+v, with one\n%+v", runtime.GOMAXPROCS(0), e, first)
		}
	})
}

// TestFirstSimulationsErrorIsReported even if another one's comes sooner.
func TestFirstSimulationsErrorIsReported(t *testing.T) {
	refuse := func(i int) simulation {
		return simulation{1, func(sim.Options) error {
			time.Sleep(time.Duration(3-i) * 10 * time.Millisecond)
			return fmt.Errorf("simulation %d", i)
		}}
	}
	fine := simulation{1, func(sim.Options) error { return nil }}
	onCPUs(t, func() {
		err := simulations{fine, refuse(1), refuse(2), refuse(3)}.run(Point{})
		if err == nil || err.Error() != "simulation 1" {
			t.Errorf("with %d CPUs: %v", runtime.GOMAXPROCS(0), err)
		}
	})
}

// TestNothingBeginsAfterAFailure: an error is not kept waiting.
func TestNothingBeginsAfterAFailure(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	bad := errors.New("bad")
	s := simulations{
		{1, func(sim.Options) error { return bad }},
		{1, func(sim.Options) error { t.Error("begun"); return nil }},
	}
	if err := s.run(Point{}); !errors.Is(err, bad) {
		t.Error(err)
	}
}

// TestProgressIsTheSumOfAllSimulations and ends with all their steps.
func TestProgressIsTheSumOfAllSimulations(t *testing.T) {
	counting := func(steps int64) simulation {
		return simulation{steps, func(o sim.Options) error {
			for i := range steps - 1 { // the last report is left to run
				o.Progress(i)
			}
			return nil
		}}
	}
	onCPUs(t, func() {
		var seen []int64
		p := Point{Progress: func(done, total int64) {
			if total != 600 {
				t.Errorf("%d steps of all, want 600", total)
			}
			seen = append(seen, done)
		}}
		if err := (simulations{counting(100), counting(200), counting(300)}).run(p); err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(seen) || seen[len(seen)-1] != 600 {
			t.Errorf("with %d CPUs progress goes back, or ends at %d", runtime.GOMAXPROCS(0), seen[len(seen)-1])
		}
	})
}

// TestAStoppedPointBeginsNothing more.
func TestAStoppedPointBeginsNothing(t *testing.T) {
	stop := make(chan struct{})
	s := simulations{
		{1, func(sim.Options) error { close(stop); return nil }},
		{1, func(sim.Options) error { t.Error("begun"); return nil }},
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if err := s.run(Point{Options: sim.Options{Stop: stop}}); !errors.Is(err, sim.ErrStopped) {
		t.Error(err)
	}
}
