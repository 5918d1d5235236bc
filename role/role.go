// Package role knows every tensor of training: one table says what a tensor is
// called, what it has a value for, how its values lie, how many bits they have,
// which layer buffer holds it, and whether and how often it stands in DRAM.
//
// Nothing here knows when a tensor moves or what computes it: that is the
// schedule's. A new tensor is one constant and one row of the table; a test
// fails on a row that is missing or contradicts itself.
package role

import "github.com/accelsim-dev/accelsim/network"

// Role is what a tensor is in training.
type Role uint8

// The roles, in the order in which reports list them and DRAM holds them.
const (
	Weight                 Role = iota // W^n
	WeightGradient                     // dW^n
	Potential                          // U^{t,n}
	PotentialError                     // gamma^{t,n}
	ClassifierWeight                   // W_c
	ClassifierGradient                 // dW_c
	ClassifierPotential                // U_c^t
	ClassifierError                    // gamma_c^t
	ClassifierDelta                    // delta_c: the loss's error, the same at every step of an interval
	Spikes                             // S^{t,n} after addition and pooling, packed
	Input                              // X^t
	Label                              // Y
	PoolPotential                      // U_p^{t,n}: pooling neurons after layer n
	PoolError                          // gamma_p^{t,n}
	NormParameter                      // batch norm gain and bias
	NormGradient                       // their gradients
	NormStatistic                      // running mean and variance
	NormSaved                          // normalised synaptic sum and 1/std, for the backward pass
	Bias                               // b^n
	BiasGradient                       // db^n
	ClassifierBias                     // b_c
	ClassifierBiasGradient             // db_c
	ClassifierBiasMoment
	Trace           // of what a projection reads, in place of it in the gradient
	ClassifierTrace // of what a classifier reads
	// States that neurons have beside U, and their errors: of layers, of pooling
	// neurons, of classifiers.
	Current
	CurrentError
	PoolCurrent
	PoolCurrentError
	ClassifierCurrent
	ClassifierCurrentError
	Adaptation
	AdaptationError
	PoolAdaptation
	PoolAdaptationError
	ClassifierAdaptation
	ClassifierAdaptationError
	PoolChoice       // which neuron of a window is the largest
	Moment           // optimizer state of W^n: one tensor for SGD, two for Adam
	ClassifierMoment // of W_c
	NormMoment       // of gain and bias
	BiasMoment       // of b^n
	NeuronParameter  // what differs from neuron to neuron of layer n: leaks, thresholds

	// On chip only, unless the layer buffer is small or something reads them a step
	// later.
	OwnSpikes               // S of layer n's own neurons before an addition
	SynapticError           // error of layer n's synaptic sum, behind its batch norm
	OutputError             // error of a residual sum, for its other operand
	ClassifierSynapticError // error of the classifier's synaptic sum, where it is not that of its potentials
	LogitSum                // sum of the potentials or currents that a classifier reads out
	SpikeCount              // classifier spikes of the interval

	// On chip, whatever its size.
	RandomWeight   // W_c regenerated on chip
	RandomFeedback // fb^n regenerated on chip: from the classifier straight to a layer
	PartialSum     // sums of a tile that has not gone through all its inputs
	NormSums       // batch norm's sums over a batch that is cut
	numRoles
)

// Count is the number of roles.
const Count = int(numRoles)

// InMemory is the number of roles whose tensors may have an address in DRAM;
// they are numbered from 0.
const InMemory = int(RandomWeight)

// Owner tells what a tensor's index counts.
type Owner uint8

// The owners.
const (
	OfNetwork    Owner = iota // there is one: index 0
	OfProjection              // weighted projections: 1..N are the layers' first, the others follow
	OfLayer                   // trainable layers 1..N
	OfClassifier              // local blocks 1..
)

// Lifetime tells how long a value of a tensor holds, and so what its step
// counts.
type Lifetime uint8

// The lifetimes.
const (
	Forever     Lifetime = iota // the whole iteration: step 0
	PerInterval                 // until the optimizer changes it: step counts finished intervals
	Accumulated                 // a sum over an interval's steps: step is the t up to which it goes
	PerStep                     // a time step: step is t
	PerFrame                    // like PerStep, or Forever if the input is the same at every step
)

// Slots tells how many values of a tensor DRAM holds at a time.
type Slots uint8

// The numbers of slots.
const (
	NoSlot  Slots = iota // it has no address, unless the layer buffer is small
	OneSlot              // the new value takes the old one's place
	History              // max(k, 2): the paper's "separate locations" of an interval's steps
	Frames               // one for every step of the iteration, or one for all
)

// Format tells how a value of a tensor is stored.
type Format uint8

// The formats.
const (
	Number  Format = iota // a word in the machine's number format
	Spike                 // as many bits as the largest value needs, packed
	Integer               // a word that holds a whole number
	Double                // IEEE 754 binary64, whatever the machine's number format (docs/numerics.md)
)

// Row is what the table knows of a role.
type Row struct {
	Name     string // lower case, plural: the key in reports and JSON
	Symbol   string // in the paper's notation
	Owner    Owner
	Lifetime Lifetime
	Buffer   Buffer
	Slots    Slots
	Format   Format
	// Shape returns the extents of the tensor with an index: of a map
	// [sample][row][column][channel], of weights [kernel row][kernel
	// column][input channel][output channel].
	Shape func(s *Sizes, index int) Extents
	// Bits returns the bits of a value whose format is [Spike]; nil is 1.
	Bits func(s *Sizes, index int) int
	// Carried tells that what one step leaves, a later one takes up: it may stay on
	// chip between them.
	Carried bool
	// Outcome tells that the host reads it after the iteration.
	Outcome bool
	// Deviations tells that beside the values of each channel stands one
	// [Double].
	Deviations bool
	// AfterPool tells that it has a value for each of a layer's neurons after
	// addition and pooling, Kept that the optimizer keeps it for each parameter.
	AfterPool, Kept bool
	// Trained, of parameters, names what training them takes.
	Trained *Trained
	// Few tells that it is a few words for each channel, neuron or sample: nothing
	// that is worth cutting.
	Few bool
}

// Layout is the order in which the tensors of one layer, of one classifier and of
// the network stand in DRAM: those of all layers first, each with its first
// projection's, then those of the other projections, then the others'.
var Layout = [...][]Role{
	OfLayer: {
		Weight, WeightGradient, Potential, PotentialError, Spikes, PoolPotential, PoolError,
		NormParameter, NormGradient, NormStatistic, NormSaved, NormMoment, Moment,
		Bias, BiasGradient, BiasMoment, OwnSpikes, SynapticError, PoolChoice,
		Trace, Current, CurrentError, PoolCurrent, PoolCurrentError, Adaptation, AdaptationError, PoolAdaptation, PoolAdaptationError,
		NeuronParameter,
	},
	OfClassifier: {
		ClassifierWeight, ClassifierGradient, ClassifierMoment, ClassifierPotential, ClassifierError, ClassifierDelta,
		ClassifierBias, ClassifierBiasGradient, ClassifierBiasMoment, ClassifierTrace,
		ClassifierCurrent, ClassifierCurrentError, ClassifierAdaptation, ClassifierAdaptationError,
	},
	OfNetwork: {Input, Label},
}

// Trained is what belongs to parameters that learn.
type Trained struct{ Gradient, Moment Role }

// table has a row for every role.
var table = [numRoles]Row{
	Weight:                    {Name: "weights", Symbol: "W", Owner: OfProjection, Lifetime: PerInterval, Buffer: WeightBuffer, Slots: OneSlot, Shape: weights, Trained: &Trained{WeightGradient, Moment}, Carried: true, Outcome: true},
	WeightGradient:            {Name: "gradients", Symbol: "dW", Owner: OfProjection, Lifetime: Accumulated, Buffer: GradientBuffer, Slots: OneSlot, Shape: weights, Carried: true},
	Potential:                 {Name: "potentials", Symbol: "U", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Slots: History, Shape: neurons, Carried: true, Outcome: true},
	PotentialError:            {Name: "errors", Symbol: "γ", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: neurons, Carried: true},
	ClassifierWeight:          {Name: "classifier_weights", Symbol: "W_c", Owner: OfClassifier, Lifetime: PerInterval, Buffer: WeightBuffer, Slots: OneSlot, Shape: classifierWeights, Trained: &Trained{ClassifierGradient, ClassifierMoment}, Carried: true, Outcome: true},
	ClassifierGradient:        {Name: "classifier_gradients", Symbol: "dW_c", Owner: OfClassifier, Lifetime: Accumulated, Buffer: GradientBuffer, Slots: OneSlot, Shape: classifierWeights, Carried: true},
	ClassifierPotential:       {Name: "classifier_potentials", Symbol: "U_c", Owner: OfClassifier, Lifetime: PerStep, Buffer: StateBuffer, Slots: History, Shape: classes, Carried: true, Outcome: true},
	ClassifierError:           {Name: "classifier_errors", Symbol: "γ_c", Owner: OfClassifier, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: classes, Carried: true},
	ClassifierDelta:           {Name: "classifier_deltas", Symbol: "δ_c", Owner: OfClassifier, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: classes, Carried: true},
	Spikes:                    {Name: "spikes", Symbol: "S", Owner: OfLayer, Lifetime: PerStep, Buffer: SpikeBuffer, Slots: History, Format: Spike, Shape: pooled, Bits: valueBits, AfterPool: true},
	Input:                     {Name: "input", Symbol: "X", Owner: OfNetwork, Lifetime: PerFrame, Buffer: SpikeBuffer, Slots: Frames, Format: Spike, Shape: frame, Carried: true},
	Label:                     {Name: "labels", Symbol: "Y", Owner: OfNetwork, Lifetime: Forever, Buffer: SpikeBuffer, Slots: OneSlot, Format: Integer, Shape: labels, Few: true},
	PoolPotential:             {Name: "pooling_potentials", Symbol: "U_p", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Slots: History, Shape: pooled, Carried: true, Outcome: true, AfterPool: true},
	PoolError:                 {Name: "pooling_errors", Symbol: "γ_p", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: pooled, Carried: true, AfterPool: true},
	NormParameter:             {Name: "norm_parameters", Symbol: "BN", Owner: OfLayer, Lifetime: PerInterval, Buffer: WeightBuffer, Slots: OneSlot, Shape: gainAndBias, Few: true, Trained: &Trained{NormGradient, NormMoment}, Carried: true, Outcome: true},
	NormGradient:              {Name: "norm_gradients", Symbol: "dBN", Owner: OfLayer, Lifetime: Accumulated, Buffer: GradientBuffer, Slots: OneSlot, Shape: gainAndBias, Few: true, Carried: true},
	NormStatistic:             {Name: "norm_statistics", Symbol: "BN_run", Owner: OfLayer, Lifetime: PerStep, Buffer: WeightBuffer, Slots: OneSlot, Shape: gainAndBias, Few: true, Carried: true, Outcome: true},
	NormSaved:                 {Name: "norm_saved", Symbol: "BN_x", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Slots: History, Shape: neurons, Deviations: true},
	Moment:                    {Name: "moments", Symbol: "V", Owner: OfProjection, Lifetime: PerInterval, Buffer: GradientBuffer, Slots: OneSlot, Shape: moments, Carried: true, Outcome: true, Kept: true},
	ClassifierMoment:          {Name: "classifier_moments", Symbol: "V_c", Owner: OfClassifier, Lifetime: PerInterval, Buffer: GradientBuffer, Slots: OneSlot, Shape: classifierMoments, Carried: true, Outcome: true, Kept: true},
	Bias:                      {Name: "biases", Symbol: "b", Owner: OfLayer, Lifetime: PerInterval, Buffer: WeightBuffer, Slots: OneSlot, Shape: bias, Few: true, Trained: &Trained{BiasGradient, BiasMoment}, Carried: true, Outcome: true},
	BiasGradient:              {Name: "bias_gradients", Symbol: "db", Owner: OfLayer, Lifetime: Accumulated, Buffer: GradientBuffer, Slots: OneSlot, Shape: bias, Few: true, Carried: true},
	BiasMoment:                {Name: "bias_moments", Symbol: "V_b", Owner: OfLayer, Lifetime: PerInterval, Buffer: GradientBuffer, Slots: OneSlot, Shape: biasMoments, Few: true, Carried: true, Outcome: true, Kept: true},
	PoolChoice:                {Name: "pooling_choices", Symbol: "j", Owner: OfLayer, Lifetime: PerStep, Buffer: SpikeBuffer, Slots: History, Format: Spike, Shape: pooled, Bits: placeBits, AfterPool: true},
	NeuronParameter:           {Name: "neuron_parameters", Symbol: "φ", Owner: OfLayer, Lifetime: Forever, Buffer: WeightBuffer, Slots: OneSlot, Shape: neuronParameters, Few: true, Carried: true},
	ClassifierBias:            {Name: "classifier_biases", Symbol: "b_c", Owner: OfClassifier, Lifetime: PerInterval, Buffer: WeightBuffer, Slots: OneSlot, Shape: classValues, Few: true, Trained: &Trained{ClassifierBiasGradient, ClassifierBiasMoment}, Carried: true, Outcome: true},
	ClassifierBiasGradient:    {Name: "classifier_bias_gradients", Symbol: "db_c", Owner: OfClassifier, Lifetime: Accumulated, Buffer: GradientBuffer, Slots: OneSlot, Shape: classValues, Few: true, Carried: true},
	ClassifierBiasMoment:      {Name: "classifier_bias_moments", Symbol: "V_bc", Owner: OfClassifier, Lifetime: PerInterval, Buffer: GradientBuffer, Slots: OneSlot, Shape: classMoments, Few: true, Carried: true, Outcome: true, Kept: true},
	Trace:                     {Name: "traces", Symbol: "x̂", Owner: OfProjection, Lifetime: PerStep, Buffer: StateBuffer, Slots: OneSlot, Shape: projected, Carried: true},
	ClassifierTrace:           {Name: "classifier_traces", Symbol: "x̂_c", Owner: OfClassifier, Lifetime: PerStep, Buffer: StateBuffer, Slots: OneSlot, Shape: classified, Carried: true},
	Current:                   {Name: "currents", Symbol: "i", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Slots: OneSlot, Shape: neurons, Carried: true},
	CurrentError:              {Name: "current_errors", Symbol: "γ_i", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: neurons, Carried: true},
	PoolCurrent:               {Name: "pooling_currents", Symbol: "i_p", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Slots: OneSlot, Shape: pooled, Carried: true, AfterPool: true},
	PoolCurrentError:          {Name: "pooling_current_errors", Symbol: "γ_ip", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: pooled, Carried: true, AfterPool: true},
	ClassifierCurrent:         {Name: "classifier_currents", Symbol: "i_c", Owner: OfClassifier, Lifetime: PerStep, Buffer: StateBuffer, Slots: OneSlot, Shape: classes, Carried: true},
	ClassifierCurrentError:    {Name: "classifier_current_errors", Symbol: "γ_ic", Owner: OfClassifier, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: classes, Carried: true},
	Adaptation:                {Name: "adaptations", Symbol: "A", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Slots: History, Shape: neurons, Carried: true},
	AdaptationError:           {Name: "adaptation_errors", Symbol: "γ_A", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: neurons, Carried: true},
	PoolAdaptation:            {Name: "pooling_adaptations", Symbol: "A_p", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Slots: History, Shape: pooled, Carried: true, AfterPool: true},
	PoolAdaptationError:       {Name: "pooling_adaptation_errors", Symbol: "γ_Ap", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: pooled, Carried: true, AfterPool: true},
	ClassifierAdaptation:      {Name: "classifier_adaptations", Symbol: "A_c", Owner: OfClassifier, Lifetime: PerStep, Buffer: StateBuffer, Slots: History, Shape: classes, Carried: true},
	ClassifierAdaptationError: {Name: "classifier_adaptation_errors", Symbol: "γ_Ac", Owner: OfClassifier, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: classes, Carried: true},
	NormMoment:                {Name: "norm_moments", Symbol: "V_bn", Owner: OfLayer, Lifetime: PerInterval, Buffer: GradientBuffer, Slots: OneSlot, Shape: normMoments, Few: true, Carried: true, Outcome: true, Kept: true},

	OwnSpikes:               {Name: "own_spikes", Symbol: "s", Owner: OfLayer, Lifetime: PerStep, Buffer: SpikeBuffer, Slots: History, Format: Spike, Shape: neurons},
	SynapticError:           {Name: "synaptic_errors", Symbol: "γ_I", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Slots: OneSlot, Shape: neurons},
	OutputError:             {Name: "output_errors", Symbol: "δ_out", Owner: OfLayer, Lifetime: PerStep, Buffer: GradientBuffer, Shape: neurons},
	ClassifierSynapticError: {Name: "classifier_synaptic_errors", Symbol: "γ_Ic", Owner: OfClassifier, Lifetime: PerStep, Buffer: GradientBuffer, Shape: classes},
	LogitSum:                {Name: "logit_sums", Symbol: "Σu_c", Owner: OfClassifier, Lifetime: Forever, Buffer: StateBuffer, Shape: classes},
	SpikeCount:              {Name: "spike_counts", Symbol: "ΣS_c", Owner: OfClassifier, Lifetime: Forever, Buffer: SpikeBuffer, Format: Integer, Shape: classes},

	RandomWeight:   {Name: "random_weights", Symbol: "W_c*", Owner: OfClassifier, Lifetime: Forever, Buffer: WeightBuffer, Shape: classifierWeights},
	RandomFeedback: {Name: "random_feedback", Symbol: "fb*", Owner: OfLayer, Lifetime: Forever, Buffer: WeightBuffer, Shape: feedback},
	PartialSum:     {Name: "partial_sums", Symbol: "I", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Shape: neurons},
	NormSums:       {Name: "norm_sums", Symbol: "ΣI", Owner: OfLayer, Lifetime: PerStep, Buffer: StateBuffer, Format: Double, Shape: threeAChannel},
}

// Row returns what the table knows of the role.
func (r Role) Row() *Row { return &table[r] }

// String returns the role's name in reports.
func (r Role) String() string { return table[r].Name }

// Buffer tells which layer buffer holds the role's tensors.
func (r Role) Buffer() Buffer { return table[r].Buffer }

// OfClassifier tells whether the role's tensors are indexed by block.
func (r Role) OfClassifier() bool { return table[r].Owner == OfClassifier }

// InMemory tells whether the role's tensors may have an address in DRAM.
func (r Role) InMemory() bool { return int(r) < InMemory }

// Buffer is one of the layer buffers, where hardware has one for each kind of
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

// Buffers is the number of kinds of buffer.
const Buffers = int(numBuffers)

// String returns the buffer's name in hardware files and reports.
func (b Buffer) String() string {
	return [...]string{"weights", "states", "gradients", "spikes"}[b]
}

// frameFormat is how the network's input is stored: one bit a value, or a word.
func frameFormat(e network.Encoding) Format {
	if e == network.Direct {
		return Number
	}
	return Spike
}
