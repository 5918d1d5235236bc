package sim_test

import (
	"errors"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

// TestAStoppedRunTakesNoFurtherStep, with time and without.
func TestAStoppedRunTakesNoFurtherStep(t *testing.T) {
	p, err := schedule.New(workload(t, "4C3-6C3-6AP2-12FC-5FC", 600, 2), 10, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	for _, untimed := range []bool{false, true} {
		stop, begun := make(chan struct{}), false
		r, err := sim.Run(p, paper(t), sim.Options{Untimed: untimed, Energy: energy.Default(), Stop: stop, Progress: func(done int64) {
			if done > 0 && !begun {
				close(stop)
				begun = true
			}
			if done > 256 {
				t.Errorf("untimed %v: %d steps", untimed, done)
			}
		}})
		if r != nil || !begun || !errors.Is(err, sim.ErrStopped) {
			t.Errorf("untimed %v: %v", untimed, err)
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
