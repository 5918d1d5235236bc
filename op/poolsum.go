package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// sumPooling adds up spikes, which do not fire.
var sumPooling = pooling{
	forward:  oneAddition,
	backward: perWindow(Operands{perKind{gradients: 1}, perKind{gradients: 1}}, pe.Recipe{pe.Add: 1}),
	pool:     (*Chip).countWindows,
	back: func(d *Chip, s *schedule.Step, k schedule.Kernel) error {
		return d.poolErrors(s, k, func(p pe.Pooling, _ int, delta, gamma []float32) { p.WholeErrors(delta, gamma) })
	},
}
