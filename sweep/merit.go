package sweep

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/units"
)

// ParseWeights reads "accuracy=1,memory=0.25,access=0.25,adds=0.25,macs=0.25";
// those not named stay Eq. 18's.
func ParseWeights(text string) (analytic.Weights, error) {
	w := analytic.PaperWeights
	to := map[string]*float64{"accuracy": &w.AccuracyLoss, "memory": &w.Memory, "access": &w.MemoryAccess, "adds": &w.Adds, "macs": &w.MACs}
	if text == "" {
		return w, nil
	}
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		v, err := strconv.ParseFloat(value, 64)
		if to[name] == nil || err != nil || !(v >= 0 && v < 1e6) {
			return w, fmt.Errorf("%q is not a weight; write for example accuracy=1,memory=0.25,access=0.25,adds=0.25,macs=0.25", part)
		}
		*to[name] = v
	}
	return w, nil
}

// Merit fills the columns accuracy (percent) and fom (Eq. 18: smaller is
// better) of the rows for whose design and baseline there is an accuracy, and
// returns how many have a figure of merit.
func (t *Table) Merit(all *Accuracies, weights analytic.Weights) (int, error) {
	known, err := all.of(t.plan)
	if err != nil {
		return 0, err
	}
	rated := 0
	for i := range t.rows {
		subject := t.rows[i].point.subject
		if t.Cell(i, columnStatus) != string(OK) || subject == nil {
			continue
		}
		inputs := map[string]string{}
		for _, name := range t.Inputs {
			inputs[name] = t.Cell(i, name)
		}
		point := wanted{subject, inputs, subject.Learning}
		own, ok, err := known.find(point)
		if err != nil {
			return rated, err
		}
		if !ok {
			continue
		}
		t.set(i, columnAccuracy, strconv.FormatFloat(own, 'g', -1, 64))
		bptt, ok, err := known.findBPTT(point)
		if err != nil {
			return rated, err
		}
		if !ok || t.Cell(i, "baseline.counts.backward.macs") == "" {
			continue
		}
		f, err := analytic.NewFoM(t.cost(i, own, ""), t.cost(i, bptt, "baseline."), weights)
		if err != nil {
			return rated, err
		}
		t.set(i, columnFoM, strconv.FormatFloat(f.Total, 'g', -1, 64))
		rated++
	}
	return rated, nil
}

// cost collects what Eq. 18 weighs, from the run's columns or its baseline's.
func (t *Table) cost(row int, accuracy float64, prefix string) analytic.Cost {
	integer := func(column string) int64 {
		v, err := strconv.ParseInt(t.Cell(row, prefix+column), 10, 64)
		if err != nil {
			return 0 // NewFoM says which
		}
		return v
	}
	memory := "analytic.memory_words"
	if prefix != "" {
		memory = "memory_words"
	}
	return analytic.Cost{
		Accuracy: accuracy, Memory: units.Words(integer(memory)),
		MemoryAccess: units.Words(integer("counts.forward.reads") + integer("counts.forward.writes") +
			integer("counts.backward.reads") + integer("counts.backward.writes")),
		Adds: integer("counts.forward.adds") + integer("counts.backward.adds"),
		MACs: integer("counts.backward.macs"),
	}
}
