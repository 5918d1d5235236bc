package sim

import (
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/vectortest"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
)

// vector is a case of testdata/vectors: gradients from automatic
// differentiation, independent of Eqs. 4 to 7.
type vector struct {
	vectortest.Case
	workload *network.Workload
	program  *schedule.Program
	in       *tensors.Input
}

func vectorNames(t testing.TB) []string { return vectortest.Paper(t) }

func readVector(t testing.TB, name string) vector {
	t.Helper()
	c := vectortest.Read(t, name)
	p, err := schedule.New(c.Workload, c.K, c.N, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	return vector{Case: c, workload: c.Workload, program: p, in: c.Input(t)}
}

func paperHardware(t testing.TB) *hardware.Hardware {
	t.Helper()
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	return hw
}

func testEnergy(t testing.TB) energy.Table {
	t.Helper()
	return energy.Default()
}

func (v vector) run(t testing.TB, o Options) *Result {
	t.Helper()
	o.Tensors = v.in
	r, err := Run(v.program, paperHardware(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNumbersOutOfTheMachineAreThoseOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range vectorNames(t) {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			v.Hold(t, v.run(t, Options{Untimed: true}).Tensors)
		})
	}
}
