package schedule

import (
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// Beyond tells why a transfer or an operation is outside Eqs. 11-17. The zero
// value means that the equations cover it.
type Beyond uint8

// What the equations omit.
const (
	Covered Beyond = iota
	BeyondSpikes
	BeyondInput
	BeyondLabels
	BeyondPooling
	BeyondDelta
	BeyondNorm
	BeyondOptimizer
	BeyondGradientRegister // sums within a PE's register before the one addition that Eq. 16 counts
	BeyondDirectInput      // multiplications of real inputs in layer 1
	BeyondNeuron           // tau, theta and the threshold of Eqs. 1 and 2
	BeyondSurrogate        // tau, theta and the surrogate of Eqs. 4 to 6
	BeyondRandom           // regenerating random classifier weights
	BeyondResidual         // spike-element-wise additions and their errors
	BeyondLoss
	BeyondBias
	BeyondStates  // what neurons have beside U: currents, adaptation, and their errors
	BeyondTraces  // what stands for inputs in gradients
	BeyondDelayed // errors that are read again for a delayed projection
	BeyondRefetch // what is fetched again because it did not fit on chip
	numBeyond
)

// NumBeyond is the number of values of [Beyond].
const NumBeyond = int(numBeyond)

var beyondNames = [numBeyond]string{
	"covered", "spikes", "input", "labels", "pooling", "delta_c", "batch_norm", "optimizer",
	"gradient_register", "direct_input", "neuron", "surrogate", "random_weights", "residual", "loss", "bias", "neuron_states", "traces", "delayed", "refetch",
}

// String returns the key under which reports show it.
func (b Beyond) String() string { return beyondNames[b] }

// Transfer is a tensor, or a part of one, that crosses the DRAM port.
type Transfer struct {
	Tensor role.Tensor
	Words  units.Words
	Beyond Beyond
	Region role.Region // what of the tensor it moves
	Offset units.Words // of a part, within the tensor, which is laid out tile after tile
	Again  units.Words // of Words, those fetched before: they count as [BeyondRefetch]
}

// Extent describes where a class's tensors of one index live in DRAM.
type Extent struct {
	Class role.Role
	Index int
	Words units.Words // of one slot
	Slots int         // step s is in slot s mod Slots
	// Initial tells that step 0 is there before the iteration starts,
	// uncounted: parameters, and the zero states of t = 0.
	Initial bool
	// Constant tells that every step is there: nothing ever writes it.
	Constant bool
	// Shared tells that one PE group writes it and the next one reads it, and
	// frees each step when it has.
	Shared bool
}

// Words returns the size of a tensor of the given class and index.
func (p *Program) Words(c role.Role, index int) units.Words { return p.Sizes.Words(c, index) }

func (p *Program) words(c role.Role, index int) units.Words { return p.Sizes.Words(c, index) }
