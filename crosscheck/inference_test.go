package crosscheck

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/vectortest"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

// forwardOnly is a random network without batch norm, whose rule learns nothing.
func forwardOnly(t *testing.T, seed uint64) (w *network.Workload, k, n int, text string) {
	w, k, n, text = drawGeneral(t, seed)
	if slices.ContainsFunc(w.Net.Layers, func(l network.Layer) bool { return l.BatchNorm }) {
		return nil, 0, 0, ""
	}
	w.Training.Rule = network.Rule{Inference: true}
	return w, k, n, text
}

// An inference moves and executes the forward half of the equations and nothing else;
// the spikes of every neuron at every step are the plain trainer's, whatever stays on
// chip, however steps are cut and however many PE groups work.
func TestInferenceIsTheForwardHalf(t *testing.T) {
	paper, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	chip, err := hardware.Open("zcu102")
	if err != nil {
		t.Fatal(err)
	}
	cases, pipelined, spiking := 0, 0, 0
	for seed := range generalCases() / 3 {
		w, k, n, text := forwardOnly(t, seed)
		if w == nil {
			continue
		}
		cases++
		p, err := schedule.New(w, k, n, schedule.All)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		in := RandomInput(w, p.Blocks, seed)
		in.Y = nil
		_, small, err := narrow(t, rand.New(rand.NewPCG(seed, 5)), paper, p, sim.Residency{}, schedule.Sequential)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		for _, way := range []struct {
			hw        *hardware.Hardware
			residency sim.Residency
			order     schedule.Order
		}{
			{hw: paper},
			{hw: chip},
			{hw: small},
			{hw: chip, residency: sim.Residency{Resident: true, SkipUnread: true}},
			{hw: paper, order: schedule.Pipelined},
		} {
			plan, err := way.residency.Plan(p, way.hw, way.order, nil)
			if errors.Is(err, sim.ErrAcross) {
				continue
			}
			if err != nil {
				t.Fatalf("seed %d, %+v: %v\n%s", seed, way, err, text)
			}
			if way.order == schedule.Pipelined && len(p.Blocks) > 1 {
				pipelined++
			}
			v, err := Verify(plan, in, sim.Options{Untimed: way.order == schedule.Sequential, Energy: energy.Default()})
			if err != nil {
				t.Fatalf("seed %d, %+v: %v\n%s", seed, way, err, text)
			}
			c, _, err := Equations(v.Sim, true)
			if err != nil {
				t.Fatal(err)
			}
			if !v.Pass || !c.Pass {
				t.Fatalf("seed %d, %+v: values %v, equations %v\n%s", seed, way, v.Rows, c.Rows, text)
			}
			if b := v.Sim.Counts.Backward; b != (sim.Counts{}).Backward {
				t.Errorf("seed %d: the backward pass of an inference has %+v", seed, b)
			}
			if way.hw == chip && slices.Contains(v.Sim.Tensors["s1"].Uint8, 1) {
				spiking++
			}
		}
	}
	if cases < int(generalCases())/8 || spiking < cases || pipelined < cases/8 {
		t.Errorf("%d cases, %d with spikes, %d pipelined", cases, spiking, pipelined)
	}
}

// Where weights change after step T only, a training iteration's forward pass is an
// inference: its potentials and counts are those that automatic differentiation, which
// shares nothing with us, has at the end.
func TestInferenceHasTheForwardPassOfThePublishedCases(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, name := range append(vectortest.Paper(t), vectortest.General(t)...) {
		c := vectortest.Read(t, name)
		w := *c.Workload
		norm := slices.ContainsFunc(w.Net.Layers, func(l network.Layer) bool { return l.BatchNorm })
		if once := c.K == w.Timesteps || w.Training.Rule.OnceAnIteration; !once || norm {
			continue
		}
		cases++
		in := c.Input(t)
		in.Y = nil
		w.Training.Rule = network.Rule{Inference: true}
		p, err := schedule.New(&w, c.K, c.N, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		r, err := sim.Run(p, hw, sim.Options{Untimed: true, Energy: energy.Default(), Tensors: in})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		compared := 0
		for _, tensor := range r.Tensors.Names() {
			if strings.HasPrefix(tensor, "u") || strings.HasPrefix(tensor, "spikes") || strings.HasPrefix(tensor, "nonzero") {
				vectortest.Compare(t, name+": "+tensor, r.Tensors[tensor], c.Out[tensor])
				compared++
			}
		}
		if compared < 3 {
			t.Errorf("%s: %d tensors were compared", name, compared)
		}
	}
	if cases < 5 {
		t.Errorf("%d cases only", cases)
	}
}

// The record of spikes has those that are counted, of any network in training, too.
func TestRecordedSpikesAreThoseThatAreCounted(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(vectortest.Paper(t), vectortest.General(t)...) {
		c := vectortest.Read(t, name)
		p, err := schedule.New(c.Workload, c.K, c.N, schedule.All)
		if err != nil {
			t.Fatal(err)
		}
		record, err := sim.NewSpikeRecord(c.Workload, p.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		r, err := sim.Run(p, hw, sim.Options{Untimed: true, Energy: energy.Default(), Tensors: c.Input(t), Observe: record.Observe})
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for tensor, spikes := range record.Set() {
			total := int64(0)
			for _, s := range spikes.Uint8 {
				total += int64(s)
			}
			counted := "spikes" + strings.TrimPrefix(tensor, "s")
			if got, ok := r.Tensors[counted]; !ok || got.Int64[0] != total {
				t.Errorf("%s: %s has %d spikes; %s counts %v", name, tensor, total, counted, got.Int64)
			}
			compared++
		}
		if compared < c.Workload.Net.N() {
			t.Errorf("%s: %d of %d layers are recorded", name, compared, c.Workload.Net.N())
		}
	}
}
