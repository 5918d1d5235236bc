package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// normMean is batch norm's first pass where a batch is cut: the sum of I, which
// waits for the next pass.
var normMean = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondNorm, pe.Recipe{pe.Add: 1}, Operands{perKind{states: 1}, perKind{states: 1}}),
	Float:  computes((*Chip).normMean),
}

// normMean is the first pass over a tile's synaptic sums: they wait where the
// normalised ones will be.
func (d *Chip) normMean(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	waiting, err := d.product(s, role.Tensor{Class: role.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err != nil {
		return err
	}
	if err := need("synaptic sums", d.sums, box.Size()); err != nil {
		return err
	}
	pe.NormMean(words, d.sums, m, box.Starts(), box.Ends())
	copy(waiting.Floats, d.sums)
	return nil
}
