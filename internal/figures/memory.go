package figures

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/units"
)

// measuredSavings are what the paper measured in PyTorch: LBPn against BP, at
// the largest k and at k = 1, in percent (section 4.1).
var measuredSavings = map[string]struct {
	n           int
	large, unit string
}{
	"emnist":      {2, "20.14", "64.73"},
	"dvsgesture":  {2, "2.06", "32.61"},
	"cifar10":     {1, "31.86", "60.91"},
	"cifar10-dvs": {1, "3.44", "54.42"},
}

func (t *Task) memoryPoint(k, n int) Point {
	p := t.point(k, n)
	if t.MemoryBatch != 128 {
		p.Batch = t.MemoryBatch
	}
	return p
}

func needMemory(tasks []*Task) func(*Album, need) {
	return func(_ *Album, need need) {
		for _, t := range tasks {
			t.grid(func(k, n int) { need(t.memoryPoint(k, n), false) })
		}
	}
}

// memory draws Figures 6 and 7: GPU memory by Eqs. 8-10, and the footprint of
// the simulated accelerator, which is no GPU, beside it.
func (a *Album) memory(number, what string, tasks []*Task) *Figure {
	f := &Figure{
		Name:  figureName(number),
		Title: "Figure " + number + ".  GPU memory for " + what,
		Header: []string{
			"panel", "net", "dataset", "batch", "classifier", "method", "n", "k", "gpu_words_eqs_8_10", "gpu_bytes_eqs_8_10",
			"dram_footprint_bytes_simulated", "saving_vs_bp_percent_eqs_8_10", "saving_vs_bp_percent_simulated_footprint",
			"saving_vs_bp_percent_measured_in_paper", "note",
		},
	}
	f.Caption = "Solid lines, filled marks: Eqs. 8-10, 4 bytes a word, without CUDA's workspace (C = 0). Dashed lines, hollow marks: " +
		"DRAM footprint of the simulated accelerator. Trainable classifiers."
	for i, t := range tasks {
		f.Caption += fmt.Sprintf(" %s batch %d;", letter(i), t.MemoryBatch)
	}
	f.Caption = strings.TrimSuffix(f.Caption, ";") + ".\nDiscrepancy: the paper shows PyTorch's measured maximum, which Eqs. 8-10 cannot reproduce: by them a local method" +
		" saves at most 1/k of BP's graph."
	scale, unit := a.memoryUnit(tasks)
	for i, t := range tasks {
		chart := Chart{
			Title: letter(i) + t.Title, X: "truncation interval k (time steps)", Y: "memory (" + unit + ")", Zero: true, Ticks: ticksAt(t.K), LogX: false,
		}
		for _, n := range t.N {
			style := methodStyles[t.Method(n)]
			gpu, dram := Line{Style: style}, Line{Style: style}
			dram.Style.Dashed = true
			for _, k := range t.K {
				v := a.Lab.at(t.memoryPoint(k, n))
				bytes := v.GPU.Bytes()
				gpu.X, gpu.Y = append(gpu.X, float64(k)), append(gpu.Y, float64(bytes)/scale)
				dram.X, dram.Y = append(dram.X, float64(k)), append(dram.Y, float64(v.Real.Footprint)/scale)
				bp := a.Lab.at(t.memoryPoint(k, t.Layers()))
				measured := ""
				if s := measuredSavings[t.Dataset]; s.n == n {
					switch k {
					case t.T():
						measured = s.large
					case 1:
						measured = s.unit
					}
				}
				note := ""
				if measured != "" {
					note = "the paper measured PyTorch's memory; Eqs. 8-10 bound the saving by 1/k of BP's graph"
				}
				f.Rows = append(f.Rows, []string{
					letter(i)[1:2], t.Net, t.Dataset, integer(t.MemoryBatch), "trainable", t.Method(n), integer(n), integer(k),
					integer(v.GPU), integer(bytes), integer(v.Real.Footprint),
					fixed(analytic.Reduction(v.GPU, bp.GPU), 4), fixed(analytic.Reduction(v.Real.Footprint, bp.Real.Footprint), 4), measured, note,
				})
			}
			chart.Lines = append(chart.Lines, dram, gpu)
		}
		f.Charts = append(f.Charts, chart)
		s := measuredSavings[t.Dataset]
		large := analytic.Reduction(a.Lab.at(t.memoryPoint(t.T(), s.n)).GPU, a.Lab.at(t.memoryPoint(t.T(), t.Layers())).GPU)
		one := analytic.Reduction(a.Lab.at(t.memoryPoint(1, s.n)).GPU, a.Lab.at(t.memoryPoint(1, t.Layers())).GPU)
		f.Caption += fmt.Sprintf(" %s%s against BP, k = %d and k = 1: measured %s and %s %%, Eqs. 8-10 %s and %s %%.", letter(i),
			t.Method(s.n), t.T(), s.large, s.unit, minus(fixed(large, 2)), minus(fixed(one, 2)))
	}
	f.Legend = methodLegend(tasks, false)
	f.Legend = append(f.Legend,
		Entry{Name: "GPU, Eqs. 8-10", Style: Style{Color: ink, Mark: disc}},
		Entry{Name: "simulated DRAM footprint", Style: Style{Color: ink, Mark: disc, Dashed: true}})
	return f
}

// memoryUnit chooses a decimal multiple for an axis.
func (a *Album) memoryUnit(tasks []*Task) (scale float64, unit string) {
	var most units.Bytes
	for _, t := range tasks {
		t.grid(func(k, n int) {
			v := a.Lab.at(t.memoryPoint(k, n))
			most = max(most, v.GPU.Bytes(), v.Real.Footprint)
		})
	}
	if most < 2e9 {
		return 1e6, "MB"
	}
	return 1e9, "GB"
}

// methodLegend lists the methods of the tasks; with random classifiers, each
// method twice.
func methodLegend(tasks []*Task, random bool) []Entry {
	var entries []Entry
	for _, name := range []string{"BP", "LBP4", "LBP2", "LBP1"} {
		used := false
		for _, t := range tasks {
			for _, n := range t.N {
				used = used || t.Method(n) == name
			}
		}
		if used {
			entries = append(entries, Entry{Name: name, Style: methodStyles[name]})
		}
	}
	if random {
		entries = append(entries,
			Entry{Name: "trainable classifiers", Style: Style{Color: ink, Mark: disc}},
			Entry{Name: "random classifiers", Style: Style{Color: ink, Mark: disc, Dashed: true}})
	}
	return entries
}

func figureName(number string) string {
	if len(number) == 1 {
		number = "0" + number
	}
	return "figure" + number
}
