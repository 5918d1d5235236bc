package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// feedBack is the error of a layer's output, straight from gamma of its block's
// classifier through fixed random weights: a fully connected product.
var feedBack = Row{
	Nest: OverErrors, Product: &errorProduct,
	Float: computes((*Chip).feedBack), Fixed: computes((*Chip).fixedFeedBack),
}

// feedbackOperands are what an error straight from the classifier takes.
func (d *Chip) feedbackOperands(s *schedule.Step, k schedule.Kernel) (o errorOperands, err error) {
	l := d.workload.Net.Layer(k.Index)
	o.box = d.pooled(l, d.neurons(s, k))
	c := connection{Connection: pe.Full(l.Pooled, d.workload.Net.Classes)}
	tile, errors, wanted := c.from(o.box, k.Part)
	weights, err := d.operand(s, role.RandomFeedback.At(k.Index, 0), wanted)
	if err != nil {
		return o, err
	}
	gamma, err := d.operand(s, role.ClassifierError.At(s.Block, s.Time), errors)
	o.Connection, o.weights, o.gamma = tile, weights.Floats, gamma.Floats
	return o, err
}

func (d *Chip) feedBack(s *schedule.Step, k schedule.Kernel) error {
	o, err := d.feedbackOperands(s, k)
	if err != nil {
		return err
	}
	d.sums = room(d.sums, o.box.Size())
	clear(d.sums)
	d.spread(&o, d.sums)
	return d.addErrors(d.sums)
}

func (d *Chip) fixedFeedBack(s *schedule.Step, k schedule.Kernel) error {
	o, err := d.feedbackOperands(s, k)
	if err != nil {
		return err
	}
	d.fixed.spatial = make([]int64, o.box.Size())
	d.fixed.spread(&o)
	return nil
}
