package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/schedule"
)

// pool sums a window into a pooling neuron's register; then the neuron fires.
var pool = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		window := int64(c.Layer.Pool.Window.Area())
		return append(to,
			Pass{
				Elements: c.Pooled * window, Operands: Operands{Reads: perKind{spikes: 1}},
				Recipe: pe.Recipe{pe.Add: 1}, Why: schedule.BeyondPooling,
			},
			Pass{
				Elements: c.Pooled, Operands: fireOperands,
				Recipe: plus(fireRecipe, pe.Recipe{pe.Multiply: 1}), Why: schedule.BeyondPooling,
			})
	},
	Float: computes((*Chip).pool), Fixed: computes((*Chip).pool),
}

func (d *Chip) pool(s *schedule.Step, k schedule.Kernel) error {
	l, box := d.workload.Net.Layer(k.Index), d.neurons(s, k)
	windows := d.pooled(l, box)
	state := schedule.Tensor{Class: schedule.PoolPotential, Index: k.Index, Step: s.Time}
	u, err := d.successor(s, state, before(state, 1), windows)
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, box.Size()); err != nil {
		return err
	}
	p := d.pooling(l, box)
	if d.fixed != nil {
		d.fixed.pool(p, box.Extent(0), d.spikes)
	}
	d.sums = room(d.sums, len(u.Floats))
	for b := range box.Extent(0) {
		p.Sums(sample(d.sums, b, p.Out.Size()), sample(d.spikes, b, p.In.Size()))
	}
	_, err = d.fireNeurons(u.Floats, windows, Observation{Time: s.Time, Layer: k.Index, Block: s.Block, Pool: true})
	return err
}

// windows calls visit for every neuron under a pooling window, with its index
// and the window's.
func windows(p pe.Pooling, visit func(neuron, window int)) {
	n := p.In.Channels
	for y := range p.Out.Height * p.Height {
		for x := range p.Out.Width * p.Width {
			for c := range n {
				visit((y*p.In.Width+x)*n+c, (y/p.Height*p.Out.Width+x/p.Width)*n+c)
			}
		}
	}
}

// pool makes the sums of pooling neurons: the mean of their window, rounded to
// the weights' last place.
func (f *fixedUnits) pool(p pe.Pooling, samples int, spikes []float32) {
	f.sums = make([]int64, samples*p.Out.Size())
	for b := range samples {
		windows(p, func(neuron, window int) {
			f.sums[b*p.Out.Size()+window] += int64(spikes[b*p.In.Size()+neuron])
		})
	}
	area := int64(p.Height) * int64(p.Width)
	for i, count := range f.sums {
		f.sums[i] = fixed.Divide(count<<f.Weight.Fraction, area)
	}
}
