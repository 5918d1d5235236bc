package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// normalize is the third: times 1/std, gain, bias.
var normalize = Row{
	Nest:   OverNeurons,
	Passes: neurons(schedule.BeyondNorm, pe.Recipe{pe.Add: 1, pe.Multiply: 2}, normOperands),
	Float:  computes((*Chip).normalize),
}

// normalize is the third pass; its tile that has a channel's first value also
// takes the channel's running statistics on, and saves its 1/std.
func (d *Chip) normalize(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	saved, err := d.product(s, role.Tensor{Class: role.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err != nil {
		return err
	}
	d.sums = append(d.sums[:0], saved.Floats...)
	return d.normalizeSums(s, k.Index, box, words, m, saved)
}
