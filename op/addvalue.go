package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// addValue adds what a projection without weights reads to the synaptic sums: a
// membrane shortcut.
var addValue = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		r := pe.Recipe{pe.Add: 1}
		if c.Scaled {
			r = pe.Recipe{pe.MAC: 1}
		}
		return neurons(schedule.BeyondResidual, r, Operands{perKind{states: 1, spikes: 1}, perKind{states: 1}})(c, to)
	},
	Float: computes((*Chip).addValue),
}

func (d *Chip) addValue(s *schedule.Step, k schedule.Kernel) error {
	in, box := &d.workload.Net.Layer(k.Index).Inputs[k.Input], d.neurons(s, k)
	values, _, err := d.takeValues(s, d.program.Source(k.Index, in, s.Time), box)
	if err != nil {
		return err
	}
	d.openSums(box)
	pe.AddTo(d.sums, values)
	return need("sums", d.sums, len(values))
}

// openSums clears the registers of a step's first sum.
func (d *Chip) openSums(box role.Region) {
	if len(d.sums) == 0 {
		d.sums = room(d.sums, box.Size())
		clear(d.sums)
	}
}

// identityError adds the error of a reader's sums to the error of what it reads
// without weights.
var identityError = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		return append(to, Pass{
			Elements: c.Pooled, Operands: Operands{perKind{gradients: 2}, perKind{gradients: 1}},
			Recipe: pe.Recipe{pe.Add: 1}, Why: schedule.BeyondResidual,
		})
	},
	Float: computes((*Chip).identityError),
}

func (d *Chip) identityError(s *schedule.Step, k schedule.Kernel) error {
	box, err := d.errorBox(s, k)
	if err != nil {
		return err
	}
	c := d.connection(s, false, k.Reader, d.weightedInput(k.Reader))
	c.err.Step = d.program.ErrorTime(s, k)
	gamma, err := d.operand(s, c.err, box)
	if err != nil {
		return err
	}
	return d.addErrors(gamma.Floats)
}

// weightedInput is the index of a layer's first input with weights.
func (d *Chip) weightedInput(layer int) int {
	inputs := d.workload.Net.Layer(layer).Inputs
	for i := range inputs {
		if inputs[i].Weighted() {
			return i
		}
	}
	return 0 // every layer has one
}

// errorBox is the box of the error that a kernel adds to: of the layer's output, or,
// over its own delayed projections, of its spikes, after what its output passes on.
func (d *Chip) errorBox(s *schedule.Step, k schedule.Kernel) (role.Region, error) {
	box := d.neurons(s, k)
	if k.Reader == k.Index {
		return box, d.passOn(s, k)
	}
	return d.pooled(d.workload.Net.Layer(k.Index), box), nil
}
