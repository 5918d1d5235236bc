package network

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/units"
)

// Rule is how a network learns besides the paper's pair (k, n). The zero Rule is
// the paper's.
type Rule struct {
	// OnceAnIteration updates the weights after step T, with gradients summed over
	// all intervals; otherwise after every interval.
	OnceAnIteration bool
	Trace           Trace
	TraceDecay      float64 // with [FixedTrace]
	Feedback        Feedback
	// Inference learns nothing: all steps run forward, and none backward. Files have no
	// key for it.
	Inference bool
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

// readouts are their names in files.
func readouts() []string {
	return []string{"spikes", string(PotentialReadout), string(CurrentReadout)}
}

// readoutOf returns the readout of a name.
func readoutOf(name string) Readout {
	if name == "spikes" {
		return RateReadout
	}
	return Readout(name)
}

// Name returns the readout as files write it.
func (r Readout) Name() string {
	if r == RateReadout {
		return "spikes"
	}
	return string(r)
}

// IsPaper tells whether the rule is the paper's.
func (r Rule) IsPaper() bool { return r == Rule{} }

// The words of a file.
var (
	updates   = []string{"interval", "iteration"}
	feedbacks = []string{"backprop", string(DirectFeedback), string(DirectToAll)}
)

// ruleFile is a rule as a file describes it.
type ruleFile struct {
	Update        *config.Node `yaml:"update" is:"update"`
	Trace         *config.Node `yaml:"trace" is:"trace"`
	Feedback      *config.Node `yaml:"feedback" is:"feedback"`
	BackwardSteps *config.Node `yaml:"backward_steps" is:"extent"`
}

// ruleKey names a key of a rule, in a section or, in a file of the rule's own, in none.
func ruleKey(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// fill overwrites what is given.
func (f *ruleFile) fill(d *config.Document, section string, r *Rule) error {
	if f.Update != nil {
		name, err := pick(d, f.Update, ruleKey(section, "update"), updates)
		if err != nil {
			return err
		}
		r.OnceAnIteration = name == "iteration"
	}
	if n := f.Trace; n != nil {
		decay, err := units.ParseNumber(n.Text)
		switch {
		case n.Kind == config.Scalar && n.Text == "none":
			r.Trace, r.TraceDecay = NoTrace, 0
		case n.Kind == config.Scalar && n.Text == "leak":
			r.Trace, r.TraceDecay = LeakTrace, 0
		case n.Kind == config.Scalar && !n.Quoted && err == nil && decay >= 0 && decay <= 1:
			r.Trace, r.TraceDecay = FixedTrace, decay
		default:
			return d.At(n.Line, ruleKey(section, "trace"), "is %q; write a decay between 0 and 1, leak for the receiving layer's, or none", n.Text)
		}
	}
	if f.Feedback != nil {
		name, err := pick(d, f.Feedback, ruleKey(section, "feedback"), feedbacks)
		if err != nil {
			return err
		}
		if r.Feedback = Feedback(name); name == "backprop" {
			r.Feedback = Backprop
		}
	}
	if n := f.BackwardSteps; n != nil {
		if n.Kind == config.Scalar && n.Text == "all" {
			r.BackwardSteps = 0
			return nil
		}
		steps, err := units.ParseInteger(n.Text)
		if n.Kind != config.Scalar || n.Quoted || err != nil || steps < 1 || steps > maxNumber {
			return d.At(n.Line, ruleKey(section, "backward_steps"), "is %q; write a whole number, at least 1 and at most k, or all", n.Text)
		}
		r.BackwardSteps = int(steps)
	}
	return nil
}

// Check refuses a rule that cannot be with a truncation interval and blocks.
func (r Rule) Check(k int, blocks []Block) error {
	if r.Inference {
		return nil
	}
	single := true
	for _, b := range blocks {
		single = single && b.First == b.Last
	}
	switch {
	case r.Trace != NoTrace && k != 1:
		return fmt.Errorf("a trace needs k = 1, not %d: errors of later steps would meet the trace twice", k)
	case r.BackwardSteps > k:
		return fmt.Errorf("backward_steps is %d, more than the %d steps of an interval", r.BackwardSteps, k)
	case r.Feedback == DirectFeedback && single:
		return fmt.Errorf("direct feedback goes to all layers of a block but its last; here every block has one layer: use larger blocks or feedback: %s", DirectToAll)
	}
	return nil
}

// FeedsBack tells whether the error of layer l's output comes straight from the
// classifier of its block.
func (r Rule) FeedsBack(l int, blocks []Block) bool {
	switch r.Feedback {
	case DirectToAll:
		return true
	case DirectFeedback:
		for _, b := range blocks {
			if b.Has(l) {
				return l != b.Last
			}
		}
	case Backprop:
	}
	return false
}

// Backward returns the steps of an interval of k that run backward.
func (r Rule) Backward(k int) int {
	if r.Inference {
		return 0
	}
	if r.BackwardSteps == 0 {
		return k
	}
	return r.BackwardSteps
}

// Decay returns the decay of a trace of a layer with that leak.
func (r Rule) Decay(leak float64) float64 {
	if r.Trace == LeakTrace {
		return leak
	}
	return r.TraceDecay
}

// Choices are the keys of a rule as files write them.
type Choices struct{ Update, Trace, Feedback string }

// Choices returns what the rule chooses.
func (r Rule) Choices() Choices {
	c := Choices{"interval", "none", "backprop"}
	if r.OnceAnIteration {
		c.Update = "iteration"
	}
	switch r.Trace {
	case FixedTrace:
		c.Trace = fmt.Sprint(r.TraceDecay)
	case LeakTrace:
		c.Trace = "leak"
	case NoTrace:
	}
	if r.Feedback != Backprop {
		c.Feedback = string(r.Feedback)
	}
	return c
}

// String lists what differs from the paper's rule.
func (r Rule) String() string {
	var parts []string
	if r.Inference {
		parts = append(parts, "inference")
	}
	own, papers := r.Choices(), Rule{}.Choices()
	for _, c := range []struct{ key, value, papers string }{
		{"update", own.Update, papers.Update}, {"trace", own.Trace, papers.Trace}, {"feedback", own.Feedback, papers.Feedback},
	} {
		if c.value != c.papers {
			parts = append(parts, c.key+": "+c.value)
		}
	}
	if r.BackwardSteps > 0 {
		parts = append(parts, fmt.Sprintf("backward_steps: %d", r.BackwardSteps))
	}
	return strings.Join(parts, ", ")
}
