package sweep

import (
	"fmt"
	"runtime"
	"testing"
)

// mostBytes is what a finished point may take in memory, laid out in a table: a
// million, the most that the command takes, then fit in the 4 GB that
// docs/exploring.md names, with room for simulations.
const mostBytes = 2_600

// heap returns the bytes in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A sweep of millions of points keeps little of each: this counts what a plan,
// its records and its table hold for a point, with the values that a timed point
// really has.
func TestMemoryOfAPoint(t *testing.T) {
	one := plan(t, "{net: lenet1, k: 4, n: 2, batch: 8}")
	record, _ := evaluateAll(t, one, 1).Get(one.Points[0].Key)
	if record.Status != OK || len(record.Values) < 80 {
		t.Fatalf("%s, %d values", record.Status, len(record.Values))
	}
	for _, c := range []struct{ name, grid string }{
		{"k and n", "{net: lenet1, timesteps: 5040, k: all, n: all, batch: [1, 2, 3, 4, 5, 6, 7]}"},
		{"hardware", fmt.Sprintf("{net: lenet1, set: {pe.rows: %s, pe.columns: %s}}", numbers(20), numbers(30))},
	} {
		before := heap()
		p := plan(t, c.grid)
		planned := heap()
		records := NewRecords()
		for _, point := range p.Points {
			r := record
			r.Key = point.Key
			records.Add(r)
		}
		table, missing := NewTable(p, records, columnAccuracy, columnFoM, columnPareto)
		table.Front([]Criterion{{"cycles.total", false}, {"energy_pj.total", false}})
		after := heap()
		points := int64(len(p.Points))
		t.Logf("%s: %d points, %d bytes each in the plan, %d in all", c.name, points, (planned-before)/points, (after-before)/points)
		if each := (after - before) / points; each > mostBytes || len(missing) > 0 {
			t.Errorf("%s: %d bytes for each of %d points, at most %d are wanted", c.name, each, points, mostBytes)
		}
		runtime.KeepAlive(table)
	}
}

// numbers is a list of the first n.
func numbers(n int) string {
	text := "[1"
	for i := 2; i <= n; i++ {
		text += fmt.Sprint(", ", i)
	}
	return text + "]"
}
