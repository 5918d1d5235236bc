// Package accuracy reads what was measured of designs: their accuracies, or
// their losses against BPTT. No cost model can tell them; Eq. 18 needs them.
//
// A file is a table, in CSV or as a JSON list of objects, or the result of a
// training (result.json of `accelsim train --out`). A table's columns say which
// designs a row is of; the caller names those that it knows, and any other is
// refused. Accuracies come out in percent, whatever the file has: see [Read].
package accuracy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
)

// The columns that say what was measured, and by whom.
const (
	columnAccuracy = "accuracy"
	columnLoss     = "loss"
	columnSource   = "source"
)

// Columns are what a table may have.
type Columns struct {
	Inputs   []string // that tell designs apart
	Required []string // of these
	// Losses may stand in the place of accuracies.
	Losses  bool
	Example string // of a header
}

// Row is what a file says of one design, or of all that have its inputs.
type Row struct {
	At     string            // the file and the line or entry, for errors
	Inputs map[string]string // by column, without those left empty
	// Training, if not nil, tells the network and its blocks, in the place of
	// the inputs net and n.
	Training *Training
	Percent  float64 // the accuracy
	Loss     *Loss   // if given in its place
	Source   string
}

// Training is what a training's result says of its design beside the inputs.
type Training struct {
	Network string
	Layers  string // as the workload file writes them, "" if not said
	Blocks  [][]int
	// Learning is what differs from the paper's rule.
	Learning Learning
}

// Learning is by what training rule a design learns, beside k, n and its
// classifiers. The zero Learning is the paper's.
type Learning struct {
	Rule          string // what differs from the paper's, as [network.Rule.String] lists it
	Readout       string // "" for spikes
	ConstantReset bool   // no error flows through resets
}

// String lists what differs from the paper's, as files write it.
func (l Learning) String() string {
	var parts []string
	if l.Rule != "" {
		parts = append(parts, l.Rule)
	}
	if l.Readout != "" {
		parts = append(parts, "readout: "+l.Readout)
	}
	if l.ConstantReset {
		parts = append(parts, "reset_gradient: false")
	}
	return strings.Join(parts, ", ")
}

// Read reads a file. Accuracies at most 1 are fractions, others are in percent;
// a file that has both is refused unless they have a sign (77%), for which is
// meant cannot be known. Results of trainings are fractions. A whole number may
// be written as pandas does, 2.0.
func Read(text []byte, name string, c Columns) ([]Row, error) {
	var rows []Row
	var err error
	switch trimmed := bytes.TrimSpace(text); {
	case len(trimmed) == 0:
		err = fmt.Errorf("%s: is empty; the first line names the columns, such as %s", name, c.Example)
	case trimmed[0] == '{':
		rows, err = readTraining(trimmed, name)
	case trimmed[0] == '[':
		rows, err = readList(trimmed, name, c)
	default:
		rows, err = readTable(text, name, c)
	}
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s: there are no accuracies in it", name)
	}
	return rows, err
}

// accepted lists a table's columns for errors.
func (c Columns) accepted() string {
	names := slices.Concat(c.Inputs, []string{columnAccuracy})
	if c.Losses {
		names = append(names, columnLoss)
	}
	return strings.Join(append(names, columnSource), ", ")
}

// check refuses a column that there is not.
func (c Columns) check(name string) error {
	switch {
	case slices.Contains(c.Inputs, name), name == columnAccuracy, name == columnSource, c.Losses && name == columnLoss:
		return nil
	case name == "":
		return fmt.Errorf("a column has no name (an index of pandas? write the file with index=False); there are %s", c.accepted())
	}
	return fmt.Errorf("column %q is unknown%s; there are %s", name,
		spelling.Suggest(name, slices.Concat(c.Inputs, []string{columnAccuracy, columnSource})), c.accepted())
}

// complete refuses a table without the columns that it must have.
func (c Columns) complete(names []string) error {
	for _, name := range c.Required {
		if !slices.Contains(names, name) {
			return fmt.Errorf("there is no column %q; write for example %s", name, c.Example)
		}
	}
	if slices.Contains(names, columnAccuracy) || c.Losses && slices.Contains(names, columnLoss) {
		return nil
	}
	what := "there is no column accuracy"
	if c.Losses {
		what = "there is neither a column accuracy nor loss"
	}
	return fmt.Errorf("%s; write for example %s", what, c.Example)
}

// table collects rows and the accuracies whose unit only the whole file tells.
type table struct {
	rows              []Row
	fraction, percent *bare // the first of either kind
	bare              []bare
}

// bare is an accuracy without a sign.
type bare struct {
	row  int
	text string
}

// mostRows bounds a table.
const mostRows = 100_000

// add reads one row; cells are by column, those left empty may be missing.
func (t *table) add(at string, cells map[string]string) error {
	if len(t.rows) == mostRows {
		return fmt.Errorf("there are more than %d rows", mostRows)
	}
	r := Row{At: at, Inputs: map[string]string{}, Source: cells[columnSource]}
	accuracy, loss := cells[columnAccuracy], cells[columnLoss]
	switch {
	case accuracy != "" && loss != "":
		return errors.New("both accuracy and loss; write one of them")
	case accuracy != "":
		if err := t.accuracy(&r, accuracy); err != nil {
			return err
		}
	case loss != "":
		l, err := parseLoss(loss)
		if err != nil {
			return err
		}
		l.Source = r.Source
		r.Loss = &l
	default:
		return errors.New("there is no accuracy; write one, or leave the row out")
	}
	for name, v := range cells {
		if v == "" || name == columnAccuracy || name == columnLoss || name == columnSource {
			continue
		}
		v, err := cell(name, v)
		if err != nil {
			return err
		}
		r.Inputs[name] = v
	}
	t.rows = append(t.rows, r)
	return nil
}

// accuracy reads an accuracy, for now as percent if it has no sign.
func (t *table) accuracy(r *Row, text string) (err error) {
	number, signed := strings.CutSuffix(text, "%")
	number = strings.TrimSpace(number)
	if r.Percent, err = percent(number, 0); err != nil {
		return fmt.Errorf("accuracy %q is not a number between 0 and 100", text)
	}
	if signed || r.Percent == 0 {
		return nil
	}
	b := bare{len(t.rows), number}
	t.bare = append(t.bare, b)
	kind := &t.percent
	if r.Percent <= 1 {
		kind = &t.fraction
	}
	if *kind == nil {
		*kind = &b
	}
	return nil
}

// settle decides whether the accuracies without a sign are fractions.
func (t *table) settle() ([]Row, error) {
	if t.fraction == nil {
		return t.rows, nil
	}
	if t.percent != nil {
		f, p := t.rows[t.fraction.row].At, t.rows[t.percent.row].At
		return nil, fmt.Errorf("%s: accuracy %s is a fraction, or is it in percent as %s in %s? Write all as fractions, all in percent, or with their sign: %s%%",
			f, t.fraction.text, t.percent.text, p, t.fraction.text)
	}
	for _, b := range t.bare {
		v, err := percent(b.text, 2)
		if err != nil {
			return nil, fmt.Errorf("%s: accuracy %q: %w", t.rows[b.row].At, b.text, err)
		}
		t.rows[b.row].Percent = v
	}
	return t.rows, nil
}
