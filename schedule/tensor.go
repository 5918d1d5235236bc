package schedule

import (
	"fmt"

	"accelsim/network"
	"accelsim/units"
)

// Class tells what a tensor holds.
type Class uint8

// The tensor classes. Those of a classifier are indexed by block, all others
// by layer.
const (
	Weight           Class = iota // W^n
	WeightGradient                // dW^n
	Potential                     // U^{t,n}
	PotentialError                // gamma^{t,n}
	ClassifierWeight              // W_c
	ClassifierGrad                // dW_c
	ClassifierState               // U_c^t
	ClassifierError               // gamma_c^t
	ClassifierDelta               // delta_c: the loss's error, the same at every step of an interval
	Spikes                        // S^{t,n} after addition and pooling, packed
	Input                         // X^t
	Label                         // Y
	PoolPotential                 // U_p^{t,n}: pooling neurons after layer n
	PoolError                     // gamma_p^{t,n}
	NormParameter                 // batch norm gain and bias
	NormGradient                  // their gradients
	NormStatistic                 // running mean and variance
	NormSaved                     // normalised synaptic sum and 1/std, for the backward pass
	Moment                        // optimizer state of W^n: one tensor for SGD, two for Adam
	ClassifierMoment              // of W_c
	NormMoment                    // of gain and bias

	// On chip only, unless the layer buffer is small.
	OwnSpikes     // S of layer n's own neurons before an addition
	SynapticErr   // error of layer n's synaptic sum, behind its batch norm
	OutputError   // error of a residual sum, for its other operand
	SpikeCount    // classifier spikes of the interval
	memoryClasses // all before may have an address in DRAM

	RandomWeight // W_c regenerated on chip
	PartialSum   // sums of a tile that has not gone through all its inputs
	NormSums     // batch norm's sums over a batch that is cut: three float64 a channel
	numClasses
)

// MemoryClasses is the number of classes with an address in DRAM; they are
// numbered from 0.
const MemoryClasses = int(memoryClasses)

var classNames = [numClasses]struct{ name, symbol string }{
	Weight:           {"weights", "W"},
	WeightGradient:   {"gradients", "dW"},
	Potential:        {"potentials", "U"},
	PotentialError:   {"errors", "γ"},
	ClassifierWeight: {"classifier_weights", "W_c"},
	ClassifierGrad:   {"classifier_gradients", "dW_c"},
	ClassifierState:  {"classifier_potentials", "U_c"},
	ClassifierError:  {"classifier_errors", "γ_c"},
	ClassifierDelta:  {"classifier_deltas", "δ_c"},
	Spikes:           {"spikes", "S"},
	Input:            {"input", "X"},
	Label:            {"labels", "Y"},
	PoolPotential:    {"pooling_potentials", "U_p"},
	PoolError:        {"pooling_errors", "γ_p"},
	NormParameter:    {"norm_parameters", "BN"},
	NormGradient:     {"norm_gradients", "dBN"},
	NormStatistic:    {"norm_statistics", "BN_run"},
	NormSaved:        {"norm_saved", "BN_x"},
	Moment:           {"moments", "V"},
	ClassifierMoment: {"classifier_moments", "V_c"},
	NormMoment:       {"norm_moments", "V_bn"},
	OwnSpikes:        {"own_spikes", "s"},
	SynapticErr:      {"synaptic_errors", "γ_I"},
	OutputError:      {"output_errors", "δ_out"},
	SpikeCount:       {"spike_counts", "ΣS_c"},
	RandomWeight:     {"random_weights", "W_c*"},
	PartialSum:       {"partial_sums", "I"},
	NormSums:         {"norm_sums", "ΣI"},
}

// String returns the class's name in reports: lower case, plural.
func (c Class) String() string { return classNames[c].name }

// InMemory tells whether tensors of the class have an address in DRAM.
func (c Class) InMemory() bool { return c < memoryClasses }

// Buffer is one of the on-chip buffers, where hardware has one for each kind of
// tensor.
type Buffer uint8

// The buffers.
const (
	WeightBuffer   Buffer = iota // parameters and their running statistics
	StateBuffer                  // membrane potentials, sums and what batch norm saves
	GradientBuffer               // gradients, errors and the optimizer's moments
	SpikeBuffer                  // spikes, input frames, labels
	numBuffers
)

// NumBuffers is the number of kinds of buffer.
const NumBuffers = int(numBuffers)

// String returns the buffer's name in hardware files and reports.
func (b Buffer) String() string {
	return [...]string{"weights", "states", "gradients", "spikes"}[b]
}

// Buffer tells which buffer tensors of the class are in.
func (c Class) Buffer() Buffer {
	switch c {
	case Weight, ClassifierWeight, RandomWeight, NormParameter, NormStatistic:
		return WeightBuffer
	case Potential, ClassifierState, PoolPotential, NormSaved, PartialSum, NormSums:
		return StateBuffer
	case Spikes, OwnSpikes, Input, Label, SpikeCount:
		return SpikeBuffer
	}
	return GradientBuffer
}

// OfClassifier tells whether the class is indexed by block.
func (c Class) OfClassifier() bool {
	switch c {
	case ClassifierWeight, ClassifierGrad, ClassifierState, ClassifierError, ClassifierDelta,
		ClassifierMoment, SpikeCount, RandomWeight:
		return true
	}
	return false
}

// Tensor names one value of a tensor: which class, of which layer (or block),
// as of which step. Step is the time step t for what changes with time (dW^n
// too, which accumulates), the number of finished intervals for what the
// optimizer changes, and 0 for constants.
type Tensor struct {
	Class Class
	Index int // layer 1..N, or block 1.. for a classifier's; 0 for X and Y
	Step  int
}

// String prints the tensor in the paper's symbols, such as U^{3,2} or W^2.
func (t Tensor) String() string {
	symbol := classNames[t.Class].symbol
	switch t.Class {
	case Weight, ClassifierWeight, Moment, ClassifierMoment, NormParameter, NormMoment, RandomWeight, WeightGradient, ClassifierGrad, NormGradient, SpikeCount:
		return fmt.Sprintf("%s^%d", symbol, t.Index)
	case Input:
		if t.Step == 0 {
			return symbol
		}
		return fmt.Sprintf("%s^%d", symbol, t.Step)
	case Label:
		return symbol
	}
	return fmt.Sprintf("%s^{%d,%d}", symbol, t.Step, t.Index)
}

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
	BeyondRefetch // what is fetched again because it did not fit on chip
	numBeyond
)

// NumBeyond is the number of values of [Beyond].
const NumBeyond = int(numBeyond)

var beyondNames = [numBeyond]string{
	"covered", "spikes", "input", "labels", "pooling", "delta_c", "batch_norm", "optimizer",
	"gradient_register", "direct_input", "neuron", "surrogate", "random_weights", "residual", "loss", "refetch",
}

// String returns the key under which reports show it.
func (b Beyond) String() string { return beyondNames[b] }

// Transfer is a tensor, or a part of one, that crosses the DRAM port.
type Transfer struct {
	Tensor Tensor
	Words  units.Words
	Beyond Beyond
	Region Region      // what of the tensor it moves
	Offset units.Words // of a part, within the tensor, which is laid out tile after tile
	Again  units.Words // of Words, those fetched before: they count as [BeyondRefetch]
}

// Extent describes where a class's tensors of one index live in DRAM.
type Extent struct {
	Class Class
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

// deviationBytes is the size of 1/std of one channel in [NormSaved]: it is kept
// in float64 (docs/numerics.md).
const deviationBytes units.Bytes = 8

// DeviationWords returns the words of 1/std of one channel in [NormSaved].
func (p *Program) DeviationWords() units.Words { return units.Words(deviationBytes / p.Word) }

// spikeWords returns the words that count values of a spike tensor take,
// packed.
func (p *Program) spikeWords(values units.Words, bits int) units.Words {
	return units.CeilDiv(values*units.Words(bits), units.Words(8*p.Word))
}

// Words returns the size of a tensor of the given class and index.
func (p *Program) Words(c Class, index int) units.Words { return p.words(c, index) }

// words returns the size of a tensor of the given class and index.
func (p *Program) words(c Class, index int) units.Words {
	w, batch := p.workload, units.Words(p.workload.Batch)
	net := w.Net
	moments := units.Words(1)
	if w.Training.Optimizer == network.Adam {
		moments = 2
	}
	if c.OfClassifier() {
		b := p.Blocks[index-1]
		switch c {
		case ClassifierWeight, ClassifierGrad, RandomWeight:
			return net.ClassifierWeights(b)
		case ClassifierMoment:
			return moments * net.ClassifierWeights(b)
		}
		return batch * units.Words(net.Classes)
	}
	switch c {
	case Label:
		return batch
	case Input:
		values := batch * units.Words(net.Input.Size())
		if net.Encoding == network.Direct {
			return values
		}
		return p.spikeWords(values, 1)
	}
	l := net.Layer(index)
	channels := units.Words(l.Out.Channels)
	switch c {
	case Weight, WeightGradient:
		return l.Weights()
	case Moment:
		return moments * l.Weights()
	case Potential, PotentialError, SynapticErr, OutputError:
		return batch * l.Neurons()
	case PoolPotential, PoolError:
		return batch * units.Words(l.Pooled.Size())
	case Spikes:
		return p.spikeWords(batch*units.Words(l.Pooled.Size()), l.ValueBits())
	case OwnSpikes:
		return p.spikeWords(batch*l.Neurons(), 1)
	case NormParameter, NormGradient, NormStatistic:
		return 2 * channels
	case NormMoment:
		return moments * 2 * channels
	case NormSaved:
		return batch*l.Neurons() + p.DeviationWords()*channels
	case NormSums:
		return 3 * p.DeviationWords() * channels
	}
	return 0
}
