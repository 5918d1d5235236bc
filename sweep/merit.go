package sweep

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"accelsim/analytic"
	"accelsim/network"
	"accelsim/units"
)

// Accuracies are measured accuracies of designs, for Eq. 18.
type Accuracies []accuracy

// accuracy is that of all rows whose inputs have these values.
type accuracy struct {
	inputs map[string]string
	blocks [][]int // of a training run, instead of n
	value  float64
	source string
}

// ReadAccuracies reads a CSV file (a header of input columns and accuracy), a
// JSON list of such objects, or the result.json of `accelsim train --out`.
func ReadAccuracies(name string) (Accuracies, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parseAccuracies(text, name)
}

func parseAccuracies(text []byte, name string) (all Accuracies, err error) {
	switch trimmed := bytes.TrimSpace(text); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		all, err = trained(trimmed)
	case bytes.HasPrefix(trimmed, []byte("[")):
		all, err = listed(trimmed)
	default:
		all, err = tabled(text)
	}
	if err == nil && len(all) == 0 {
		err = errors.New("there are no accuracies in it")
	}
	for i := range all {
		all[i].source = name
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}

// add appends the accuracy of a design written as columns.
func (all *Accuracies) add(columns map[string]string) error {
	a := accuracy{inputs: map[string]string{}}
	for name, v := range columns {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		if name != columnAccuracy {
			a.inputs[name] = v
			continue
		}
		var err error
		if a.value, err = strconv.ParseFloat(v, 64); err != nil || !(a.value >= 0 && a.value <= 100) {
			return fmt.Errorf("accuracy %q is not a number between 0 and 100", v)
		}
	}
	if _, ok := columns[columnAccuracy]; !ok {
		return errors.New("there is no column accuracy; write for example net,dataset,k,n,accuracy")
	}
	*all = append(*all, a)
	return nil
}

func tabled(text []byte) (all Accuracies, err error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment, r.TrimLeadingSpace = '#', true
	names, err := r.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("is empty")
		}
		return nil, err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		columns := map[string]string{}
		for i, name := range names {
			columns[strings.TrimSpace(name)] = row[i]
		}
		if err := all.add(columns); err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func listed(text []byte) (all Accuracies, err error) {
	var list []map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	for i, object := range list {
		columns := map[string]string{}
		for name, v := range object {
			columns[name] = fmt.Sprint(v)
		}
		if err := all.add(columns); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return all, nil
}

// trained reads the result of a training: the test accuracy after the last epoch.
func trained(text []byte) (Accuracies, error) {
	var result struct {
		Schema   string `json:"schema"`
		Settings struct {
			Network    string  `json:"network"`
			Dataset    string  `json:"dataset"`
			Timesteps  int     `json:"timesteps"`
			K          int     `json:"k"`
			Blocks     [][]int `json:"blocks"`
			Classifier string  `json:"classifier"`
		} `json:"settings"`
		Epochs []struct {
			Test *float64 `json:"test_accuracy"`
		} `json:"epochs"`
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(result.Schema, "accelsim.train/") {
		return nil, fmt.Errorf("schema %q is not that of a result of accelsim train", result.Schema)
	}
	s := result.Settings
	for _, e := range slices.Backward(result.Epochs) {
		if e.Test != nil {
			return Accuracies{{
				inputs: map[string]string{
					axisNet: s.Network, axisDataset: s.Dataset, axisTimesteps: strconv.Itoa(s.Timesteps),
					axisK: strconv.Itoa(s.K), axisClassifier: s.Classifier,
				},
				blocks: s.Blocks, value: *e.Test,
			}}, nil
		}
	}
	return nil, errors.New("no epoch has a test accuracy")
}

// of finds the accuracy of a design.
func (all Accuracies) of(inputs map[string]string, blocks func(n string) [][]int) (float64, bool, error) {
	var found *accuracy
	for i := range all {
		a := &all[i]
		fits := a.blocks == nil || slices.EqualFunc(a.blocks, blocks(inputs[axisN]), slices.Equal)
		for name, v := range a.inputs {
			fits = fits && same(name, v, inputs[name])
		}
		if !fits {
			continue
		}
		if found != nil && found.value != a.value {
			return 0, false, fmt.Errorf("two accuracies fit net %s, k = %s, n = %s: %v (%s) and %v (%s); add columns that tell them apart",
				inputs[axisNet], inputs[axisK], inputs[axisN], found.value, found.source, a.value, a.source)
		}
		found = a
	}
	if found == nil {
		return 0, false, nil
	}
	return found.value, true, nil
}

// same compares an input with what a file says: networks by name, whatever
// file they are in.
func same(name, a, b string) bool {
	if name == axisNet {
		return base(a) == base(b)
	}
	return a == b
}

func base(net string) string {
	return strings.TrimSuffix(filepath.Base(net), filepath.Ext(net))
}

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

// Merit fills the columns accuracy and fom (Eq. 18: smaller is better) of the
// rows for whose design and baseline there is an accuracy, and returns how
// many they are.
func (t *Table) Merit(all Accuracies, weights analytic.Weights) (int, error) {
	rated := 0
	for i := range t.Rows {
		if t.Cell(i, columnStatus) != string(OK) {
			continue
		}
		inputs := map[string]string{}
		for _, name := range t.Inputs {
			inputs[name] = t.Cell(i, name)
		}
		w, err := t.network(i)
		if err != nil {
			return rated, err
		}
		blocks := func(n string) [][]int { return blocksOf(w, n) }
		own, ok, err := all.of(inputs, blocks)
		if err != nil {
			return rated, err
		}
		if !ok {
			continue
		}
		t.Rows[i][t.at[columnAccuracy]] = strconv.FormatFloat(own, 'g', -1, 64)
		inputs[axisK], inputs[axisN] = inputs[axisTimesteps], strconv.Itoa(w.N())
		bptt, ok, err := all.of(inputs, blocks)
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
		t.Rows[i][t.at[columnFoM]] = strconv.FormatFloat(f.Total, 'g', -1, 64)
		rated++
	}
	return rated, nil
}

// network opens a row's network: a merged row comes without one.
func (t *Table) network(row int) (*network.Network, error) {
	if p := t.points[row]; p.task != nil {
		return p.task.workload.Net, nil
	}
	w, err := network.Open(t.Cell(row, axisNet))
	if err != nil {
		return nil, err
	}
	return w.Net, nil
}

func blocksOf(net *network.Network, n string) [][]int {
	size, err := strconv.Atoi(n)
	if err != nil {
		return nil
	}
	cut, err := net.Blocks(size)
	if err != nil {
		return nil
	}
	var blocks [][]int
	for _, b := range cut {
		blocks = append(blocks, b.Layers())
	}
	return blocks
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
