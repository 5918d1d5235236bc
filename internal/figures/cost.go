package figures

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/internal/elementary"
	"github.com/accelsim-dev/accelsim/network"
)

func needAccess(tasks []*Task) func(*Album, need) {
	return func(_ *Album, need need) {
		for _, t := range tasks {
			t.grid(func(k, n int) {
				for _, c := range classifiers {
					p := t.point(k, n)
					p.Classifier = c
					need(p, false)
				}
			})
		}
	}
}

func needGrid(timed bool) func(*Album, need) {
	return func(_ *Album, need need) {
		for _, t := range Tasks {
			t.grid(func(k, n int) { need(t.point(k, n), timed) })
		}
	}
}

// series is a quantity over the grid of k, n and classifiers.
type series struct {
	tasks       []*Task
	classifiers []string
	label       string // of the y axis; %s is the multiple
	zero        bool
	value       func(*Value) float64
	header      []string
	row         func(v, bptt *Value) []string
}

// lines draws a series over k, one panel a task.
func (a *Album) lines(f *Figure, s series) {
	f.Header = append([]string{"panel", "net", "dataset", "batch", "classifier", "method", "n", "k"}, s.header...)
	for i, t := range s.tasks {
		most := 0.0
		t.grid(func(k, n int) { most = max(most, s.value(a.Lab.at(t.point(k, n)))) })
		scale, multiple := axisScale(most)
		chart := Chart{
			Title: letter(i) + t.Title, X: "truncation interval k (time steps)", Y: fmt.Sprintf(s.label, multiple),
			LogX: true, Ticks: ticksAt(t.K), Zero: s.zero,
		}
		for _, c := range s.classifiers {
			bpttPoint := t.point(t.T(), t.Layers())
			bpttPoint.Classifier = c
			for _, n := range t.N {
				line := Line{Style: methodStyles[t.Method(n)]}
				line.Style.Dashed = c == network.Random
				for _, k := range t.K {
					p := t.point(k, n)
					p.Classifier = c
					v := a.Lab.at(p)
					line.X, line.Y = append(line.X, float64(k)), append(line.Y, s.value(v)/scale)
					f.Rows = append(f.Rows, append([]string{
						letter(i)[1:2], t.Net, t.Dataset, "128", c, t.Method(n), integer(n), integer(k),
					}, s.row(v, a.Lab.at(bpttPoint))...))
				}
				chart.Lines = append(chart.Lines, line)
			}
		}
		f.Charts = append(f.Charts, chart)
	}
	f.Legend = methodLegend(s.tasks, len(s.classifiers) > 1)
}

// ticksAt labels whole numbers.
func ticksAt(numbers []int) (ticks []Tick) {
	for _, n := range numbers {
		ticks = append(ticks, Tick{float64(n), integer(n)})
	}
	return ticks
}

// axisScale chooses thousands, millions ... for values up to most.
func axisScale(most float64) (scale float64, multiple string) {
	for _, m := range []struct {
		scale float64
		name  string
	}{{1e12, "trillion "}, {1e9, "billion "}, {1e6, "million "}, {1e3, "thousand "}} {
		if most >= 2*m.scale {
			return m.scale, m.name
		}
	}
	return 1, ""
}

const iteration = "one training iteration at batch 128"

// access draws Figures 9 and 10.
func (a *Album) access(number string, tasks []*Task) *Figure {
	f := &Figure{
		Name:  figureName(number),
		Title: "Figure " + number + ".  Memory access for " + netOf(tasks),
		Caption: "Words of 4 bytes that crossed the DRAM port of the simulated machine in " + iteration + ", reads and writes, of what Eqs. 11-14" +
			" cover; equal to the equations at every point. With random classifiers no operation on classifier weights exists, as the paper's" +
			" text has it; its figures seem to keep the reads of Eq. 14.",
	}
	a.lines(f, series{
		tasks: tasks, classifiers: classifiers, label: "memory access (%swords)", zero: true,
		value:  func(v *Value) float64 { return float64(v.Ideal.Covered.MemoryAccess()) },
		header: []string{"words_idealised", "words_equations", "words_real_with_beyond", "reduction_vs_bptt_percent_idealised", "reduction_vs_bptt_percent_real"},
		row: func(v, bptt *Value) []string {
			return []string{
				integer(v.Ideal.Words), integer(v.Equations.MemoryAccess()), integer(v.Real.Words),
				fixed(analytic.Reduction(v.Ideal.Words, bptt.Ideal.Words), 4), fixed(analytic.Reduction(v.Real.Words, bptt.Real.Words), 4),
			}
		},
	})
	return f
}

func netOf(tasks []*Task) string {
	if tasks[0].Net == "alexnet" {
		return "training AlexNet"
	}
	return "training LeNet"
}

// additions draws Figures 11 and 12.
func (a *Album) additions(number string, tasks []*Task) *Figure {
	f := &Figure{
		Name:  figureName(number),
		Title: "Figure " + number + ".  Additions for " + netOf(tasks),
		Caption: "Additions that the simulated PEs executed in " + iteration + ", forward and backward, of what Eqs. 15-16 cover; equal to the" +
			" equations at every point. Density of spikes " + a.density() + " everywhere: the paper prints none. The vertical axis does not begin at 0.",
	}
	a.lines(f, series{
		tasks: tasks, classifiers: classifiers, label: "additions (%soperations)",
		value:  func(v *Value) float64 { return float64(v.Ideal.Covered.Adds()) },
		header: []string{"additions_idealised", "additions_equations", "additions_real_with_beyond", "change_vs_bptt_percent_idealised", "density"},
		row: func(v, bptt *Value) []string {
			return []string{
				integer(v.Ideal.Adds), integer(v.Equations.Adds()), integer(v.Real.Adds),
				fixed(-analytic.Reduction(v.Ideal.Adds, bptt.Ideal.Adds), 4), a.density(),
			}
		},
	})
	return f
}

// macs draws Figure 13.
func (a *Album) macs() *Figure {
	f := &Figure{
		Name:  "figure13",
		Title: "Figure 13.  MACs, normalised over BP",
		Caption: "Multiply-accumulate operations of one step that the simulated PEs executed for Eq. 17 at batch 128, over BP's; equal to the" +
			" equation at every point. They depend neither on k nor on the kind of classifier.",
		Header: []string{"net", "dataset", "batch", "method", "n", "macs_per_step_idealised", "macs_per_step_equations", "macs_per_step_real_with_beyond", "normalised_over_bp", "reduction_vs_bp_percent"},
	}
	chart := Chart{Title: "", Y: "MACs over BP's"}
	for g, t := range Tasks {
		chart.Groups = append(chart.Groups, t.Title)
		bp := a.Lab.at(t.point(t.T(), t.Layers()))
		for slot, n := range t.N {
			v := a.Lab.at(t.point(t.T(), n))
			normalised := float64(v.Ideal.MACs) / float64(bp.Ideal.MACs)
			chart.Bars = append(chart.Bars, Bar{
				Style: methodStyles[t.Method(n)], Group: g, Slot: slot, Slots: len(t.N), Value: normalised, Label: ratio(normalised),
			})
			steps := int64(t.T())
			f.Rows = append(f.Rows, []string{
				t.Net, t.Dataset, "128", t.Method(n), integer(n), integer(v.Ideal.MACs / steps), integer(v.Equations.MACs() / steps),
				integer(v.Real.MACs / steps), fixed(normalised, 6), fixed(analytic.Reduction(v.Ideal.MACs, bp.Ideal.MACs), 4),
			})
		}
	}
	f.Charts = []Chart{chart}
	f.Legend = barLegend(methodLegend(Tasks, false))
	return f
}

func barLegend(entries []Entry) []Entry {
	for i := range entries {
		entries[i].Bar = true
	}
	return entries
}

// ratio prints a ratio to two significant digits.
func ratio(v float64) string {
	if v == 0 || v >= 0.1 {
		return fixed(v, 2)
	}
	return fixed(v, 1-elementary.Decade(v))
}

const notInPaper = "Not in the paper."

// traffic draws what the equations leave out, too.
func (a *Album) traffic() *Figure {
	f := &Figure{
		Name:  "extra-traffic",
		Title: "All memory traffic of the real machine (not in the paper)",
		Caption: notInPaper + " Every word of " + iteration + " that crossed the DRAM port of the simulated machine, also spikes, input, pooling," +
			" labels, the optimizer's pass over weights, gradients and momentum after each interval, and what is fetched again where it" +
			" does not fit on chip, which Eqs. 11-14 leave out. " + a.machine(),
	}
	a.lines(f, series{
		tasks: Tasks, classifiers: classifiers[:1], label: "all memory traffic (%swords)", zero: true,
		value:  func(v *Value) float64 { return float64(v.Real.Words) },
		header: []string{"words_real", "words_covered_by_equations", "beyond_share_percent", "reduction_vs_bptt_percent"},
		row: func(v, bptt *Value) []string {
			return []string{
				integer(v.Real.Words), integer(v.Real.Covered.MemoryAccess()),
				fixed(100*float64(v.Real.Words-v.Real.Covered.MemoryAccess())/float64(v.Real.Words), 4),
				fixed(analytic.Reduction(v.Real.Words, bptt.Real.Words), 4),
			}
		},
	})
	return f
}

// machine says which hardware was simulated.
func (a *Album) machine() string {
	hw := a.Lab.Hardware
	return fmt.Sprintf("Hardware %s: %dx%d PEs at %d MHz, %s.", hw.Name, hw.PE.Rows, hw.PE.Columns, int64(hw.PE.Clock)/1_000_000, hw.DRAM.Name)
}

// time draws how long an iteration takes.
func (a *Album) time() *Figure {
	f := &Figure{
		Name:    "extra-time",
		Title:   "Time of one iteration (not in the paper)",
		Caption: notInPaper + " Simulated time of " + iteration + ", all traffic, density " + a.density() + ". " + a.machine() + " PEs are gated by spikes, they do not skip: additions dominate.",
	}
	a.lines(f, series{
		tasks: Tasks, classifiers: classifiers[:1], label: "time (%sseconds)", zero: true,
		value:  func(v *Value) float64 { return v.Real.Seconds },
		header: []string{"seconds", "reduction_vs_bptt_percent", "dram_ranks_added"},
		row: func(v, bptt *Value) []string {
			return []string{fixed(v.Real.Seconds, 9), fixed(100*(1-v.Real.Seconds/bptt.Real.Seconds), 4), integer(v.Real.RanksAdded)}
		},
	})
	return f
}

// energy draws what an iteration takes.
func (a *Album) energy() *Figure {
	f := &Figure{
		Name:    "extra-energy",
		Title:   "Energy of one iteration (not in the paper)",
		Caption: notInPaper + " Simulated energy of " + iteration + ": DRAM, on-chip memory, PEs and leakage, all traffic, density " + a.density() + ". " + a.machine(),
	}
	if a.Lab.Hardware.OnChip == 0 {
		f.Caption += " Leakage includes that of the on-chip capacity that the paper assumes."
	}
	a.lines(f, series{
		tasks: Tasks, classifiers: classifiers[:1], label: "energy (%sjoules)", zero: true,
		value:  func(v *Value) float64 { return v.Real.Energy.Joules() },
		header: []string{"joules", "reduction_vs_bptt_percent", "dram_ranks_added"},
		row: func(v, bptt *Value) []string {
			return []string{
				fixed(v.Real.Energy.Joules(), 9), fixed(100*(1-float64(v.Real.Energy/bptt.Real.Energy)), 4), integer(v.Real.RanksAdded),
			}
		},
	})
	return f
}
