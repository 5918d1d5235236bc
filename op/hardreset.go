package op

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
)

// hardResetPart selects the potential that a neuron starts from, in place of a
// subtraction; its error needs u, and leak (to - u) gamma.
var hardResetPart = neuronPart{
	has:      func(n network.Neuron) bool { return n.HardReset },
	fire:     work{recipe: pe.Recipe{pe.Add: -1}},
	temporal: work{recipe: pe.Recipe{pe.Multiply: 1, pe.Add: 1, pe.Compare: 1}, operands: Operands{Reads: perKind{states: 1}}},
}

// constantResetPart leaves the reset's error out.
var constantResetPart = neuronPart{
	has:      func(n network.Neuron) bool { return n.ConstantReset },
	temporal: work{recipe: pe.Recipe{pe.Multiply: -1}},
}
