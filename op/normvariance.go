package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// normVariance is the second: I - mean, squared, into a channel's register.
var normVariance = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondNorm, pe.Recipe{pe.Add: 1, pe.MAC: 1}, Operands{Reads: perKind{states: 1}}),
	Float:  computes((*Chip).normVariance),
}

func (d *Chip) normVariance(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	sums, err := d.operand(s, role.Tensor{Class: role.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err == nil {
		pe.NormVariance(words, sums.Floats, m, box.Starts(), box.Ends())
	}
	return err
}
