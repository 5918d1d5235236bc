package role

import "fmt"

// Tensor names one value of a tensor: its role, of which layer (or block), as of
// which step. What the step counts is the role's [Lifetime].
type Tensor struct {
	Class Role
	Index int // layer 1..N, or block 1.. of a classifier's; 0 for X and Y
	Step  int
}

// String prints the tensor in the paper's symbols, such as U^{3,2} or W^2. Of
// what holds for an interval or is summed over it the step is left out.
func (t Tensor) String() string {
	row := &table[t.Class]
	switch {
	case row.Owner == OfNetwork && t.Step == 0:
		return row.Symbol
	case row.Owner == OfNetwork:
		return fmt.Sprintf("%s^%d", row.Symbol, t.Step)
	case row.Lifetime == PerStep:
		return fmt.Sprintf("%s^{%d,%d}", row.Symbol, t.Step, t.Index)
	}
	return fmt.Sprintf("%s^%d", row.Symbol, t.Index)
}

// Later returns the tensor as a later interval of k steps names it.
func (t Tensor) Later(intervals, k int) Tensor {
	switch table[t.Class].Lifetime {
	case Forever, PerFrame:
	case PerInterval:
		t.Step += intervals
	case Accumulated, PerStep:
		t.Step += intervals * k
	}
	return t
}

// At names the role's tensor of a layer, or of a block if it is a classifier's,
// as of a step.
func (r Role) At(index, step int) Tensor { return Tensor{r, index, step} }
