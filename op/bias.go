package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// addBias adds a value a channel to the synaptic sums.
var addBias = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondBias, pe.Recipe{pe.Add: 1}, Operands{perKind{states: 1, weights: 1}, perKind{states: 1}}),
	Float:  computes((*Chip).addBias),
}

func (d *Chip) addBias(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	of := role.Bias
	if k.Classifier {
		of = role.ClassifierBias
	}
	b, err := d.operand(s, of.At(k.Index, d.program.Version(s.Interval)), channelsOf(box, 1))
	if err != nil {
		return err
	}
	if err := need("sums", d.sums, box.Size()); err != nil {
		return err
	}
	n := len(b.Floats)
	for i := range d.sums {
		d.sums[i] += b.Floats[i%n]
	}
	return nil
}

// sumErrors is the gradient of a bias: a register for each channel of a sample
// sums the errors of its positions, then goes to db.
var sumErrors = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		return append(to,
			Pass{
				Elements: c.Neurons, Operands: Operands{Reads: perKind{gradients: 1}},
				Recipe: pe.Recipe{pe.Add: 1}, Why: schedule.BeyondBias,
			},
			Pass{
				Elements: c.Neurons / int64(c.Synapses.Out.Positions()), Operands: Operands{perKind{gradients: 1}, perKind{gradients: 1}},
				Recipe: pe.Recipe{pe.Add: 1}, Why: schedule.BeyondBias,
			})
	},
	Float: computes((*Chip).sumErrors),
}

func (d *Chip) sumErrors(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	t := role.BiasGradient.At(k.Index, s.Time)
	if k.Classifier {
		t = role.ClassifierBiasGradient.At(k.Index, s.Time)
	}
	db, err := d.successor(s, t, d.program.SumBefore(s, t), channelsOf(box, 1))
	if err != nil {
		return err
	}
	gamma, err := d.operand(s, d.sumErrorOf(s, k), box)
	if err != nil {
		return err
	}
	n, size := box.Extent(3), box.Size()/box.Extent(0)
	d.register = room(d.register, n)
	for b := range box.Extent(0) {
		clear(d.register)
		for i, g := range sample(gamma.Floats, b, size) {
			d.register[i%n] += g
		}
		pe.AddTo(db.Floats, d.register)
	}
	return nil
}

// sumErrorOf names the error of the synaptic sums of a kernel's layer or classifier.
func (d *Chip) sumErrorOf(s *schedule.Step, k schedule.Kernel) role.Tensor {
	if k.Classifier {
		return d.connection(s, true, k.Index, 0).err
	}
	return d.connection(s, false, k.Index, d.weightedInput(k.Index)).err
}
