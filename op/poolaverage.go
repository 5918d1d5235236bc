package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
)

// averagePooling makes fractions, which do not fire: counts that readers divide by
// the window's area.
var averagePooling = pooling{
	forward:  oneAddition,
	backward: perWindow(Operands{perKind{gradients: 1}, perKind{gradients: 1}}, pe.Recipe{pe.MAC: 1}),
	pool:     (*Chip).countWindows,
	back: func(d *Chip, s *schedule.Step, k schedule.Kernel) error {
		return d.poolErrors(s, k, func(p pe.Pooling, _ int, delta, gamma []float32) { p.Errors(delta, gamma) })
	},
}
