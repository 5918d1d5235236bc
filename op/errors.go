package op

import (
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// completeDelta completes the first term of Eq. 4: a classifier's is delta_c, a
// layer's has been summed up, and both operands of a residual sum get its own.
func (d *Chip) completeDelta(s *schedule.Step, k schedule.Kernel) error {
	if d.delta {
		return nil
	}
	d.delta = true
	box := d.neurons(s, k)
	if k.Classifier {
		v, err := d.operand(s, role.Tensor{Class: role.ClassifierDelta, Index: k.Index, Step: s.Interval * d.program.K}, box)
		d.spatial = append(d.spatial, v.Floats...)
		return err
	}
	if net, n := d.workload.Net, k.Index; net.OnlyAdded(n) && !d.program.FedBack(n) {
		return d.addOutputError(s, n+1, box)
	}
	return d.passOn(s, k)
}

// passOn completes the error of a layer's output, which the other operand of a
// residual sum gets, too. What comes after it is of the layer's own spikes.
func (d *Chip) passOn(s *schedule.Step, k schedule.Kernel) error {
	if d.passed {
		return nil
	}
	d.passed = true
	box := d.neurons(s, k)
	d.openErrors(s, box.Size())
	if err := need("errors of the spikes", d.spatial, box.Size()); err != nil {
		return err
	}
	if !d.program.PassesOutputError(k.Index) {
		return nil
	}
	v, err := d.product(s, role.OutputError.At(k.Index, s.Time), box)
	copy(v.Floats, d.spatial)
	return err
}

// openErrors makes the error of an output zero if no layer of the block reads it.
func (d *Chip) openErrors(s *schedule.Step, n int) {
	if len(d.spatial) == 0 && !hasErrors(s) {
		d.spatial = room(d.spatial, n)
		clear(d.spatial)
	}
}

// hasErrors tells whether a layer's step takes any error of its output: no layer of
// the block may read it.
func hasErrors(s *schedule.Step) bool {
	return slices.ContainsFunc(s.Kernels, func(k schedule.Kernel) bool {
		fromReader := k.Op == schedule.BackProject || k.Op == schedule.FeedBack || k.Op == schedule.IdentityError || k.Op == schedule.JoinBackward
		return fromReader && k.Reader != k.Index
	})
}

// gamma returns the place of a layer's or a classifier's errors.
func (d *Chip) gamma(s *schedule.Step, k schedule.Kernel) ([]float32, error) {
	class := role.PotentialError
	if k.Classifier {
		class = role.ClassifierError
	}
	t := role.Tensor{Class: class, Index: k.Index, Step: s.Time}
	v, err := d.successor(s, t, before(t, -1), d.neurons(s, k))
	return v.Floats, err
}

// state returns the potentials at which they are.
func (d *Chip) state(s *schedule.Step, k schedule.Kernel) ([]float32, error) {
	class := role.Potential
	if k.Classifier {
		class = role.ClassifierPotential
	}
	u, err := d.operand(s, role.Tensor{Class: class, Index: k.Index, Step: s.Time}, d.neurons(s, k))
	return u.Floats, err
}

// temporal is the first pass of Eqs. 4 and 5.
func (f *fixedUnits) temporal(gamma []float32) {
	for i, later := range gamma {
		delta, decayed := f.Temporal(f.spatial[i], integer(f.Error, later))
		f.spatial[i], gamma[i] = f.Lift(delta), word(f.Error, decayed)
	}
}

// spatialPass is the second.
func (f *fixedUnits) spatialPass(gamma, u []float32) {
	for i, g := range gamma {
		_, sum := f.Spatial(f.spatial[i], integer(f.Error, g), f.Window(integer(f.Potential, u[i])))
		gamma[i] = word(f.Error, sum)
	}
}

// fixedErrors returns the place of a layer's or a classifier's errors when the
// first term of Eq. 4 is complete, in fixed point.
func (d *Chip) fixedErrors(s *schedule.Step, k schedule.Kernel) ([]float32, error) {
	f := d.fixed
	gamma, err := d.gamma(s, k)
	if err != nil {
		return nil, err
	}
	if k.Classifier && !f.complete {
		delta, err := d.operand(s, role.Tensor{Class: role.ClassifierDelta, Index: k.Index, Step: s.Interval * d.program.K}, d.neurons(s, k))
		if err != nil {
			return nil, err
		}
		for _, v := range delta.Floats {
			f.spatial = append(f.spatial, f.Lift(integer(f.Error, v)))
		}
	}
	f.complete = true
	if len(f.spatial) != len(gamma) {
		return nil, fmt.Errorf("no error reaches the neurons of layer %d", k.Index)
	}
	return gamma, nil
}
