package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// synapticSum is Eq. 1's sum over synapses: Eq. 15.
var synapticSum = Row{
	Nest: OverSynapses,
	Product: &Product{
		Matrix: func(c *Case) pe.Matrix { return pe.Synapses(*c.Synapses, c.Workload.Batch) },
		Spikes: true, Rows: spikes, Columns: weights, Results: states,
		Events: func(h Happened) int64 { return h.Sums },
		Book: func(b Book, cost pe.Cost, h Happened) {
			b.Add(cost.Slots, h.Sums)
			if why, real := b.Multiplied(); real {
				b.Beyond(why, pe.Multiply, cost.Slots, h.Sums)
			}
		},
	},
	Float: (*Chip).synapticSum, Fixed: (*Chip).fixedSum,
}

// sumOperands are what a synaptic sum takes. A tile that does not go through all
// inputs of a fully connected layer goes on where the one before ended.
type sumOperands struct {
	pe.Connection
	box         role.Region
	weights, in []float32
	real        bool // inputs are real numbers
	partialSums
}

func (d *Chip) sumOperands(s *schedule.Step, k schedule.Kernel) (o sumOperands, err error) {
	c := d.connection(s, k.Classifier, k.Index, k.Input)
	o.box = d.neurons(s, k)
	tile, input, wanted := c.to(o.box, k.Part)
	weights, err := d.operand(s, c.weights, wanted)
	if err != nil {
		return o, err
	}
	o.Connection, o.weights = tile, weights.Floats
	if o.in, o.real, err = d.takeValues(s, c.input, input); err != nil {
		return o, err
	}
	o.partialSums, err = d.partial(s, k, o.box, c.In.Size())
	return o, err
}

// synapticSum is the sum of Eq. 1 over synapses.
func (d *Chip) synapticSum(s *schedule.Step, k schedule.Kernel) (done Happened, err error) {
	o, err := d.sumOperands(s, k)
	if err != nil {
		return done, err
	}
	if len(d.sums) == 0 { // otherwise it goes on with those of the layer's other projections
		d.sums = room(d.sums, o.box.Size())
		o.resume(d.sums)
	}
	inputs, outputs := o.In.Size(), o.Out.Size()
	d.one.Real = o.real
	for b := range o.box.Extent(0) {
		d.one.List(sample(o.in, b, inputs))
		done.Sums += o.Sum(sample(d.sums, b, outputs), o.weights, &d.one)
	}
	copy(o.after.Floats, d.sums)
	return done, nil
}

// fixedSum is the sum of Eq. 1. Products with a real input are rounded to the
// weights' last place, once for each sum.
func (d *Chip) fixedSum(s *schedule.Step, k schedule.Kernel) (done Happened, err error) {
	o, err := d.sumOperands(s, k)
	if err != nil {
		return done, err
	}
	f := d.fixed
	w := integers(f.Weight, o.weights)
	x, fraction := f.inputIntegers(o.in, o.real)
	inputs, outputs, n := o.In.Size(), o.Out.Size(), o.Out.Channels
	f.sums = make([]int64, o.box.Size())
	o.resumeFixed(f.sums)
	for b := range o.box.Extent(0) {
		x, sums := x[b*inputs:(b+1)*inputs], f.sums[b*outputs:(b+1)*outputs]
		taps(o.Connection, func(in, out, weight int) {
			for channel := range o.In.Channels {
				v := x[in+channel]
				if v == 0 {
					continue
				}
				if o.real {
					done.Sums += int64(n)
				} else {
					done.Sums += v * int64(n)
				}
				for i, weight := range w[weight+channel*n:][:n] {
					sums[out+i] += v * weight
				}
			}
		})
	}
	if o.leaveFixed(f.sums) {
		return done, nil
	}
	for i, sum := range f.sums {
		f.sums[i] = fixed.Round(sum, fraction)
	}
	return done, nil
}
