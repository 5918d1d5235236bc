package crosscheck

import (
	"fmt"
	"testing"

	"accelsim/energy"
	"accelsim/hardware"
	"accelsim/network"
	"accelsim/sim"
)

// small is a workload for exact comparison.
type small struct {
	layers, input, training string
	timesteps, batch, k, n  int
}

func (s small) open(t testing.TB) *network.Workload {
	t.Helper()
	text := fmt.Sprintf("input: %s\nlayers: %s\ntimesteps: %d\nbatch: %d\ntraining: %s\n"+
		"neuron: {leak: 0.8, reset: 0.3, threshold: 0.4, surrogate_width: 0.9}\n",
		s.input, s.layers, s.timesteps, s.batch, s.training)
	w, err := network.Read([]byte(text), "small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

const (
	events = "{channels: 2, height: 9, width: 7, encoding: event}"
	image  = "{channels: 3, height: 8, width: 9, encoding: direct}"
)

var smalls = []small{
	{"5C3p1s2-9FC-4FC", events, "{loss: mse}", 4, 3, 2, 1},
	{"6C3-6AP2-7C3-7AP2-11FC-4FC", events, "{loss: ce, momentum: 0}", 6, 3, 3, 3},
	{"6C5p2-6AP3-9FCx3-4FC", image, "{loss: mse, optimizer: adam, learning_rate: 0.01}", 4, 2, 1, 2},
	{"4C3-BN-4RBx2-BN-6RB-BN-AdaptiveAP-4FC", events, "{loss: ce, optimizer: adam, learning_rate: 0.01}", 4, 3, 2, 20},
	{"4C3-4RBx3-4AP2-6RB-8FC-4FC", events, "{loss: mse, classifier: random}", 4, 3, 4, 1},
	{"2RB-4RB-4RB-5FC-BN-4FC", events, "{loss: mse, classifier: random}", 6, 2, 3, 3},
	{"3C4p2s3-8RB-8AP2-8RB-BN-4FC", image, "{loss: ce}", 4, 5, 2, 2},
}

func (s small) whole(w *network.Workload) small {
	s.n = min(s.n, w.Net.N())
	return s
}

func TestMachineAndTrainerComputeTheSameBits(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range smalls {
		t.Run(s.layers, func(t *testing.T) {
			w := s.open(t)
			s = s.whole(w)
			blocks, err := w.Net.Blocks(s.n)
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(4) {
				in := RandomInput(w, blocks, seed+10*uint64(i))
				v, err := Verify(w, s.k, s.n, hw, in, sim.Options{Untimed: seed > 0, Energy: energy.Default()})
				if err != nil {
					t.Fatal(err)
				}
				if v.FirstSpike != nil {
					t.Errorf("first differing spike: %v", v.FirstSpike)
				}
				for _, row := range v.Rows {
					if row.Differing > 0 {
						t.Errorf("%s: %d of %d values differ, by up to %g of %g", row.Tensor, row.Differing, row.Values, row.Difference, row.Magnitude)
					}
				}
				if !v.Pass && !t.Failed() {
					t.Error("no pass, and no reason why")
				}
				if v.Golden["spikes1"].Int64[0] == 0 {
					t.Error("layer 1 never fires")
				}
				check, _, err := Equations(v.Sim, true)
				if err != nil {
					t.Fatal(err)
				}
				if !check.Pass {
					t.Errorf("words or MACs differ from Eqs. 11-17: %+v", check.Rows)
				}
			}
		})
	}
}
