package sim_test

import (
	"errors"
	"testing"

	"accelsim/energy"
	"accelsim/schedule"
	"accelsim/sim"
)

// TestAStoppedRunTakesNoFurtherStep, with time and without.
func TestAStoppedRunTakesNoFurtherStep(t *testing.T) {
	p, err := schedule.New(workload(t, "4C3-6C3-6AP2-12FC-5FC", 600, 2), 10, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	for _, untimed := range []bool{false, true} {
		stop, reports := make(chan struct{}), 0
		r, err := sim.Run(p, paper(t), sim.Options{Untimed: untimed, Energy: energy.Default(), Stop: stop, Progress: func(int64) {
			if reports++; reports == 2 { // the first is of no step at all, or of 256
				close(stop)
			}
		}})
		if r != nil || !errors.Is(err, sim.ErrStopped) || reports > 2 {
			t.Errorf("untimed %v: %v, %d reports of progress", untimed, err, reports)
		}
	}
}

func TestARunThatIsNotStoppedEnds(t *testing.T) {
	p, err := schedule.New(workload(t, "4C3-6C3-5FC", 4, 2), 2, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Run(p, paper(t), sim.Options{Energy: energy.Default(), Stop: make(chan struct{})}); err != nil {
		t.Error(err)
	}
}
