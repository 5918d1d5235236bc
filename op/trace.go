package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// takeTrace takes the trace of what a projection or classifier reads one step on:
// decay trace' + x.
var takeTrace = Row{
	Nest: OverInputs,
	Passes: func(c *Case, to []Pass) []Pass {
		return append(to, Pass{
			Elements: c.Inputs, Operands: Operands{perKind{states: 1, spikes: 1}, perKind{states: 1}},
			Recipe: pe.Recipe{pe.Multiply: 1, pe.Add: 1}, Why: schedule.BeyondTraces,
		})
	},
	Float: computes((*Chip).takeTrace), Fixed: computes((*Chip).fixedTakeTrace),
}

// traceOperands are a trace and what it takes on.
func (d *Chip) traceOperands(s *schedule.Step, k schedule.Kernel) (trace, values []float32, real bool, err error) {
	c := d.connection(s, k.Classifier, k.Index, k.Input)
	box := d.whole(c.trace)
	if k.Part.Is {
		box = k.Part.Box
	}
	v, err := d.successor(s, c.trace, before(c.trace, 1), box)
	if err != nil {
		return nil, nil, false, err
	}
	values, real, err = d.takeValues(s, c.input, box)
	return v.Floats, values, real, err
}

func (d *Chip) takeTrace(s *schedule.Step, k schedule.Kernel) error {
	trace, values, _, err := d.traceOperands(s, k)
	if err != nil {
		return err
	}
	leak := d.workload.Neuron.Leak
	if !k.Classifier {
		leak = d.workload.NeuronOf(d.workload.Net.Layer(k.Index)).Leak
	}
	decay := float32(d.workload.Training.Rule.Decay(leak))
	for i, v := range values {
		trace[i] = float32(decay*trace[i]) + v
	}
	return nil
}

// fixedTakeTrace has traces in the potentials' format.
func (d *Chip) fixedTakeTrace(s *schedule.Step, k schedule.Kernel) error {
	trace, values, real, err := d.traceOperands(s, k)
	if err != nil {
		return err
	}
	f := d.fixed
	x, fraction := f.inputIntegers(values, real)
	for i, v := range x {
		trace[i] = word(f.Potential, f.Trace(integer(f.Potential, trace[i]), v<<(f.Potential.Fraction-fraction)))
	}
	return nil
}

// traceGradient is Eq. 7 with a trace, a word, in place of the input: nothing gates
// it, and the addition of Eq. 16 becomes a MAC.
var traceGradient = Row{
	Nest: OverGradients,
	Product: &Product{
		Matrix: func(c *Case) pe.Matrix { return pe.Gradients(*c.Synapses, c.Workload.Batch) },
		Rows:   gradients, Columns: states, Results: gradients,
		Book: func(b Book, cost pe.Cost, _ Happened) {
			b.MAC(cost.Outputs)
			b.Dense(schedule.BeyondTraces, pe.MAC, cost.Slots)
		},
	},
	Float: computes((*Chip).traceGradient), Fixed: (*Chip).fixedGradient,
}

func (d *Chip) traceGradient(s *schedule.Step, k schedule.Kernel) error {
	o, err := d.gradientOperands(s, k)
	if err == nil {
		d.addGradients(&o)
	}
	return err
}
