package sim

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// StepTooLong says that the clocks of one step do not fit in 64 bits, whatever
// the array's dataflow. Times have 128, so that nothing else of a simulation is
// too long.
type StepTooLong struct {
	Step string
	PEs  pe.Array
}

// Error names the keys of the hardware that it depends on.
func (e *StepTooLong) Error() string {
	return fmt.Sprintf("%s: on pe.rows = %d and pe.columns = %d its clocks do not fit in 64 bits; take a smaller batch, smaller layers or a smaller array",
		e.Step, e.PEs.Rows, e.PEs.Columns)
}

// longestKernel is the most clocks that a kernel may take: a step has some tens
// of kernels, and PEs that wait for each of their accesses.
const longestKernel = 1 << 54

// checkClocks refuses a program with a matrix product whose clocks might not
// fit: whatever stays in the array, there are no more tiles than pairs of two
// extents, and each takes the third one and fills and drains the array. Vector
// kernels take no more clocks than they have elements. Tiles of steps are parts
// of these products.
func checkClocks(p *schedule.Program, array pe.Array) error {
	w := p.Workload()
	fill := int64(array.Rows) + int64(array.Columns) + 1
	check := func(m pe.Matrix, step string) error {
		for _, x := range [][3]int64{{m.Rows, m.Columns, m.Depth}, {m.Columns, m.Depth, m.Rows}, {m.Depth, m.Rows, m.Columns}} {
			if n, err := units.Mul(x[0], x[1], x[2]+fill, m.Repeats); err != nil || n > longestKernel {
				return &StepTooLong{Step: step, PEs: array}
			}
		}
		return nil
	}
	products := []func(c pe.Connection, batch int) pe.Matrix{pe.Synapses, pe.Errors, pe.Gradients}
	for i := range w.Net.Projections() {
		l, p := w.Net.Projection(i + 1)
		for _, product := range products {
			if err := check(product(pe.Connect(p, l.Out), w.Batch), fmt.Sprintf("a step of layer %d", l.Index)); err != nil {
				return err
			}
		}
	}
	for _, b := range p.Blocks {
		l := pe.Dense(w.Net.ClassifierInputs(b), w.Net.Classes)
		for _, product := range products {
			if err := check(product(l, w.Batch), fmt.Sprintf("a step of the classifier of block %d", b.Index)); err != nil {
				return err
			}
		}
	}
	return nil
}
