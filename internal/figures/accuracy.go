package figures

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/accuracy"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/network"
)

type design struct {
	dataset string
	k, n    int
}

// Accuracies holds the losses of accuracy that are known, with trainable
// classifiers.
type Accuracies struct {
	Name   string // of the file
	losses map[design]accuracy.Loss
}

// Of returns the loss of a task at (k, n), if it is known. That of BPTT is 0.
func (a *Accuracies) Of(t *Task, k, n int) (accuracy.Loss, bool) {
	if k == t.T() && n == t.Layers() {
		return accuracy.Loss{Source: "BPTT itself"}, true
	}
	l, ok := a.losses[design{t.Dataset, k, n}]
	return l, ok
}

// known tells whether anything but BPTT itself is known of a task.
func (a *Accuracies) known(t *Task) bool {
	for d := range a.losses {
		if d.dataset == t.Dataset {
			return true
		}
	}
	return false
}

//go:embed paper.csv
var paperCSV string

// PaperAccuracies are the losses that the text of Guo et al. (2023) prints.
// Its Figures 3-5 show more, but no numbers.
func PaperAccuracies() *Accuracies {
	a, err := ReadAccuracies([]byte(paperCSV), "figures/paper.csv")
	if err != nil {
		panic(err) // a constant of this package; a test reads it
	}
	return a
}

// taken are the columns of a table: the figures show one network for a dataset,
// with trainable classifiers.
var taken = accuracy.Columns{
	Inputs:   []string{"net", "dataset", "k", "n", "classifier"},
	Required: []string{"dataset", "k", "n"},
	Losses:   true,
	Example:  "dataset,k,n,accuracy",
}

// ReadAccuracies reads one file: see [AccuracyFiles.Add].
func ReadAccuracies(text []byte, name string) (*Accuracies, error) {
	var files AccuracyFiles
	if err := files.Add(text, name); err != nil {
		return nil, err
	}
	return files.Accuracies()
}

// AccuracyFiles collects accuracies from several files. The zero value has none.
type AccuracyFiles struct {
	names    []string
	losses   map[design]accuracy.Loss
	measured map[design]accuracy.Row
}

// Add takes what a file says of the designs of the paper's grids: the last test
// accuracy of a training, or a table with the columns dataset, k, n and accuracy,
// or loss (percent relative to BPTT, a number or bounds such as 0..1).
func (f *AccuracyFiles) Add(text []byte, name string) error {
	rows, err := accuracy.Read(text, name, taken)
	if err != nil {
		return err
	}
	if f.losses == nil {
		f.losses, f.measured = map[design]accuracy.Loss{}, map[design]accuracy.Row{}
	}
	f.names = append(f.names, name)
	for _, r := range rows {
		if err := f.add(r); err != nil {
			return fmt.Errorf("%s: %w", r.At, err)
		}
	}
	return nil
}

// add takes one design, which must be on the grid of its task.
func (f *AccuracyFiles) add(r accuracy.Row) error {
	t, err := taskOf(r)
	if err != nil {
		return err
	}
	if c := r.Inputs["classifier"]; c != "" && c != network.Trainable {
		return fmt.Errorf("classifier %q; Figures 14 and 15 are of trainable classifiers, leave other rows out", c)
	}
	d := design{dataset: t.Dataset}
	if d.k, err = onGrid(t, "k", r.Inputs["k"], t.K); err != nil {
		return err
	}
	n := r.Inputs["n"]
	if r.Training != nil {
		if r.Training.Learning != (accuracy.Learning{}) {
			return fmt.Errorf("a training with %s; Figures 14 and 15 are of the paper's rule, leave other files out", r.Training.Learning)
		}
		if n, err = layersOfBlocks(r.Training.Blocks); err != nil {
			return err
		}
	}
	if d.n, err = onGrid(t, "n", n, t.N); err != nil {
		return err
	}
	if f.has(d) {
		return fmt.Errorf("%s at (%d, %d) is there twice", d.dataset, d.k, d.n)
	}
	if r.Loss != nil {
		f.losses[d] = *r.Loss
	} else {
		f.measured[d] = r
	}
	return nil
}

// taskOf finds the task that a row is of.
func taskOf(r accuracy.Row) (*Task, error) {
	dataset, net := r.Inputs["dataset"], r.Inputs["net"]
	t := task(dataset)
	if t == nil {
		return nil, fmt.Errorf("dataset %q%s; the figures show %s", dataset,
			spelling.Suggest(dataset, datasets()), strings.Join(datasets(), ", "))
	}
	if r.Training != nil {
		net = r.Training.Network
		if steps := r.Inputs["timesteps"]; steps != strconv.Itoa(t.T()) {
			return nil, fmt.Errorf("%s on %s with T = %s is none of the figures' tasks; T is %d there", net, dataset, steps, t.T())
		}
		layers, err := t.layers()
		if err == nil && r.Training.Layers != "" && r.Training.Layers != layers {
			err = fmt.Errorf("layers %s are not those of %s on %s, %s", r.Training.Layers, t.Net, dataset, layers)
		}
		if err != nil {
			return nil, err
		}
	}
	if net != "" && net != t.Net {
		return nil, fmt.Errorf("net %q; the figures show %s on %s", net, t.Net, t.Dataset)
	}
	return t, nil
}

func onGrid(t *Task, name, text string, grid []int) (int, error) {
	v, err := strconv.Atoi(text)
	if err != nil || !slices.Contains(grid, v) {
		return 0, fmt.Errorf("%s is %q; the paper's grid of %s has %s", name, text, t.Dataset, list(grid))
	}
	return v, nil
}

// layersOfBlocks returns the n of a training: the layers of its first block,
// which no other exceeds.
func layersOfBlocks(blocks [][]int) (string, error) {
	if len(blocks) == 0 {
		return "", errors.New("says no local blocks")
	}
	return strconv.Itoa(len(blocks[0])), nil
}

// has tells whether a design was there before.
func (f *AccuracyFiles) has(d design) bool {
	_, loss := f.losses[d]
	_, measured := f.measured[d]
	return loss || measured
}

// Accuracies returns the losses against BPTT. Where accuracies are given,
// BPTT's must be, too.
func (f *AccuracyFiles) Accuracies() (*Accuracies, error) {
	a := &Accuracies{Name: strings.Join(f.names, ", "), losses: f.losses}
	for _, t := range Tasks { // in order: the same first error every time
		bptt, ok := f.measured[design{t.Dataset, t.T(), t.Layers()}]
		var failure error
		t.grid(func(k, n int) {
			m, given := f.measured[design{t.Dataset, k, n}]
			if !given || failure != nil {
				return
			}
			if !ok || bptt.Percent == 0 {
				failure = fmt.Errorf("%s: the accuracy of %s at (%d, %d) needs BPTT's beside it, above 0: add that of k = %d, n = %d",
					m.At, t.Dataset, k, n, t.T(), t.Layers())
				return
			}
			loss := 100 * (bptt.Percent - m.Percent) / bptt.Percent
			a.losses[design{t.Dataset, k, n}] = accuracy.Loss{Low: loss, High: loss, Source: m.Source}
		})
		if failure != nil {
			return nil, failure
		}
	}
	return a, nil
}

// percent prints a loss, or its bounds.
func percent(l accuracy.Loss) string {
	if l.Exact() {
		return fixed(l.Low, 2)
	}
	return fixed(l.Low, 2) + ".." + fixed(l.High, 2)
}

func list(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

func fixed(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" { // no negative zero
		return strings.TrimPrefix(s, "-")
	}
	return s
}
