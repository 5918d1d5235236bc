package figures

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/internal/accuracy"
)

// cost is the right-hand side of Eq. 18 without AL: a quarter of each cost over
// BPTT's. Memory is that of Eqs. 8-10, everything else is simulated.
func (a *Album) cost(t *Task, k, n int) float64 {
	v, bptt := a.Lab.at(t.point(k, n)), a.Lab.at(t.point(t.T(), t.Layers()))
	over := func(run, base int64) float64 { return float64(run) / float64(base) }
	return 0.25 * (over(int64(v.GPU), int64(bptt.GPU)) +
		over(int64(v.Ideal.Words), int64(bptt.Ideal.Words)) +
		over(v.Ideal.Adds, bptt.Ideal.Adds) +
		over(v.Ideal.MACs, bptt.Ideal.MACs))
}

// merit is the figure of merit (Eq. 18) of a design.
type merit struct {
	k, n      int
	cost      float64
	loss      accuracy.Loss
	low, high float64 // bounds of the FoM; equal where the accuracy is exact
	known     bool    // an accuracy is known
	complete  bool    // of every k
}

func (m merit) middle() float64 { return (m.low + m.high) / 2 }

// smallest returns the least FoM of a method over k, among the k whose accuracy
// is known; without any, the least cost.
func (a *Album) smallest(t *Task, n int) merit {
	best := merit{n: n, complete: true}
	cheapest := merit{n: n}
	for _, k := range t.K {
		c := a.cost(t, k, n)
		if cheapest.k == 0 || c < cheapest.cost {
			cheapest = merit{k: k, n: n, cost: c}
		}
		loss, ok := a.Accuracies.Of(t, k, n)
		// BPTT's own 0 does not tell how BP does at other k.
		if !ok || (n == t.Layers() && !a.Accuracies.known(t)) {
			best.complete = false
			continue
		}
		m := merit{k: k, n: n, cost: c, loss: loss, low: c + loss.Low/100, high: c + loss.High/100, known: true}
		if best.k == 0 || m.middle() < best.middle() {
			m.complete = best.complete
			best = m
		}
	}
	if !best.known {
		return cheapest
	}
	return best
}

// merit draws Figure 14.
func (a *Album) merit() *Figure {
	f := &Figure{
		Name:  "figure14",
		Title: "Figure 14.  Figure of merit (Eq. 18), smallest over k",
		Caption: "Accuracies: " + a.Accuracies.Name + ". Filled: FoM at the k on top, the best of those whose accuracy is given; whiskers where only bounds are." +
			" Outlined: no accuracy is given; the bar is only the cost part, 0.25 (MC + #MA + #ADD + #MAC), at its cheapest k, and is no FoM." +
			" MC by Eqs. 8-10, the rest simulated (idealised), density " + a.density() + ". Smaller is better; BPTT is 1.",
		Header: []string{"net", "dataset", "method", "n", "k", "cost_part", "accuracy_loss_percent", "fom_low", "fom_high", "accuracy_of_every_k", "source"},
	}
	chart := Chart{Y: "FoM"}
	for g, t := range Tasks {
		chart.Groups = append(chart.Groups, t.Title)
		for slot, n := range t.N {
			m := a.smallest(t, n)
			bar := Bar{Style: methodStyles[t.Method(n)], Group: g, Slot: slot, Slots: len(t.N), Label: "k=" + integer(m.k)}
			row := []string{t.Net, t.Dataset, t.Method(n), integer(n), integer(m.k), fixed(m.cost, 6)}
			if m.known {
				bar.Value, bar.Low, bar.High = m.middle(), m.low, m.high
				row = append(row, percent(m.loss), fixed(m.low, 6), fixed(m.high, 6), fmt.Sprint(m.complete), m.loss.Source)
			} else {
				bar.Value, bar.Low, bar.High = m.cost, m.cost, m.cost
				bar.Style.Hollow = true
				row = append(row, "", "", "", "false", "no accuracy given: cost part only")
			}
			chart.Bars = append(chart.Bars, bar)
			f.Rows = append(f.Rows, row)
		}
	}
	f.Charts = []Chart{chart}
	f.Legend = barLegend(methodLegend(Tasks, false))
	f.Legend = append(f.Legend, Entry{Name: "no accuracy given: cost part only", Style: Style{Color: ink, Hollow: true}, Bar: true})
	return f
}

// choice is the best design of a task, and who says so.
type choice struct {
	merit
	by      string
	decided bool // by the FoM
}

// chosen returns the design with the least FoM; where the accuracies do not
// decide, the paper's.
func (a *Album) chosen(t *Task) choice {
	best, all := merit{}, true
	for _, n := range t.N {
		m := a.smallest(t, n)
		all = all && m.known && m.complete
		if m.known && (best.k == 0 || m.middle() < best.middle()) {
			best = m
		}
	}
	if all {
		return choice{best, "smallest FoM", true}
	}
	m := merit{k: t.BestK, n: t.BestN, cost: a.cost(t, t.BestK, t.BestN)}
	if loss, ok := a.Accuracies.Of(t, m.k, m.n); ok {
		m.loss, m.known = loss, true
	}
	return choice{m, "section 5.2 of the paper", false}
}

// best draws Figure 15.
func (a *Album) best() *Figure {
	f := &Figure{
		Name:  "figure15",
		Title: "Figure 15.  The best training designs against BPTT",
		Header: []string{
			"net", "dataset", "k", "n", "chosen_by", "accuracy_loss_percent", "accuracy_source", "gpu_memory_reduction_percent_eqs_8_10",
			"memory_access_reduction_percent", "additions_reduction_percent", "macs_reduction_percent",
			"memory_access_reduction_percent_real", "additions_reduction_percent_real", "macs_reduction_percent_real",
		},
	}
	drop := Chart{Title: "(A) Accuracy drop", Y: "accuracy loss against BPTT (%)"}
	saving := Chart{Title: "(B) Cost reduction", Y: "reduction against BPTT (%)"}
	quantities := []struct {
		name  string
		style Style
	}{
		{"GPU memory (Eqs. 8-10)", Style{Color: black}},
		{"memory access", Style{Color: blue}},
		{"additions", Style{Color: orange}},
		{"MACs", Style{Color: vermilion}},
	}
	paper := false
	for g, t := range Tasks {
		c := a.chosen(t)
		paper = paper || !c.decided
		name := fmt.Sprintf("%s\n%s\n(%d, %d)", shortNet(t), shortData(t), c.k, c.n)
		drop.Groups, saving.Groups = append(drop.Groups, name), append(saving.Groups, name)
		bar := Bar{Style: Style{Color: green}, Group: g, Slots: 1}
		loss, source := "", "no accuracy given"
		if c.known {
			loss, source = percent(c.loss), c.loss.Source
			bar.Value, bar.Low, bar.High = (c.loss.Low+c.loss.High)/2, c.loss.Low, c.loss.High
			bar.Label = minus(fixed(bar.Value, 2))
			if !c.loss.Exact() { // no number to draw a bar to
				bar.Value = 0
				bar.Label = minus(fixed(c.loss.Low, 2)) + " to " + minus(fixed(c.loss.High, 2))
			}
		} else {
			bar.Absent, bar.Label = true, "not\ngiven"
		}
		drop.Bars = append(drop.Bars, bar)

		v, bptt := a.Lab.at(t.point(c.k, c.n)), a.Lab.at(t.point(t.T(), t.Layers()))
		reductions := []float64{
			analytic.Reduction(v.GPU, bptt.GPU), analytic.Reduction(v.Ideal.Words, bptt.Ideal.Words),
			analytic.Reduction(v.Ideal.Adds, bptt.Ideal.Adds), analytic.Reduction(v.Ideal.MACs, bptt.Ideal.MACs),
		}
		row := []string{t.Net, t.Dataset, integer(c.k), integer(c.n), c.by, loss, source}
		for slot, r := range reductions {
			saving.Bars = append(saving.Bars, Bar{
				Style: quantities[slot].style, Group: g, Slot: slot, Slots: len(reductions), Value: r, Label: short(r),
			})
			row = append(row, fixed(r, 4))
		}
		f.Rows = append(f.Rows, append(row,
			fixed(analytic.Reduction(v.Real.Words, bptt.Real.Words), 4), fixed(analytic.Reduction(v.Real.Adds, bptt.Real.Adds), 4),
			fixed(analytic.Reduction(v.Real.MACs, bptt.Real.MACs), 4)))
	}
	f.Charts = []Chart{drop, saving}
	for _, q := range quantities {
		f.Legend = append(f.Legend, Entry{Name: q.name, Style: q.style, Bar: true})
	}
	f.Caption = "Below each group: (k, n). (A) accuracies: " + a.Accuracies.Name + "; negative is better than BPTT; whiskers without a bar are bounds, where the source gives no number." +
		" (B) simulated (idealised machine), batch 128, density " + a.density() + "; GPU memory by Eqs. 8-10."
	if paper {
		f.Caption += " Without an accuracy for every k and n, (k, n) are those that section 5.2 of the paper prints as best."
	} else {
		f.Caption += " (k, n) have the smallest FoM (Eq. 18)."
	}
	return f
}

// short prints a percentage to two digits.
func short(v float64) string {
	if v > -10 && v < 10 {
		return minus(fixed(v, 1))
	}
	if v > 99 && v < 100 { // not rounded up to all of it
		return fixed(v, 1)
	}
	return minus(fixed(v, 0))
}

// minus writes a negative number as print does.
func minus(s string) string { return strings.Replace(s, "-", "\u2212", 1) }

func shortNet(t *Task) string {
	for i := range t.Title {
		if t.Title[i] == ' ' {
			return t.Title[:i]
		}
	}
	return t.Title
}

func shortData(t *Task) string { return t.Title[len(shortNet(t))+len(" on "):] }
