package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// gradient is Eq. 7. A PE sums gamma s over output positions in its register; the
// one addition to dW is Eq. 16's.
var gradient = Row{
	Nest: OverGradients,
	Product: &Product{
		Matrix: func(c *Case) pe.Matrix { return pe.Gradients(*c.Synapses, c.Workload.Batch) },
		Spikes: true, Rows: gradients, Columns: spikes, Results: gradients,
		Events: func(h Happened) int64 { return h.Gradient.Terms },
		Book: func(b Book, cost pe.Cost, h Happened) {
			b.Add(cost.Outputs, h.Gradient.Weights)
			b.Beyond(schedule.BeyondGradientRegister, pe.Add, cost.Slots, h.Gradient.Terms)
			if why, real := b.Multiplied(); real {
				b.Beyond(why, pe.Multiply, cost.Slots, h.Gradient.Terms)
			} else if scaled := h.Gradient.Scaled; scaled > 0 { // sums of spikes
				b.Beyond(schedule.BeyondResidual, pe.Multiply, scaled, scaled)
			}
		},
	},
	Float: (*Chip).gradient, Fixed: (*Chip).fixedGradient,
}

// gradientOperands are what a gradient takes.
type gradientOperands struct {
	pe.Connection
	samples       int
	dw, gamma, in []float32
	real          bool
}

func (d *Chip) gradientOperands(s *schedule.Step, k schedule.Kernel) (o gradientOperands, err error) {
	c := d.connection(s, k.Classifier, k.Index, k.Input)
	box := role.Whole(c.batch, c.Out.Channels, 1, c.flat().In.Channels)
	if k.Part.Is {
		box = k.Part.Box
	}
	tile, errors, input, wanted := c.between(box)
	class := role.WeightGradient
	if k.Classifier {
		class = role.ClassifierGradient
	}
	t := class.At(c.index, s.Time)
	dw, err := d.successor(s, t, d.program.SumBefore(s, t), wanted)
	if err != nil {
		return o, err
	}
	gamma, err := d.operand(s, c.err, errors)
	if err != nil {
		return o, err
	}
	o = gradientOperands{Connection: tile, samples: box.Extent(0), dw: dw.Floats, gamma: gamma.Floats}
	if k.Op == schedule.TraceGradient {
		trace, err := d.operand(s, c.trace, input)
		o.in, o.real = trace.Floats, true
		return o, err
	}
	o.in, o.real, err = d.takeValues(s, c.input, input)
	return o, err
}

// gradient adds the batch's part of one step to dW (Eq. 7).
func (d *Chip) gradient(s *schedule.Step, k schedule.Kernel) (done Happened, err error) {
	o, err := d.gradientOperands(s, k)
	if err == nil {
		done.Gradient = d.addGradients(&o)
	}
	return done, err
}

// addGradients adds the batch's part of one step to dW.
func (d *Chip) addGradients(o *gradientOperands) (done pe.GradientEvents) {
	inputs, outputs := o.In.Size(), o.Out.Size()
	d.register = room(d.register, o.Out.Channels)
	for b := range o.samples {
		one := pe.Input{Values: sample(o.in, b, inputs), Real: o.real}
		took := o.Gradient(o.dw, sample(o.gamma, b, outputs), d.register, &one)
		done.Weights += took.Weights
		done.Terms += took.Terms
		done.Scaled += took.Scaled
	}
	return done
}

// fixedGradient adds the batch's part of one step to dW (Eq. 7).
func (d *Chip) fixedGradient(s *schedule.Step, k schedule.Kernel) (done Happened, err error) {
	o, err := d.gradientOperands(s, k)
	if err != nil {
		return done, err
	}
	f := d.fixed
	x, fraction := f.inputIntegers(o.in, o.real)
	gamma := integers(f.Error, o.gamma)
	inputs, outputs, n := o.In.Size(), o.Out.Size(), o.Out.Channels
	register := make([]int64, len(o.dw))
	reached := make([]bool, len(o.dw)/n) // an input event reached the weights of a tap and channel
	for b := range o.samples {
		clear(register)
		clear(reached)
		x, gamma := x[b*inputs:(b+1)*inputs], gamma[b*outputs:(b+1)*outputs]
		taps(o.Connection, func(in, out, weight int) {
			for channel := range o.In.Channels {
				v := x[in+channel]
				if v == 0 {
					continue
				}
				at := weight + channel*n
				reached[at/n] = true
				done.Gradient.Terms += int64(n)
				if o.real {
					done.Gradient.Scaled += int64(n)
				}
				for i := range n {
					register[at+i] += gamma[out+i] * v
				}
			}
		})
		for tap, hit := range reached {
			if !hit {
				continue
			}
			done.Gradient.Weights += int64(n)
			for at := tap * n; at < (tap+1)*n; at++ {
				sum := f.Accumulate(integer(f.Gradient, o.dw[at]), fixed.Round(register[at], fraction))
				o.dw[at] = word(f.Gradient, sum)
			}
		}
	}
	return done, nil
}
