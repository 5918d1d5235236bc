package network

// Rule is how a network learns besides the paper's pair (k, n). The zero Rule is
// the paper's.
type Rule struct {
	// OnceAnIteration updates the weights after step T, with gradients summed over
	// all intervals; otherwise after every interval.
	OnceAnIteration bool
	Trace           Trace
	TraceDecay      float64 // with [FixedTrace]
	Feedback        Feedback
	// BackwardSteps is the number of an interval's last steps whose errors and
	// gradients are computed; 0 stands for all k.
	BackwardSteps int
}

// Trace tells by what the input is replaced in the gradient of a weight.
type Trace uint8

// The traces: decay trace' + x, zero before step 1.
const (
	NoTrace    Trace = iota
	FixedTrace       // a decay of its own
	LeakTrace        // the receiving layer's leak
)

// Feedback tells where the error of a layer's output comes from.
type Feedback string

// The kinds of feedback.
const (
	Backprop       Feedback = ""           // through the weights of its readers: the paper's
	DirectFeedback Feedback = "direct"     // from the block's classifier through a fixed random matrix, but for the block's last layer
	DirectToAll    Feedback = "direct-all" // for the last one, too
)

// Readout tells what a classifier's logits are.
type Readout string

// The readouts.
const (
	RateReadout      Readout = ""          // the rates of its spikes: the paper's
	PotentialReadout Readout = "potential" // the mean of potentials that leak, but neither fire nor reset
	CurrentReadout   Readout = "current"   // the mean of currents
)

// IsPaper tells whether the rule is the paper's.
func (r Rule) IsPaper() bool { return r == Rule{} }
