package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// neuronPart is something that a neuron may have beside leak and soft reset: what it
// adds to the lanes' work for each neuron.
type neuronPart struct {
	has                     func(network.Neuron) bool
	fire, temporal, spatial work // Eqs. 1 and 2; second terms of Eqs. 4 and 5; first terms
}

// work is operations and words that one neuron takes.
type work struct {
	recipe   pe.Recipe
	operands Operands
}

// neuronParts has every part.
var neuronParts = []neuronPart{inputGainPart, offsetPart, hardResetPart, constantResetPart, silentPart, synapsePart, adaptationPart}

// withParts adds to a neuron's work what its parts take.
func withParts(n network.Neuron, base work, of func(neuronPart) work) work {
	for _, part := range neuronParts {
		if part.has(n) {
			more := of(part)
			base.recipe = plus(base.recipe, more.recipe)
			for b := range base.operands.Reads {
				base.operands.Reads[b] += more.operands.Reads[b]
				base.operands.Writes[b] += more.operands.Writes[b]
			}
		}
	}
	return base
}

// fireWork is Eqs. 1 and 2 of a neuron.
func fireWork(n network.Neuron) work {
	return withParts(n, work{fireRecipe, fireOperands}, func(p neuronPart) work { return p.fire })
}

// temporalWork is the second terms of Eqs. 4 and 5.
func temporalWork(n network.Neuron) work {
	base := work{temporalRecipe, Operands{perKind{gradients: 2}, perKind{gradients: 1}}}
	return withParts(n, base, func(p neuronPart) work { return p.temporal })
}

// spatialWork is delta times the surrogate derivative, of delta and u.
func spatialWork(n network.Neuron) work {
	slope := surrogateRecipes[n.Shape()]
	if n.Silent {
		slope = pe.Recipe{pe.Add: 1}
	}
	base := work{slope, Operands{perKind{gradients: 1, states: 1}, perKind{gradients: 1}}}
	return withParts(n, base, func(p neuronPart) work { return p.spatial })
}

// temporalAdds is what Eq. 16 covers of the second terms: tau gamma, and theta gamma
// where errors flow through the reset.
func temporalAdds(n network.Neuron) int64 {
	if n.ConstantReset {
		return temporalAdditions - 1
	}
	return temporalAdditions
}

// cell is neurons of one kind and their parameters.
type cell struct {
	*pe.Neuron
	of    role.Neurons
	index int
	is    network.Neuron
}

// cellOf is the neurons of a kernel's layer or classifier.
func (d *Chip) cellOf(k schedule.Kernel) cell {
	if k.Classifier {
		return cell{&d.neuron, role.ClassifierNeurons, k.Index, d.workload.ClassifierNeuron()}
	}
	return cell{&d.cells[k.Index-1], role.LayerNeurons, k.Index, d.workload.NeuronOf(d.workload.Net.Layer(k.Index))}
}

// poolCell is the pooling neurons after a kernel's layer.
func (d *Chip) poolCell(k schedule.Kernel) cell {
	c := d.cellOf(k)
	c.of = role.PoolNeurons
	return c
}

// advance returns the places of a box of states that take over from those of the
// step before.
func (d *Chip) advance(s *schedule.Step, c cell, box schedule.Region) (x pe.States, err error) {
	return d.states(c, s.Time, func(t schedule.Tensor) (pe.Values, error) { return d.successor(s, t, before(t, 1), box) })
}

// current returns a box of the states of the step's time that errors take.
func (d *Chip) current(s *schedule.Step, c cell, box schedule.Region) (x pe.States, err error) {
	c.is.Synapse = false // no error takes its current
	return d.states(c, s.Time, func(t schedule.Tensor) (pe.Values, error) { return d.operand(s, t, box) })
}

func (d *Chip) states(c cell, time int, take func(schedule.Tensor) (pe.Values, error)) (x pe.States, err error) {
	err = d.eachState(c, time, take, role.Neurons{Potential: c.of.Potential, Current: c.of.Current, Adaptation: c.of.Adaptation},
		&x.Potentials, &x.Currents, &x.Adaptations)
	return x, err
}

// errors returns the places of a box of errors that take over from those of the
// step after.
func (d *Chip) errors(s *schedule.Step, c cell, box schedule.Region) (x pe.StateErrors, err error) {
	take := func(t schedule.Tensor) (pe.Values, error) { return d.successor(s, t, before(t, -1), box) }
	err = d.eachState(c, s.Time, take, role.Neurons{Potential: c.of.PotentialError, Current: c.of.CurrentError, Adaptation: c.of.AdaptationError},
		&x.Potentials, &x.Currents, &x.Adaptations)
	return x, err
}

// eachState takes the tensors that neurons have of three.
func (d *Chip) eachState(c cell, time int, take func(schedule.Tensor) (pe.Values, error), of role.Neurons, u, i, a *[]float32) error {
	for _, x := range []struct {
		has  bool
		role role.Role
		to   *[]float32
	}{{true, of.Potential, u}, {c.is.Synapse, of.Current, i}, {c.is.Adaptation, of.Adaptation, a}} {
		if !x.has {
			continue
		}
		v, err := take(x.role.At(c.index, time))
		if err != nil {
			return err
		}
		*x.to = v.Floats
	}
	return nil
}

// synaptic returns the place of the errors of synaptic sums, nil if they are those
// of the potentials.
func (d *Chip) synaptic(s *schedule.Step, k schedule.Kernel, c cell, box schedule.Region) ([]float32, error) {
	if c.is.PassesOn() {
		return nil, nil
	}
	of := schedule.SynapticErr
	if k.Classifier {
		of = schedule.ClassifierSynapticErr
	}
	v, err := d.product(s, of.At(k.Index, s.Time), box)
	return v.Floats, err
}
