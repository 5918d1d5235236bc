package op

import (
	"math"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// optimizer is how weights learn: what a step takes for one parameter, and the
// step itself, for parameters, their gradients, and what is kept of them.
type optimizer struct {
	recipe func(network.Training) pe.Recipe
	step   func(w, dw, kept []float32, t network.Training, number int)
}

// optimizers has one for every name that a workload may give.
var optimizers = map[string]optimizer{network.SGD: sgd, network.Adam: adam, network.RMSprop: rmsprop}

// updateOperands are w, dw and what the optimizer keeps.
func updateOperands(t network.Training) Operands {
	kept := t.Moments()
	return Operands{perKind{weights: 1, gradients: 1 + kept}, perKind{weights: 1, gradients: kept}}
}

// optimize is the optimizer's pass over one tensor of parameters.
var optimize = Row{
	Nest: OverParameters,
	Passes: func(c *Case, to []Pass) []Pass {
		t := c.Workload.Training
		return append(to, Pass{
			Elements: c.Weights, Operands: updateOperands(t),
			Recipe: optimizers[t.Optimizer].recipe(t), Why: schedule.BeyondOptimizer,
		})
	},
	Float: computes((*Chip).optimize), Fixed: computes((*Chip).fixedOptimize),
}

// parameters are what an optimizer's pass works on; moment is nil if it has
// none.
type parameters struct {
	box             role.Region // of gradient and values
	gradient, value []float32
	moment          []float32
}

func (d *Chip) parameters(s *schedule.Step, k schedule.Kernel) (p parameters, err error) {
	trained := k.Of.Row().Trained
	first, version := d.program.LastBackward(s.Interval), d.program.Version(s.Interval)+1
	value := k.Of.At(k.Index, version)
	p.box = d.whole(value)
	moments := role.Whole(1, 1, d.workload.Training.Moments(), p.box.Size())
	if k.Part.Is && !k.Of.Row().Few { // those come whole with the last tile
		p.box = k.Part.Box
		moments = moments.Slice(3, int64(p.box.From[3]), int64(p.box.To[3]))
	}
	dw, err := d.operand(s, trained.Gradient.At(k.Index, first), p.box)
	if err != nil {
		return p, err
	}
	w, err := d.product(s, value, p.box)
	if err != nil {
		return p, err
	}
	p.gradient, p.value = dw.Floats, w.Floats
	if d.workload.Training.Moments() > 0 {
		v, err := d.product(s, trained.Moment.At(k.Index, version), moments)
		p.moment = v.Floats
		return p, err
	}
	return p, nil
}

// optimize updates one parameter tensor, or a tile of it.
func (d *Chip) optimize(s *schedule.Step, k schedule.Kernel) error {
	if k.Of.Row().Few && k.Part.Is && k.Part.Values == 0 {
		return nil // with the last tile
	}
	p, err := d.parameters(s, k)
	if err != nil {
		return err
	}
	number := d.program.Version(s.Interval) + 1
	d.record.gradient(k, number, p.box, p.gradient)
	training := d.workload.Training
	optimizers[training.Optimizer].step(p.value, p.gradient, p.moment, training, number)
	return nil
}

// fixedOptimize updates one parameter tensor, or a tile of it. Gradients are
// recorded without the scale that they are carried with.
func (d *Chip) fixedOptimize(s *schedule.Step, k schedule.Kernel) error {
	p, err := d.parameters(s, k)
	if err != nil {
		return err
	}
	f := d.fixed
	plain := make([]float32, len(p.gradient))
	for i, g := range p.gradient {
		plain[i] = float32(math.Ldexp(float64(g), -f.ErrorShift))
		before := int64(0)
		if p.moment != nil {
			before = integer(f.Gradient, p.moment[i])
		}
		weight, after := f.Update(integer(f.Weight, p.value[i]), before, integer(f.Gradient, g))
		p.value[i] = word(f.Weight, weight)
		if p.moment != nil {
			p.moment[i] = word(f.Gradient, after)
		}
	}
	d.record.gradient(k, d.program.Version(s.Interval)+1, p.box, plain)
	return nil
}
