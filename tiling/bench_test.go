package tiling_test

import (
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

func BenchmarkPlan(b *testing.B) {
	w := open(b, "alexnet")
	w.Batch = 32
	p, err := schedule.New(w, 10, 1, schedule.All)
	if err != nil {
		b.Fatal(err)
	}
	room := tiling.Room{Shared: true, Words: tiling.Words{units.Words(512 * units.KiB / units.WordBytes)}, Word: units.WordBytes}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tiling.New(p, room, 0, pe.Array{Rows: 16, Columns: 28, Lanes: 64, Pipeline: 8}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
