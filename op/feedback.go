package op

import (
	"github.com/accelsim-dev/accelsim/pe"
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
	c := pe.Full(l.Pooled, d.workload.Net.Classes)
	weights, err := d.operand(s, schedule.RandomFeedback.At(k.Index, 0), weightsOf(c))
	if err != nil {
		return err
	}
	gamma, err := d.operand(s, schedule.ClassifierError.At(s.Block, s.Time), d.mapOf(c.Out))
	if err != nil {
		return err
	}
	batch, inputs, outputs := d.workload.Batch, c.In.Size(), c.Out.Size()
	d.sums = room(d.sums, batch*inputs)
	clear(d.sums)
	for b := range batch {
		d.events = c.Errors(sample(d.sums, b, inputs), weights.Floats, sample(gamma.Floats, b, outputs), d.events)
	}
	return d.addErrors(d.sums)
}
