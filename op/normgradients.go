package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// normGradients is its first pass where a batch is cut: gradients of gain and
// bias.
var normGradients = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondNorm, pe.Recipe{pe.Add: 1, pe.MAC: 1}, Operands{Reads: perKind{gradients: 1, states: 1}}),
	Float:  computes((*Chip).normGradients),
}

// normGradients is batch norm's first pass over a tile of errors.
func (d *Chip) normGradients(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, _, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	gamma, saved, err := d.normErrorOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	return d.addNormGradients(s, k.Index, box, words, gamma, saved)
}
