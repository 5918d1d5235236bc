package sim

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/schedule"
)

// TestTheYoungestAreAMaps: the table finds what a map does, round after round.
func TestTheYoungestAreAMaps(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tensor := rapid.Custom(func(r *rapid.T) schedule.Tensor {
			return schedule.Tensor{
				Class: schedule.Class(rapid.IntRange(0, 3).Draw(r, "class")), Index: rapid.IntRange(0, 80).Draw(r, "index"),
				Step: rapid.IntRange(0, 3).Draw(r, "step"),
			}
		})
		var table youngest
		if rapid.Bool().Draw(r, "after many rounds") {
			table.of(nil)
			table.round = ^uint32(0) - 1
		}
		for range rapid.IntRange(1, 4).Draw(r, "rounds") {
			kept := rapid.SliceOfN(tensor, 0, 300).Draw(r, "kept")
			copies := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) copyOf {
				return copyOf{Tensor: tensor.Draw(r, "tensor"), Step: rapid.Int64Range(0, 5).Draw(r, "step of the copy")}
			}), 0, 40).Draw(r, "copies")
			want := map[schedule.Tensor]int64{}
			for _, t := range kept {
				want[t] = -1
			}
			table.of(kept)
			for _, c := range copies {
				table.see(c)
				if step, is := want[c.Tensor]; is {
					want[c.Tensor] = max(step, c.Step)
				}
			}
			for _, c := range copies {
				if step, is := want[c.Tensor]; table.has(c) != (is && step == c.Step) {
					r.Fatalf("%v is the youngest: %v; the map says %d, %v", c, table.has(c), step, is)
				}
			}
		}
	})
}

// TestFindingTheYoungestDoesNotAllocate once the table has grown.
func TestFindingTheYoungestDoesNotAllocate(t *testing.T) {
	var kept []schedule.Tensor
	for i := range 100 {
		kept = append(kept, schedule.Tensor{Class: schedule.Potential, Index: i})
	}
	var table youngest
	table.of(kept)
	if n := testing.AllocsPerRun(10, func() {
		table.of(kept)
		for _, t := range kept {
			table.see(copyOf{Tensor: t})
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
