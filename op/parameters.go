package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// Parameters that differ from neuron to neuron come on chip as maps, one for each
// parameter; the kernels of neurons then take one neuron after the other.

// withArrays adds to the work of neurons the words of their own parameters.
func (w *neuronWork) withArrays(n network.Neuron) {
	own := len(n.Arrays.List())
	for _, part := range []*work{&w.fire, &w.temporal, &w.spatial} {
		part.operands.Reads[weights] += own
	}
}

// parameterMaps are the parameters of a box of a cell's neurons; nil if all have the
// same.
func (d *Chip) parameterMaps(s *schedule.Step, c cell, box role.Region) ([]float32, error) {
	if c.is.Arrays == 0 {
		return nil, nil
	}
	t := role.NeuronParameter.At(c.index, 0)
	own := d.whole(t)
	for i := 1; i < len(own.Of); i++ {
		own = own.Slice(i, int64(box.From[i]), int64(box.To[i]))
	}
	v, err := d.operand(s, t, own)
	return v.Floats, err
}

// each calls do with every neuron of a box, its index in the box, and slices of one
// value each.
func (c cell) each(maps []float32, box role.Region, do func(n *pe.Neuron, i int)) {
	size := box.Size() / box.Extent(0)
	arrays := c.is.Arrays.List()
	for at := range size {
		is := c.is
		for j, parameter := range arrays {
			is = is.With(parameter, float64(maps[j*size+at]))
		}
		n := pe.NewNeuron(is)
		for b := range box.Extent(0) {
			do(&n, b*size+at)
		}
	}
}

// one is value i of a slice, or nothing of none.
func one(values []float32, i int) []float32 {
	if len(values) == 0 {
		return nil
	}
	return values[i : i+1]
}

func oneState(x pe.States, i int) pe.States {
	return pe.States{Potentials: one(x.Potentials, i), Currents: one(x.Currents, i), Adaptations: one(x.Adaptations, i)}
}

func oneError(x pe.StateErrors, i int) pe.StateErrors {
	return pe.StateErrors{Potentials: one(x.Potentials, i), Currents: one(x.Currents, i), Adaptations: one(x.Adaptations, i)}
}

// fire is [pe.Neuron.Fire] of a box of neurons.
func (c cell) fire(maps []float32, box role.Region, x pe.States, sums, spikes []float32) (fired int64) {
	if maps == nil {
		return c.Fire(x, sums, spikes)
	}
	c.each(maps, box, func(n *pe.Neuron, i int) {
		fired += n.Fire(oneState(x, i), one(sums, i), one(spikes, i))
	})
	return fired
}

// temporal is [pe.Neuron.Temporal].
func (c cell) temporal(maps []float32, box role.Region, delta []float32, later pe.StateErrors, x pe.States) {
	if maps == nil {
		c.Temporal(delta, later, x)
		return
	}
	c.each(maps, box, func(n *pe.Neuron, i int) { n.Temporal(one(delta, i), oneError(later, i), oneState(x, i)) })
}

// surrogate is [pe.Neuron.Surrogate].
func (c cell) surrogate(maps []float32, box role.Region, errors pe.StateErrors, delta []float32, x pe.States, synaptic []float32) {
	if maps == nil {
		c.Surrogate(errors, delta, x, synaptic)
		return
	}
	c.each(maps, box, func(n *pe.Neuron, i int) {
		if len(synaptic) > 0 {
			synaptic[i] = 0
		}
		n.Surrogate(oneError(errors, i), one(delta, i), oneState(x, i), one(synaptic, i))
		if len(synaptic) > 0 && n.PassesOn() { // a gain of 1 among others
			synaptic[i] = errors.Potentials[i]
		}
	})
}
