package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// firePooling is the paper's: a window's average goes into a pooling neuron's
// register, and the neuron fires. Backward it is Eqs. 4 and 5 of pooling neurons,
// and the mean's derivative.
var firePooling = pooling{
	forward: func(c *Case, to []Pass) []Pass {
		w := workOf(c.Neuron).fire
		return append(oneAddition(c, to),
			Pass{
				Elements: c.Pooled, Operands: w.operands,
				Recipe: plus(w.recipe, pe.Recipe{pe.Multiply: 1}), Why: schedule.BeyondPooling,
			})
	},
	backward: func(c *Case, to []Pass) []Pass {
		of := workOf(c.Neuron)
		w := of.spatial
		w.operands.Reads[gradients]++ // delta, gamma and u
		r := plus(w.recipe, pe.Recipe{pe.Multiply: 1})
		if !c.End {
			r = plus(plus(r, of.temporal.recipe), pe.Recipe{pe.Add: temporalAdds(*c.Neuron)})
		}
		return append(to, Pass{Elements: c.Pooled, Operands: w.operands, Recipe: r, Why: schedule.BeyondPooling})
	},
	pool: (*Chip).firePool,
	back: (*Chip).firePoolBackward,
}

func (d *Chip) firePool(s *schedule.Step, k schedule.Kernel) error {
	l, box := d.workload.Net.Layer(k.Index), d.neurons(s, k)
	windows, c := d.pooled(l, box), d.poolCell(k)
	x, err := d.advance(s, c, windows)
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
	d.sums = room(d.sums, len(x.Potentials))
	for b := range box.Extent(0) {
		p.Sums(sample(d.sums, b, p.Out.Size()), sample(d.spikes, b, p.In.Size()))
	}
	_, err = d.fireNeurons(c, nil, x, windows, Observation{Time: s.Time, Layer: k.Index, Block: s.Block, Pool: true})
	return err
}

// windows calls visit for every neuron under a pooling window, with its index
// and the window's.
func windows(p pe.Pooling, visit func(neuron, window int)) {
	n := p.In.Channels
	for y := range p.Out.Height * p.Window.Height {
		for x := range p.Out.Width * p.Window.Width {
			for c := range n {
				visit((y*p.In.Width+x)*n+c, (y/p.Window.Height*p.Out.Width+x/p.Window.Width)*n+c)
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
	area := int64(p.Window.Height) * int64(p.Window.Width)
	for i, count := range f.sums {
		f.sums[i] = fixed.Divide(count<<f.Weight.Fraction, area)
	}
}

// poolOperands are the states and errors of the pooling neurons over a tile.
func (d *Chip) poolOperands(s *schedule.Step, n int, box role.Region) (u, gamma []float32, err error) {
	windows := d.pooled(d.workload.Net.Layer(n), box)
	state, err := d.operand(s, role.Tensor{Class: role.PoolPotential, Index: n, Step: s.Time}, windows)
	if err != nil {
		return nil, nil, err
	}
	t := role.Tensor{Class: role.PoolError, Index: n, Step: s.Time}
	v, err := d.successor(s, t, before(t, -1), windows)
	return state.Floats, v.Floats, err
}

func (d *Chip) firePoolBackward(s *schedule.Step, k schedule.Kernel) error {
	l, box, c := d.workload.Net.Layer(k.Index), d.neurons(s, k), d.poolCell(k)
	windows := d.pooled(l, box)
	gamma, err := d.errors(s, c, windows)
	if err != nil {
		return err
	}
	x, err := d.current(s, c, windows)
	if err != nil {
		return err
	}
	d.openErrors(s, windows.Size())
	if err := need("errors of the pooling neurons", d.spatial, windows.Size()); err != nil {
		return err
	}
	if !s.End {
		c.Temporal(d.spatial, gamma, x)
	}
	sums := gamma.Potentials
	if !c.is.PassesOn() {
		d.register = room(d.register, len(sums))
		sums = d.register
	}
	c.Surrogate(gamma, d.spatial, x, sums)
	d.spatial = room(d.spatial, box.Size())
	p := d.pooling(l, box)
	for b := range box.Extent(0) {
		p.Errors(sample(d.spatial, b, p.In.Size()), sample(sums, b, p.Out.Size()))
	}
	return nil
}

func (d *Chip) fixedPoolBackward(s *schedule.Step, k schedule.Kernel) error {
	f, box := d.fixed, d.neurons(s, k)
	u, gamma, err := d.poolOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	if len(f.spatial) != len(u) {
		return fmt.Errorf("no error reaches the pooling neurons of layer %d", k.Index)
	}
	if !s.End {
		f.temporal(gamma)
	}
	f.spatialPass(gamma, u)
	p := d.pooling(d.workload.Net.Layer(k.Index), box)
	f.spatial = make([]int64, box.Size())
	area := int64(p.Window.Height) * int64(p.Window.Width)
	for b := range box.Extent(0) {
		windows(p, func(neuron, window int) {
			g := integer(f.Error, gamma[b*p.Out.Size()+window])
			f.spatial[b*p.In.Size()+neuron] = fixed.Divide(f.Lift(g), area)
		})
	}
	return nil
}
