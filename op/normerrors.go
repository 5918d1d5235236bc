package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// normErrors is the second: errors of the synaptic sum.
var normErrors = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondNorm, pe.Recipe{pe.Add: 2, pe.Multiply: 2}, normBackwardOperands),
	Float:  computes((*Chip).normErrors),
}

// normErrors is the second pass.
func (d *Chip) normErrors(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	gamma, saved, err := d.normErrorOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	return d.makeSynapticErrors(s, k.Index, box, words, m, gamma, saved)
}
