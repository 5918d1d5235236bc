package crosscheck

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
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
	{"6C3-BN-6AP2-9FC-4FC", events, "{loss: ce, optimizer: rmsprop, learning_rate: 0.01}", 6, 3, 2, 2},
	{"4C3-4RBx3-4AP2-6RB-8FC-4FC", events, "{loss: mse, classifier: random}", 4, 3, 4, 1},
	{"2RB-4RB-4RB-5FC-BN-4FC", events, "{loss: mse, classifier: random}", 6, 2, 3, 3},
	{"3C4p2s3-8RB-8AP2-8RB-BN-4FC", image, "{loss: ce}", 4, 5, 2, 2},
}

func (s small) program(t testing.TB, w *network.Workload) *schedule.Program {
	t.Helper()
	p, err := schedule.New(w, s.k, s.n, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	return p
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
			p := s.program(t, w)
			for seed := range uint64(4) {
				in := RandomInput(w, p.Blocks, seed+10*uint64(i))
				v, err := verify(p, hw, in, sim.Options{Untimed: seed > 0, Energy: energy.Default()})
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
				for _, l := range w.Net.Layers {
					inputs := int64(w.Timesteps * w.Batch * l.First().In.Size())
					want, err := units.Ratio(v.Golden[fmt.Sprintf("nonzero_in%d", l.Index)].Int64[0], inputs)
					if got := v.Sim.Measured.Of(l.First().From); err != nil || got != want {
						t.Errorf("density of layer %d's input is %v, want %v", l.Index, got, want)
					}
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

// withoutJoins is a program whose residual blocks forget to add in one step.
type withoutJoins struct {
	*schedule.Cursor
	time int
}

func (w withoutJoins) Next(s *schedule.Step) bool {
	if !w.Cursor.Next(s) {
		return false
	}
	if s.Time == w.time {
		s.Kernels = slices.DeleteFunc(s.Kernels, func(k schedule.Kernel) bool { return k.Op == schedule.Join })
	}
	return true
}

func TestAWrongMachineIsFoundWithItsFirstSpike(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	s := small{"4C3-4RBx2-8FC-4FC", events, "{loss: mse}", 6, 3, 3, 2}
	w := s.open(t)
	p := s.program(t, w)
	in := RandomInput(w, p.Blocks, 1)
	v, err := verify(p, hw, in, sim.Options{Untimed: true, Source: withoutJoins{p.Start(), 4}})
	if err != nil {
		t.Fatal(err)
	}
	if v.Pass || v.FirstSpike == nil {
		t.Fatalf("pass %v, first differing spike %v", v.Pass, v.FirstSpike)
	}
	if got := *v.FirstSpike; got.Step != 4 || !strings.HasPrefix(got.Neuron, "layer 4,") || (got.Golden >= 0.4) == (got.Sim >= 0.4) ||
		math.Abs(math.Abs(got.Golden-0.4)-got.Margin) > 1e-6 {
		t.Errorf("first differing spike: %v; layer 4 is the first to read a sum that step 4 left out", got)
	}
	for _, row := range v.Rows {
		wrong := row.Differing > 0
		switch row.Tensor {
		case "s1", "s2":
			if wrong {
				t.Errorf("%s differs, although nothing before the first addition is wrong", row.Tensor)
			}
		case "s3", "u4", "dw5", "w6", "uc3":
			if !wrong {
				t.Errorf("%s does not differ", row.Tensor)
			}
		}
	}
}

func TestFullyConnectedLayersAddWhatEquations15And16Say(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	for _, classifier := range []string{network.Trainable, network.Random} {
		s := small{"12FC-9FC-7FC-4FC", events, "{loss: mse, classifier: " + classifier + "}", 6, 5, 3, 1}
		w := s.open(t)
		p := s.program(t, w)
		v, err := verify(p, hw, RandomInput(w, p.Blocks, 3), sim.Options{Untimed: true})
		if err != nil {
			t.Fatal(err)
		}
		check, _, err := Equations(v.Sim, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range check.Rows {
			if row.Difference != 0 {
				t.Errorf("%s classifiers: %s: %d, Eq. %s at the measured densities %d", classifier, row.Quantity, row.Simulated, row.Equation, row.Analytic)
			}
		}
	}
}

func TestMeasuredDensitiesAreThoseOfTheInput(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	s := small{"4C3-4AP2-6FC-4FC", events, "{loss: mse}", 4, 3, 2, 2}
	w := s.open(t)
	p := s.program(t, w)
	in := RandomInput(w, p.Blocks, 1)
	nonzero := int64(0)
	for _, x := range in.X {
		if x != 0 {
			nonzero++
		}
	}
	v, err := verify(p, hw, in, sim.Options{Untimed: true})
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := units.Ratio(nonzero, int64(len(in.X))); v.Sim.Measured.Input != want {
		t.Errorf("input density %v, want %v", v.Sim.Measured.Input, want)
	}
	outputs := int64(w.Timesteps * w.Batch * w.Net.Layer(1).Pooled.Size())
	if want, _ := units.Ratio(v.Golden["nonzero_in2"].Int64[0], outputs); v.Sim.Measured.Layers[0] != want {
		t.Errorf("density after layer 1 %v, want %v", v.Sim.Measured.Layers[0], want)
	}
	if a := v.Sim.Measured; a.Classifiers[0] != a.Layers[1] {
		t.Errorf("the classifier's density is %v, its block's last layer's %v", a.Classifiers[0], a.Layers[1])
	}
}

// verify plans and verifies.
func verify(p *schedule.Program, hw *hardware.Hardware, in *tensors.Input, o sim.Options) (*Verification, error) {
	plan, err := sim.NewPlan(p, hw, o.Order, nil)
	if err != nil {
		return nil, err
	}
	return Verify(plan, in, o)
}
