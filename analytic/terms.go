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
)

// String names the step.
func (s Step) String() string { return [...]string{"forward", "middle", "end"}[s] }

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
}

func (m *Model) layerSizes(l *network.Layer) (sizes, error) {
	batch := int64(m.workload.Batch)
	s := sizes{W: int64(l.Weights()), density: m.workload.Activity.Of(l.First().From)}
	return s, products(
		product{&s.U, []int64{int64(l.Neurons()), batch}},
		product{&s.M, []int64{l.DenseAdditions(), batch}},
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
	c := &collector{block: b.Index}
	for _, n := range b.Layers() {
		l := m.workload.Net.Layer(n)
		s, err := m.layerSizes(l)
		if err != nil {
			return nil, err
		}
		c.forward(n, s)
		c.middle(n, s, b.Inside(*l.First()))
		c.end(n, s, b.Inside(*l.First()), n == b.Last, m.k > 1)
	}
	s, err := m.classifierSizes(b)
	if err != nil {
		return nil, err
	}
	c.classifier(s, m.workload.Training.Classifier == network.Trainable, m.options.KeepClassifierReads, m.k > 1)
	return c.terms, nil
}

// forward lists a layer's terms of every forward step.
func (c *collector) forward(n int, s sizes) {
	c.add(11, Forward, Reads, n, "W", s.W, full)
	c.add(11, Forward, Reads, n, "U(t-1)", s.U, full)
	c.add(11, Forward, Writes, n, "U", s.U, full)
	c.add(15, Forward, Adds, n, "a M", s.M, s.density)
}

// middle lists a layer's terms of a backward step at t < t_k. Errors pass
// down through the weights of a layer whose input the block produces (inside).
func (c *collector) middle(n int, s sizes, inside bool) {
	c.add(12, Middle, Reads, n, "dW", s.W, full)
	c.add(12, Middle, Reads, n, "U", s.U, full)
	c.add(12, Middle, Reads, n, "gamma(t+1)", s.U, full)
	if inside {
		c.add(12, Middle, Reads, n, "W", s.W, full)
		c.add(17, Middle, MACs, n, "M", s.M, full)
	}
	c.add(13, Middle, Writes, n, "dW", s.W, full)
	c.add(13, Middle, Writes, n, "gamma", s.U, full)
	c.add(16, Middle, Adds, n, "N_b a W", s.BatchW, s.density)
	c.add(16, Middle, Adds, n, "U tau, theta", 2*s.U, full)
}

// end lists a layer's terms of the backward step at t = t_k: the top layer's
// states are still on chip, dW starts from zero and nothing comes from t+1.
// Nobody reads gamma if the interval has no other step.
func (c *collector) end(n int, s sizes, inside, top, gamma bool) {
	if inside {
		c.add(14, End, Reads, n, "W", s.W, full)
		c.add(17, End, MACs, n, "M", s.M, full)
	}
	if !top {
		c.add(14, End, Reads, n, "U", s.U, full)
	}
	c.add(13, End, Writes, n, "dW", s.W, full)
	if gamma {
		c.add(13, End, Writes, n, "gamma", s.U, full)
	}
	c.add(16, End, Adds, n, "N_b a W", s.BatchW, s.density)
}

// classifier lists the classifier's terms of all steps. A random one has its
// weights generated on chip and no gradient: they move never, but they still
// work forward (Eq. 15) and pass errors down (Eq. 17).
func (c *collector) classifier(s sizes, trainable, keepReads, gamma bool) {
	if trainable {
		c.add(11, Forward, Reads, Classifier, "W_c", s.W, full)
	}
	c.add(11, Forward, Reads, Classifier, "U_c(t-1)", s.U, full)
	c.add(11, Forward, Writes, Classifier, "U_c", s.U, full)
	c.add(15, Forward, Adds, Classifier, "a_c W_c U_c / N_c", s.M, s.density)

	if trainable {
		c.add(12, Middle, Reads, Classifier, "W_c", s.W, full)
		c.add(12, Middle, Reads, Classifier, "dW_c", s.W, full)
		c.add(13, Middle, Writes, Classifier, "dW_c", s.W, full)
		c.add(16, Middle, Adds, Classifier, "N_b a_c W_c", s.BatchW, s.density)
	}
	c.add(12, Middle, Reads, Classifier, "U_c", s.U, full)
	c.add(12, Middle, Reads, Classifier, "gamma_c(t+1)", s.U, full)
	c.add(12, Middle, Reads, Classifier, "delta_c", s.U, full)
	c.add(13, Middle, Writes, Classifier, "gamma_c", s.U, full)
	c.add(16, Middle, Adds, Classifier, "U_c tau, theta", 2*s.U, full)
	c.add(17, Middle, MACs, Classifier, "W_c U_c / N_c", s.M, full)

	if trainable || keepReads {
		c.add(14, End, Reads, Classifier, "W_c", s.W, full)
	}
	if trainable {
		c.add(13, End, Writes, Classifier, "dW_c", s.W, full)
		c.add(16, End, Adds, Classifier, "N_b a_c W_c", s.BatchW, s.density)
	}
	if gamma {
		c.add(13, End, Writes, Classifier, "gamma_c", s.U, full)
	}
	c.add(17, End, MACs, Classifier, "W_c U_c / N_c", s.M, full)
}
