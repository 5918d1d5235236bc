package hdl

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
)

// Estimated is what [Design.Estimate] is of: a block's controller and register
// files are not in it, and a layer buffer is, which is not part of the RTL.
const Estimated = "PE array with a layer buffer"

// Emitted says what the folder's RTL is.
func (d *Design) Emitted() string {
	if d.Block != nil {
		return "controller, buffers and array (accelsim_block)"
	}
	return "array only (accelsim_array)"
}

// Missing lists what training the workload takes that the RTL has no unit for:
// it is neither emitted nor estimated.
func (d *Design) Missing() (list []string) {
	w := d.Workload
	anyLayer := func(has func(network.Layer) bool) bool { return slices.ContainsFunc(w.Net.Layers, has) }
	for _, unit := range []struct {
		name   string
		needed bool
	}{
		{"controller and buffers", d.Block == nil},
		{"direct input", w.Net.Encoding == network.Direct},
		{"batch norm", anyLayer(func(l network.Layer) bool { return l.BatchNorm })},
		{"residual joins", anyLayer(func(l network.Layer) bool { return l.Adds() })},
		{"pooling", anyLayer(network.Layer.HasPool)},
		{"dropout", w.Dropout > 0},
		{"random classifier weights", d.Block == nil && w.Training.Classifier == network.Random},
		{"cross entropy", w.Training.Loss == network.CrossEntropy},
		{"Adam", w.Training.Optimizer == network.Adam},
		{"RMSprop", w.Training.Optimizer == network.RMSprop},
	} {
		if unit.needed {
			list = append(list, unit.name)
		}
	}
	return list
}
