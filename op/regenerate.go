package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// regenerateRecipe: three shifts and exclusive ors of a Marsaglia (2003)
// xorshift generator, as three additions.
var regenerateRecipe = pe.Recipe{pe.Add: 3}

// regenerate makes random W_c in its generator.
var regenerate = Row{
	Nest: OverGenerated,
	Passes: func(c *Case, to []Pass) []Pass {
		return append(to, Pass{
			Elements: c.Weights, Operands: Operands{Writes: perKind{weights: 1}},
			Recipe: regenerateRecipe, Why: schedule.BeyondRandom,
		})
	},
	Float: computes((*Chip).regenerate), Fixed: computes((*Chip).regenerate),
}

// regenerate makes the random weights that the step has as a product.
func (d *Chip) regenerate(s *schedule.Step, k schedule.Kernel) error {
	t, from := role.RandomWeight.At(k.Index, 0), d.random
	if k.Of == role.RandomFeedback {
		t, from = role.RandomFeedback.At(k.Index, 0), d.feedback
	}
	for i := range s.Products {
		if s.Products[i].Tensor != t {
			continue
		}
		box, err := d.region(t, s.Products[i].Region)
		if err != nil {
			return err
		}
		w, err := d.product(s, t, box)
		if err != nil {
			return err
		}
		return d.cut(t, box, w, d.whole(t), from[k.Index-1])
	}
	return fmt.Errorf("%v is computed, but the step does not make it", t)
}
