package crosscheck

import (
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

const sameNeurons = `input: {channels: 2, height: 4, width: 4, encoding: event}
timesteps: 4
batch: 2
layers:
  - {conv: {out: 3, kernel: 3}, neuron: NEURON, pool: {kind: max, window: 2}}
  - {inputs: [{fc: {out: 5}}, {from: self, delay: 1, fc: {}}], neuron: NEURON}
  - fc: {out: 3}
neuron: {leak: 0.8, threshold: 0.4, reset: 0.3}
`

// read reads sameNeurons with a neuron.
func read(t *testing.T, neuron string) *network.Workload {
	t.Helper()
	w, err := network.Read([]byte(strings.ReplaceAll(sameNeurons, "NEURON", neuron)), "w.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run computes an iteration of a workload on the paper's machine, on the tensors of the
// one with scalars.
func run(t *testing.T, scalars, w *network.Workload, own [network.NumParameters]float32) *sim.Result {
	t.Helper()
	p, err := schedule.New(w, 2, 1, schedule.All)
	if err != nil {
		t.Fatal(err)
	}
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	in := RandomInput(scalars, p.Blocks, 7)
	for i := range w.Net.Layers {
		l := &w.Net.Layers[i]
		for _, parameter := range w.NeuronOf(l).Arrays.List() {
			in.Neurons[i][parameter] = slices.Repeat([]float32{own[parameter]}, l.Out.Size())
		}
	}
	r, err := sim.Run(p, hw, sim.Options{Untimed: true, Energy: energy.Default(), Tensors: in})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Neurons with arrays of equal values are neurons with that value, to the bit; and the
// arrays have a place in memory and move: at every step forward and backward, once.
func TestEqualArraysAreOneValue(t *testing.T) {
	for _, c := range []struct{ scalars, arrays string }{
		{"{leak: 0.75, threshold: 0.25, reset: 0.5}", "{leak: array, threshold: array, reset: array}"},
		{"{leak: 0.75, hard_reset: 0.125, input_gain: 1.5, offset: 0.0625}", "{leak: 0.75, hard_reset: array, input_gain: array, offset: array}"},
		{"{synapse_leak: 0.5, synapse_gain: 1.25, input_gain: 1}", "{synapse_leak: array, synapse_gain: array, input_gain: array}"},
		{"{threshold: 0.25, input_gain: 1}", "{threshold: 0.25, input_gain: array}"},
	} {
		own := [network.NumParameters]float32{
			network.LeakParameter: 0.75, network.ThresholdParameter: 0.25, network.ResetParameter: 0.5, network.HardResetParameter: 0.125,
			network.InputGainParameter: 1.5, network.OffsetParameter: 0.0625, network.SynapseLeakParameter: 0.5, network.SynapseGainParameter: 1.25,
		}
		if strings.Contains(c.scalars, "input_gain: 1}") {
			own[network.InputGainParameter] = 1
		}
		scalars := read(t, c.scalars)
		want, got := run(t, scalars, scalars, own), run(t, scalars, read(t, c.arrays), own)
		if want.Tensors["spikes1"].Int64[0] == 0 || want.Tensors["spikes2"].Int64[0] == 0 {
			t.Fatalf("%s: nothing fires", c.scalars)
		}
		if diff := differs(got.Tensors, want.Tensors); diff != "" {
			t.Errorf("%s: %s", c.arrays, diff)
		}
		arrays := strings.Count(c.arrays, "array")
		const neurons, steps = 3*16 + 5, 4 + 4 // forward and backward
		if moved := got.Words[role.NeuronParameter].Reads; int(moved) != arrays*neurons*steps {
			t.Errorf("%s: %d words of parameters are read, want %d", c.arrays, moved, arrays*neurons*steps)
		}
	}
}
