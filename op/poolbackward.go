package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/schedule"
)

// poolBackward is Eqs. 4 and 5 of pooling neurons, and the mean's derivative.
var poolBackward = Row{
	Nest: OverNeurons,
	Passes: func(c *Case, to []Pass) []Pass {
		r := plus(surrogateRecipe, pe.Recipe{pe.Multiply: 1})
		if !c.End {
			r = plus(plus(r, temporalRecipe), pe.Recipe{pe.Add: temporalAdditions})
		}
		return append(to, Pass{ // delta, gamma and u
			Elements: c.Pooled, Operands: Operands{perKind{gradients: 2, states: 1}, perKind{gradients: 1}},
			Recipe: r, Why: schedule.BeyondPooling,
		})
	},
	Float: computes((*Chip).poolBackward), Fixed: computes((*Chip).fixedPoolBackward),
}

// poolOperands are the states and errors of the pooling neurons over a tile.
func (d *Chip) poolOperands(s *schedule.Step, n int, box schedule.Region) (u, gamma []float32, err error) {
	windows := d.pooled(d.workload.Net.Layer(n), box)
	state, err := d.operand(s, schedule.Tensor{Class: schedule.PoolPotential, Index: n, Step: s.Time}, windows)
	if err != nil {
		return nil, nil, err
	}
	t := schedule.Tensor{Class: schedule.PoolError, Index: n, Step: s.Time}
	v, err := d.successor(s, t, before(t, -1), windows)
	return state.Floats, v.Floats, err
}

func (d *Chip) poolBackward(s *schedule.Step, k schedule.Kernel) error {
	l, box := d.workload.Net.Layer(k.Index), d.neurons(s, k)
	u, gamma, err := d.poolOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	if err := need("errors of the pooling neurons", d.spatial, len(u)); err != nil {
		return err
	}
	if !s.End {
		d.neuron.Temporal(d.spatial, gamma)
	}
	d.neuron.Surrogate(gamma, d.spatial, u)
	d.spatial = room(d.spatial, box.Size())
	p := d.pooling(l, box)
	for b := range box.Extent(0) {
		p.Errors(sample(d.spatial, b, p.In.Size()), sample(gamma, b, p.Out.Size()))
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
	area := int64(p.Height) * int64(p.Width)
	for b := range box.Extent(0) {
		windows(p, func(neuron, window int) {
			g := integer(f.Error, gamma[b*p.Out.Size()+window])
			f.spatial[b*p.In.Size()+neuron] = fixed.Divide(f.Lift(g), area)
		})
	}
	return nil
}
