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

// neuronWork is what a neuron takes: Eqs. 1 and 2; second terms of Eqs. 4 and 5;
// first terms, of delta and u.
type neuronWork struct{ fire, temporal, spatial work }

// paperWork is that of the paper's neuron.
var paperWork = neuronWork{
	fire:     work{fireRecipe, fireOperands},
	temporal: work{temporalRecipe, Operands{perKind{gradients: 2}, perKind{gradients: 1}}},
	spatial:  work{surrogateRecipes[network.Rectangle], Operands{perKind{gradients: 1, states: 1}, perKind{gradients: 1}}},
}

// workOf is the paper's neuron's work with what a neuron's surrogate and parts add.
func workOf(n *network.Neuron) neuronWork {
	w := paperWork
	if n.IsPaper() { // a kernel of most networks: it has no parts
		return w
	}
	w.spatial.recipe = surrogateRecipes[n.Shape()]
	if n.Silent {
		w.spatial.recipe = pe.Recipe{pe.Add: 1}
	}
	for _, part := range neuronParts {
		if part.has(*n) {
			w.fire.add(part.fire)
			w.temporal.add(part.temporal)
			w.spatial.add(part.spatial)
		}
	}
	w.withArrays(*n)
	return w
}

func (w *work) add(more work) {
	w.recipe = plus(w.recipe, more.recipe)
	for b := range w.operands.Reads {
		w.operands.Reads[b] += more.operands.Reads[b]
		w.operands.Writes[b] += more.operands.Writes[b]
	}
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
func (d *Chip) advance(s *schedule.Step, c cell, box role.Region) (x pe.States, err error) {
	return d.states(c, s.Time, func(t role.Tensor) (pe.Values, error) { return d.successor(s, t, before(t, 1), box) })
}

// current returns a box of the states of the step's time that errors take.
func (d *Chip) current(s *schedule.Step, c cell, box role.Region) (x pe.States, err error) {
	c.is.Synapse = false // no error takes its current
	return d.states(c, s.Time, func(t role.Tensor) (pe.Values, error) { return d.operand(s, t, box) })
}

func (d *Chip) states(c cell, time int, take func(role.Tensor) (pe.Values, error)) (x pe.States, err error) {
	err = d.eachState(c, time, take, role.Neurons{Potential: c.of.Potential, Current: c.of.Current, Adaptation: c.of.Adaptation},
		&x.Potentials, &x.Currents, &x.Adaptations)
	return x, err
}

// errors returns the places of a box of errors that take over from those of the
// step after.
func (d *Chip) errors(s *schedule.Step, c cell, box role.Region) (x pe.StateErrors, err error) {
	take := func(t role.Tensor) (pe.Values, error) { return d.successor(s, t, before(t, -1), box) }
	err = d.eachState(c, s.Time, take, role.Neurons{Potential: c.of.PotentialError, Current: c.of.CurrentError, Adaptation: c.of.AdaptationError},
		&x.Potentials, &x.Currents, &x.Adaptations)
	return x, err
}

// eachState takes the tensors that neurons have of three.
func (d *Chip) eachState(c cell, time int, take func(role.Tensor) (pe.Values, error), of role.Neurons, u, i, a *[]float32) error {
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
func (d *Chip) synaptic(s *schedule.Step, k schedule.Kernel, c cell, box role.Region) ([]float32, error) {
	if c.is.PassesOn() {
		return nil, nil
	}
	of := role.SynapticError
	if k.Classifier {
		of = role.ClassifierSynapticError
	}
	v, err := d.product(s, of.At(k.Index, s.Time), box)
	return v.Floats, err
}
