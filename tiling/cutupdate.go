package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// cutUpdate is the optimizer's pass, value by value: a stage for each tensor of
// weights. Parameters of which there are a few come with the last.
func (t *placed) cutUpdate() (stages []stage) {
	rest := moved{slices.Clone(t.step.Reads), slices.Clone(t.step.Writes), t.step.Products}
	few := -1
	for i, k := range t.step.Kernels {
		if small(k.Of) {
			continue
		}
		own := t.takeTrained(k, &rest)
		values := t.program.Sizes.Extents(k.Of, k.Index).Values()
		g := stage{dims: extent{1, 1, 1, values, 1}, kernels: t.step.Kernels[i : i+1 : i+1]}
		t.fill(&g, own.reads, own.products, own.writes)
		stages = append(stages, g)
		few = i + 1
	}
	last := &stages[len(stages)-1]
	last.kernels = append(last.kernels, t.step.Kernels[few:]...)
	uses := last.uses
	t.fill(last, rest.reads, rest.products, rest.writes)
	last.uses = uses
	return stages
}

// takeTrained takes what the optimizer moves and makes for the parameters of a
// kernel.
func (t *placed) takeTrained(k schedule.Kernel, from *moved) (own moved) {
	trained := k.Of.Row().Trained
	is := func(x role.Tensor) bool {
		return x.Index == k.Index && (x.Class == k.Of || x.Class == trained.Gradient || x.Class == trained.Moment)
	}
	own.reads = take(&from.reads, func(x schedule.Transfer) bool { return is(x.Tensor) })
	own.writes = take(&from.writes, func(x schedule.Transfer) bool { return is(x.Tensor) })
	from.products, own.products = split(from.products, func(p schedule.Product) bool { return is(p.Tensor) })
	return own
}
