package figures

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/units"
)

// Capacities are the layer buffers of the figure "capacity", unless others are
// asked for. Below them AlexNet's BPTT takes minutes to hours to simulate.
var Capacities = []units.Bytes{
	512 * units.KiB, units.MiB, 2 * units.MiB, 4 * units.MiB, 8 * units.MiB, 16 * units.MiB,
	32 * units.MiB, 64 * units.MiB, 128 * units.MiB, 256 * units.MiB,
}

// capacityTask is the paper's headline case; its best (k, n) and BPTT are compared.
var capacityTask = task("cifar10-dvs")

// atCapacity is the task's point on the album's hardware with a layer buffer of
// the given size.
func (t *Task) atCapacity(k, n int, capacity units.Bytes) Point {
	p := t.point(k, n)
	p.OnChip = capacity
	return p
}

func needCapacity(a *Album, need need) {
	t := capacityTask
	for _, capacity := range a.Lab.capacities() {
		need(t.atCapacity(t.BestK, t.BestN, capacity), true)
		need(t.atCapacity(t.T(), t.Layers(), capacity), true)
	}
}

// capacity draws what the size of the layer buffer does to traffic, time and
// energy, and to what local training saves of them.
func (a *Album) capacity() *Figure {
	t, best := capacityTask, methodStyles[capacityTask.Method(capacityTask.BestN)]
	bp := methodStyles["BP"]
	f := &Figure{
		Name:  "extra-capacity",
		Title: "On-chip capacity: " + t.Title + " (not in the paper)",
		Caption: notInPaper + " " + a.machine() + " The layer buffer has the given size; what does not fit is fetched again. Words are all that cross" +
			" the DRAM port in " + iteration + "; Eqs. 11-14 cover the same number of them at every capacity. Saved is by (k, n) = (" +
			integer(t.BestK) + ", " + integer(t.BestN) + ") against BPTT with the same buffer.",
		Header: []string{
			"capacity_bytes", "k", "n", "words", "words_covered", "words_refetched", "macs", "seconds", "joules",
			"bptt_words", "bptt_words_covered", "bptt_words_refetched", "bptt_macs", "bptt_seconds", "bptt_joules",
			"saved_words_percent", "saved_covered_words_percent", "saved_macs_percent", "saved_seconds_percent", "saved_joules_percent",
		},
	}
	panels := []struct {
		title, label string
		value        func(Machine) float64
		scale        float64
	}{
		{"words across the DRAM port", "billion words", func(m Machine) float64 { return float64(m.Words) }, 1e9},
		{"time of an iteration", "seconds", func(m Machine) float64 { return m.Seconds }, 1},
		{"energy of an iteration", "joules", func(m Machine) float64 { return m.Energy.Joules() }, 1},
	}
	axis := Chart{X: "layer buffer (MiB)", LogX: true, LogY: true}
	for _, c := range a.Lab.capacities() {
		axis.Ticks = append(axis.Ticks, Tick{float64(c), sizeLabel(c)})
	}
	for i, panel := range panels {
		chart := axis
		chart.Title, chart.Y = letter(i)+panel.title, panel.label
		lines := [2]Line{{Style: best}, {Style: bp}}
		for _, c := range a.Lab.capacities() {
			for j, p := range []Point{t.atCapacity(t.BestK, t.BestN, c), t.atCapacity(t.T(), t.Layers(), c)} {
				lines[j].X = append(lines[j].X, float64(c))
				lines[j].Y = append(lines[j].Y, panel.value(a.Lab.at(p).Real)/panel.scale)
			}
		}
		chart.Lines = lines[:]
		f.Charts = append(f.Charts, chart)
	}
	savings := []struct {
		name  string
		style Style
		of    func(run, bptt Machine) float64
	}{
		{"MACs", Style{Color: black, Mark: square, Dashed: true}, func(r, b Machine) float64 { return analytic.Reduction(r.MACs, b.MACs) }},
		{"words of Eqs. 11-14", Style{Color: orange, Mark: square, Dashed: true}, func(r, b Machine) float64 {
			return analytic.Reduction(r.Covered.MemoryAccess(), b.Covered.MemoryAccess())
		}},
		{"all words", Style{Color: orange, Mark: square}, func(r, b Machine) float64 { return analytic.Reduction(r.Words, b.Words) }},
		{"time", Style{Color: blue, Mark: disc}, func(r, b Machine) float64 { return 100 * (1 - r.Seconds/b.Seconds) }},
		{"energy", Style{Color: green, Mark: diamond}, func(r, b Machine) float64 { return 100 * (1 - float64(r.Energy/b.Energy)) }},
	}
	chart := axis
	chart.Title, chart.Y, chart.LogY, chart.Zero = letter(len(panels))+"saved against BPTT", "percent", false, true
	f.Legend = []Entry{
		{Name: fmt.Sprintf("(k, n) = (%d, %d)", t.BestK, t.BestN), Style: best},
		{Name: "BPTT", Style: bp},
	}
	for _, s := range savings {
		line := Line{Style: s.style}
		for _, c := range a.Lab.capacities() {
			run, bptt := a.Lab.at(t.atCapacity(t.BestK, t.BestN, c)).Real, a.Lab.at(t.atCapacity(t.T(), t.Layers(), c)).Real
			line.X, line.Y = append(line.X, float64(c)), append(line.Y, s.of(run, bptt))
		}
		chart.Lines = append(chart.Lines, line)
		f.Legend = append(f.Legend, Entry{Name: "saved: " + s.name, Style: s.style})
	}
	f.Charts = append(f.Charts, chart)

	for _, c := range a.Lab.capacities() {
		run, bptt := a.Lab.at(t.atCapacity(t.BestK, t.BestN, c)).Real, a.Lab.at(t.atCapacity(t.T(), t.Layers(), c)).Real
		row := []string{integer(c), integer(t.BestK), integer(t.BestN)}
		for _, m := range []Machine{run, bptt} {
			row = append(row, integer(m.Words), integer(m.Covered.MemoryAccess()), integer(m.Refetched), integer(m.MACs), fixed(m.Seconds, 6), fixed(m.Energy.Joules(), 6))
		}
		for _, i := range []int{2, 1, 0, 3, 4} {
			row = append(row, fixed(savings[i].of(run, bptt), 4))
		}
		f.Rows = append(f.Rows, row)
	}
	return f
}

// sizeLabel writes a capacity in MiB, below one as a fraction.
func sizeLabel(c units.Bytes) string {
	if c < units.MiB && units.MiB%c == 0 {
		return "1/" + integer(units.MiB/c)
	}
	return fixed(float64(c)/float64(units.MiB), 0)
}
