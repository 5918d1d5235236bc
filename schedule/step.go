package schedule

import (
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// Kind tells what a step does.
type Kind uint8

// The kinds of step.
const (
	ForwardLayer Kind = iota
	ForwardClassifier
	BackwardClassifier
	BackwardLayer
	UpdateLayer
	UpdateClassifier
)

// String returns the kind's name as listings show it.
func (k Kind) String() string {
	return [...]string{"forward", "classify", "classifier back", "backward", "update", "update classifier"}[k]
}

// Forward tells whether Eqs. 11 and 15 cover the step; Eqs. 12-14, 16 and 17
// cover the others.
func (k Kind) Forward() bool { return k == ForwardLayer || k == ForwardClassifier }

// Op is an operation of the PE array or its vector lanes.
type Op uint8

// The operations, with the equation each executes.
const (
	SynapticSum   Op = iota // Eq. 1, the sum over synapses
	NormForward             // batch norm on that sum
	Fire                    // Eqs. 1 and 2: leak, reset, threshold
	Join                    // spike-element-wise ADD
	Pool                    // average pooling and its LIF neurons
	Count                   // classifier spikes of the interval
	Loss                    // Eq. 3 or cross entropy, and delta_c
	BackProject             // Eq. 4, first term: W^T gamma of one reader
	JoinBackward            // error of a residual sum to its other operand
	PoolBackward            // Eqs. 4 and 5 of pooling neurons
	SpatialError            // Eq. 5 with Eq. 6: delta times surrogate
	TemporalError           // second terms of Eqs. 4 and 5
	NormBackward            // through batch norm
	Gradient                // Eq. 7
	Optimize                // SGD with momentum, or Adam
	Regenerate              // random W_c from its generator
	// Batch norm's passes where the batch is cut: NormForward is the first three,
	// NormBackward the others.
	NormMean
	NormVariance
	Normalize
	NormGradients // of gain and bias
	NormErrors
	// Of what is beyond Table 2.
	AddValue      // a projection without weights
	AddBias       // one value a channel
	SumErrors     // gradient of a bias
	IdentityError // error of a reader's sums, over a projection without weights
	TakeTrace     // decay trace' + x
	TraceGradient // Eq. 7 with a trace in place of the input
	FeedBack      // error of an output, straight from the classifier
	numOps
)

// NumOps is the number of operations.
const NumOps = int(numOps)

var opNames = [...]string{
	"sum W·s (Eq. 1)", "batch norm", "fire (Eqs. 1, 2)", "add spikes", "pool", "count spikes", "loss, δ_c (Eq. 3)",
	"Wᵀγ (Eq. 4)", "add error", "pool back (Eqs. 4, 5)", "δ·Θ' (Eq. 5)", "−θγ, +τγ (Eqs. 4, 5)", "batch norm back",
	"dW += γ·s (Eq. 7)", "optimizer", "regenerate W_c",
	"mean", "variance", "normalise", "batch norm back: gain, bias", "batch norm back: errors",
	"add values", "add bias", "sum errors", "add error of sums",
	"trace", "dW += γ·x̂ (Eq. 7)", "fbᵀγ_c",
}

// String describes the operation for listings.
func (o Op) String() string { return opNames[o] }

// Kernel is one operation on one layer or classifier. A kernel says what is
// computed; what that takes is for the PE array to find out.
type Kernel struct {
	Op         Op
	Classifier bool
	Index      int       // layer, or block of the classifier
	Reader     int       // of an error: the layer that it comes from; 0 is the classifier
	Input      int       // SynapticSum, AddValue, Gradient: which of the layer's inputs; of an error, the reader's
	Of         role.Role // Optimize, Regenerate: the tensor that is updated, or made
	Part       Part      // of a tile
}

// Part is a tile's share of a kernel's work. The zero Part is all of it.
type Part struct {
	Is                             bool
	Rows, Columns, Depth, Repeats  int64 // of a matrix product
	Neurons, PooledNeurons, Values int64 // of an element-wise operation
	// Box is the tile: of the step's neurons [sample][row][column][channel]
	// before pooling, of a gradient [sample][output channel][1][input channel], of
	// parameters [1][1][1][value].
	Box role.Region
	// First and Last are the terms that a tile of a fully connected layer's sums
	// goes through: inputs, or outputs for W^T gamma; Last not among them; 0, 0 is all.
	First, Last int64
}

// Product is a tensor that a step computes.
type Product struct {
	Tensor role.Tensor
	Words  units.Words
	Region role.Region // of a tensor that is made tile by tile; else it is whole
	// Replaces is the tensor in whose place it is put; valid if InPlace.
	Replaces role.Tensor
	InPlace  bool
}

// Step is the unit of the schedule: loads, then computation, then stores.
type Step struct {
	Kind     Kind
	Interval int // 1..T/k
	Time     int // t, 1..T; of an update the interval's last
	Block    int
	Layer    int  // 0 for a classifier's step
	End      bool // t = t_k: backward straight after forward, no temporal terms

	Reads    []Transfer    // from DRAM to the layer buffer
	Uses     []role.Tensor // already on chip
	Kernels  []Kernel
	Products []Product     // computed on chip
	Writes   []Transfer    // from the buffer to DRAM
	Keeps    []role.Tensor // what stays on chip afterwards for later steps

	// What the paper's policy would move and the program's own leaves out: see
	// [Policy].
	SavedReads, SavedWrites []Transfer

	// Where several PE groups execute the program, each its blocks:
	Receives []Transfer    // spikes that the group before hands over, on chip
	Hands    []role.Tensor // products that the next group gets when they are made
	Frees    []role.Tensor // of the group before, in DRAM: nothing reads them after this step's loads
}

func (s *Step) reset() {
	*s = Step{
		Reads: s.Reads[:0], Uses: s.Uses[:0], Kernels: s.Kernels[:0],
		Products: s.Products[:0], Writes: s.Writes[:0], Keeps: s.Keeps[:0],
		SavedReads: s.SavedReads[:0], SavedWrites: s.SavedWrites[:0],

		Receives: s.Receives[:0], Hands: s.Hands[:0], Frees: s.Frees[:0],
	}
}

// WordsRead returns the words that cross the port inwards.
func (s *Step) WordsRead() units.Words { return total(s.Reads) }

// WordsWritten returns the words that cross the port outwards.
func (s *Step) WordsWritten() units.Words { return total(s.Writes) }

func total(transfers []Transfer) (sum units.Words) {
	for _, t := range transfers {
		sum += t.Words
	}
	return sum
}
