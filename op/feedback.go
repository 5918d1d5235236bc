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
	Float: computes((*Chip).feedBack),
}

func (d *Chip) feedBack(s *schedule.Step, k schedule.Kernel) error {
	l := d.workload.Net.Layer(k.Index)
	box := d.pooled(l, d.neurons(s, k))
	c := connection{Connection: pe.Full(l.Pooled, d.workload.Net.Classes)}
	tile, errors, wanted := c.from(box, k.Part)
	weights, err := d.operand(s, role.RandomFeedback.At(k.Index, 0), wanted)
	if err != nil {
		return err
	}
	gamma, err := d.operand(s, role.ClassifierError.At(s.Block, s.Time), errors)
	if err != nil {
		return err
	}
	inputs, outputs := tile.In.Size(), tile.Out.Size()
	d.sums = room(d.sums, box.Size())
	clear(d.sums)
	for b := range box.Extent(0) {
		d.events = tile.Errors(sample(d.sums, b, inputs), weights.Floats, sample(gamma.Floats, b, outputs), d.events)
	}
	return d.addErrors(d.sums)
}
