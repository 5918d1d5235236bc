package analytic

import (
	"math/big"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// Step is a kind of step of an iteration.
type Step int

// The kinds of step, as Figure 8 tells them apart.
const (
	Forward Step = iota // every step
	Middle              // backward at t < t_k
	End                 // backward at t = t_k, the last step of an interval
	Later               // of these, but for the first interval's
)

// String names the step.
func (s Step) String() string { return [...]string{"forward", "middle", "end", "later"}[s] }

// Quantity is what a term counts.
type Quantity int

// The quantities of Eqs. 11-17. Reads and Writes are words, Adds and MACs
// operations.
const (
	Reads Quantity = iota
	Writes
	Adds
	MACs
	quantities
)

// String names the quantity.
func (q Quantity) String() string { return [...]string{"reads", "writes", "adds", "macs"}[q] }

// Classifier is the [Term.Layer] of a block's classifier.
const Classifier = 0

// Term is one summand of Eqs. 11-17: what one layer of a block, or its
// classifier, contributes to one step.
type Term struct {
	Equation int
	Step     Step
	Quantity Quantity
	Block    int
	Layer    int           // 1..N, or [Classifier]
	Name     string        // the tensor that moves, or the factors of the operations
	Dense    int64         // words, or operations if every input were non-zero
	Density  units.Density // 1 for words, MACs and temporal additions
}

// Value returns Density x Dense: what one step contributes.
func (t Term) Value() *big.Rat {
	r := new(big.Rat).SetInt64(t.Dense)
	return r.Mul(r, t.Density.Rat())
}

var full, _ = units.Ratio(1, 1) // cannot fail

// sizes are the |W|, |U| and M of a layer or classifier: U and M include the
// batch, BatchW is N_b |W|.
type sizes struct {
	W, U, M, BatchW int64
	density         units.Density // of its input
	delayed         bool          // it reads values of the step before
	inside          bool          // errors pass through its weights within the block
}

// rule is how a block learns, as far as terms differ.
type rule struct {
	network.Rule
	gamma     bool // somebody reads gamma: an interval has more than one backward step
	trainable bool // the classifier's weights
}

// fedBack tells whether the error of a layer's output comes straight from the
// classifier of its block.
func (r rule) fedBack(b network.Block, layer int) bool {
	return layer != network.InputLayer && r.FeedsBack(layer, []network.Block{b})
}

// projectionSizes are those of one weighted projection of a layer; U is the
// layer's.
func (m *Model) projectionSizes(b network.Block, l *network.Layer, p network.Projection) (sizes, error) {
	batch := int64(m.workload.Batch)
	s := sizes{
		W: int64(l.WeightsOf(p)), density: m.workload.Activity.Of(p.From),
		delayed: p.Delay > 0, inside: b.Inside(p),
	}
	return s, products(
		product{&s.U, []int64{int64(l.Neurons()), batch}},
		product{&s.M, []int64{s.W, int64(l.Out.Positions()), batch}},
		product{&s.BatchW, []int64{s.W, batch}},
	)
}

// classifierSizes returns |W_c|, |U_c| and |W_c||U_c|/N_c, which is N_b |W_c|.
func (m *Model) classifierSizes(b network.Block) (sizes, error) {
	batch := int64(m.workload.Batch)
	s := sizes{
		W:       int64(m.workload.Net.ClassifierWeights(b)),
		density: m.workload.Activity.Classifier(b, len(m.Blocks)),
	}
	return s, products(
		product{&s.U, []int64{int64(m.workload.Net.Classes), batch}},
		product{&s.M, []int64{s.W, batch}},
		product{&s.BatchW, []int64{s.W, batch}},
	)
}

type product struct {
	to      *int64
	factors []int64
}

// products evaluates each product, refusing overflow.
func products(list ...product) error {
	for _, p := range list {
		v, err := units.Mul(p.factors...)
		if err != nil {
			return err
		}
		*p.to = v
	}
	return nil
}

// collector appends terms of one block.
type collector struct {
	terms []Term
	block int
}

func (c *collector) add(equation int, step Step, q Quantity, layer int, name string, dense int64, density units.Density) {
	c.terms = append(c.terms, Term{
		Equation: equation, Step: step, Quantity: q, Block: c.block, Layer: layer,
		Name: name, Dense: dense, Density: density,
	})
}

// blockTerms lists all terms of block b, forward steps first.
func (m *Model) blockTerms(b network.Block) ([]Term, error) {
	training := m.workload.Training
	c := &collector{block: b.Index}
	r := rule{training.Rule, training.Rule.Backward(m.k) > 1, training.Classifier == network.Trainable}
	for _, n := range b.Layers() {
		l := m.workload.Net.Layer(n)
		first := true
		for _, p := range l.Inputs {
			if !p.Weighted() {
				continue
			}
			s, err := m.projectionSizes(b, l, p)
			if err != nil {
				return nil, err
			}
			if first {
				c.neurons(n, s.U, n == b.Last, r.gamma, m.workload.NeuronOf(l))
			}
			first = false
			s.inside = s.inside && !r.fedBack(b, p.From) && !r.fedBack(b, n)
			c.projection(n, s, r)
		}
		if r.fedBack(b, n) {
			if err := c.feedback(n, l, m.workload); err != nil {
				return nil, err
			}
		}
	}
	s, err := m.classifierSizes(b)
	if err != nil {
		return nil, err
	}
	c.classifier(s, r, m.options.KeepClassifierReads, !r.fedBack(b, b.Last), m.workload.ClassifierNeuron())
	return c.terms, nil
}

// neurons lists the terms of a layer's states and errors. At t = t_k the top
// layer's states are still on chip, and nothing comes from t+1. Nobody reads gamma
// if the interval has no other step.
func (c *collector) neurons(n int, size int64, top, gamma bool, neuron network.Neuron) {
	c.add(11, Forward, Reads, n, "U(t-1)", size, full)
	c.add(11, Forward, Writes, n, "U", size, full)
	c.add(12, Middle, Reads, n, "U", size, full)
	c.add(12, Middle, Reads, n, "gamma(t+1)", size, full)
	c.add(13, Middle, Writes, n, "gamma", size, full)
	c.add(16, Middle, Adds, n, "U tau, theta", temporalTerms(neuron)*size, full)
	if !top {
		c.add(14, End, Reads, n, "U", size, full)
	}
	if gamma {
		c.add(13, End, Writes, n, "gamma", size, full)
	}
}

// temporalTerms is how many terms come from t+1 for a neuron: tau gamma and theta
// gamma, this only where errors flow through the reset.
func temporalTerms(n network.Neuron) int64 {
	if n.ConstantReset {
		return 1
	}
	return 2
}

// projection lists the terms of one projection's weights. Errors pass through them
// if what it reads is made in the block; over a delay they come from t+1, so not at
// t = t_k, when dW starts from zero, too.
func (c *collector) projection(n int, s sizes, r rule) {
	c.add(11, Forward, Reads, n, "W", s.W, full)
	c.add(15, Forward, Adds, n, "a M", s.M, s.density)

	c.add(12, Middle, Reads, n, "dW", s.W, full)
	if s.inside {
		c.add(12, Middle, Reads, n, "W", s.W, full)
		c.add(17, Middle, MACs, n, "M", s.M, full)
	}
	c.add(13, Middle, Writes, n, "dW", s.W, full)
	c.gradient(Middle, n, "N_b a W", s, r)

	if s.inside && !s.delayed {
		c.add(14, End, Reads, n, "W", s.W, full)
		c.add(17, End, MACs, n, "M", s.M, full)
	}
	c.add(13, End, Writes, n, "dW", s.W, full)
	c.gradient(End, n, "N_b a W", s, r)
	if r.OnceAnIteration { // dW goes on from the interval before
		c.add(14, Later, Reads, n, "dW", s.W, full)
	}
}

// gradient lists the operations of Eq. 7: an addition for each event, or, with a
// trace in place of events, a MAC for each value.
func (c *collector) gradient(step Step, n int, name string, s sizes, r rule) {
	if r.Trace != network.NoTrace {
		c.add(17, step, MACs, n, "N_b W", s.BatchW, full)
		return
	}
	c.add(16, step, Adds, n, name, s.BatchW, s.density)
}

// feedback lists the operations of an error that comes straight from the classifier:
// as many as there are random weights, for each sample.
func (c *collector) feedback(n int, l *network.Layer, w *network.Workload) error {
	macs, err := units.Mul(l.Pooled.Size(), w.Net.Classes, w.Batch)
	if err != nil {
		return err
	}
	c.add(17, Middle, MACs, n, "N_b fb", int64(macs), full)
	c.add(17, End, MACs, n, "N_b fb", int64(macs), full)
	return nil
}

// classifier lists the classifier's terms of all steps. A random one has its
// weights generated on chip and no gradient: they move never, but they still
// work forward (Eq. 15) and pass errors down (Eq. 17).
func (c *collector) classifier(s sizes, r rule, keepReads, passes bool, neuron network.Neuron) {
	if r.trainable {
		c.add(11, Forward, Reads, Classifier, "W_c", s.W, full)
	}
	c.add(11, Forward, Reads, Classifier, "U_c(t-1)", s.U, full)
	c.add(11, Forward, Writes, Classifier, "U_c", s.U, full)
	c.add(15, Forward, Adds, Classifier, "a_c W_c U_c / N_c", s.M, s.density)

	if r.trainable {
		if passes {
			c.add(12, Middle, Reads, Classifier, "W_c", s.W, full)
		}
		c.add(12, Middle, Reads, Classifier, "dW_c", s.W, full)
		c.add(13, Middle, Writes, Classifier, "dW_c", s.W, full)
		c.gradient(Middle, Classifier, "N_b a_c W_c", s, r)
	}
	c.add(12, Middle, Reads, Classifier, "U_c", s.U, full)
	c.add(12, Middle, Reads, Classifier, "gamma_c(t+1)", s.U, full)
	c.add(12, Middle, Reads, Classifier, "delta_c", s.U, full)
	c.add(13, Middle, Writes, Classifier, "gamma_c", s.U, full)
	c.add(16, Middle, Adds, Classifier, "U_c tau, theta", temporalTerms(neuron)*s.U, full)

	if r.trainable && passes || keepReads {
		c.add(14, End, Reads, Classifier, "W_c", s.W, full)
	}
	if passes {
		c.add(17, Middle, MACs, Classifier, "W_c U_c / N_c", s.M, full)
		c.add(17, End, MACs, Classifier, "W_c U_c / N_c", s.M, full)
	}
	if r.trainable {
		c.add(13, End, Writes, Classifier, "dW_c", s.W, full)
		c.gradient(End, Classifier, "N_b a_c W_c", s, r)
		if r.OnceAnIteration {
			c.add(14, Later, Reads, Classifier, "dW_c", s.W, full)
		}
	}
	if r.gamma {
		c.add(13, End, Writes, Classifier, "gamma_c", s.U, full)
	}
}
