package analytic

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/units"
)

// Cost is what Eq. 18 weighs for one design.
type Cost struct {
	Accuracy     float64 // in any unit above 0, the same for both designs
	Memory       units.Words
	MemoryAccess units.Words
	Adds, MACs   int64
}

// CostOf combines an accuracy with what the equations say of a design.
func CostOf(accuracy float64, memory units.Words, c Counts) Cost {
	return Cost{Accuracy: accuracy, Memory: memory, MemoryAccess: c.MemoryAccess(), Adds: c.Adds(), MACs: c.MACs()}
}

// Weights are the factors of Eq. 18's terms.
type Weights struct{ AccuracyLoss, Memory, MemoryAccess, Adds, MACs float64 }

// PaperWeights are those of Eq. 18: accuracy against cost in equal parts.
var PaperWeights = Weights{AccuracyLoss: 1, Memory: 0.25, MemoryAccess: 0.25, Adds: 0.25, MACs: 0.25}

// FoM is the figure of merit of a design against BPTT, and its terms before
// weighting. Smaller is better; BPTT's own is 1 with [PaperWeights].
type FoM struct {
	Total                            float64
	AccuracyLoss                     float64 // (A_BPTT - A) / A_BPTT
	Memory, MemoryAccess, Adds, MACs float64 // over BPTT's
}

// NewFoM evaluates Eq. 18.
func NewFoM(run, bptt Cost, w Weights) (FoM, error) {
	if bptt.Accuracy <= 0 {
		return FoM{}, fmt.Errorf("accuracy of BPTT is %v; Eq. 18 divides by it, so it must be above 0", bptt.Accuracy)
	}
	f := FoM{AccuracyLoss: (bptt.Accuracy - run.Accuracy) / bptt.Accuracy}
	for _, term := range []struct {
		name      string
		to        *float64
		run, bptt int64
	}{
		{"memory", &f.Memory, int64(run.Memory), int64(bptt.Memory)},
		{"memory access", &f.MemoryAccess, int64(run.MemoryAccess), int64(bptt.MemoryAccess)},
		{"additions", &f.Adds, run.Adds, bptt.Adds},
		{"MACs", &f.MACs, run.MACs, bptt.MACs},
	} {
		if term.bptt <= 0 {
			return FoM{}, fmt.Errorf("%s of BPTT are %d; Eq. 18 divides by them, so they must be above 0", term.name, term.bptt)
		}
		*term.to = float64(term.run) / float64(term.bptt)
	}
	f.Total = float64(w.AccuracyLoss*f.AccuracyLoss) + float64(w.Memory*f.Memory) +
		float64(w.MemoryAccess*f.MemoryAccess) + float64(w.Adds*f.Adds) + float64(w.MACs*f.MACs)
	return f, nil
}
