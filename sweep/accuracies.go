package sweep

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/accuracy"
)

// Accuracies are measured accuracies of designs, for Eq. 18.
type Accuracies struct {
	rows []accuracy.Row
	used []bool // by row: it is of a point
}

// Add reads a file of accuracies; a table's columns are a sweep's inputs.
func (all *Accuracies) Add(text []byte, name string, inputs []string) error {
	rows, err := accuracy.Read(text, name, accuracy.Columns{Inputs: inputs, Example: "net,dataset,k,n,accuracy"})
	if err != nil {
		return err
	}
	all.rows = append(all.rows, rows...)
	all.used = append(all.used, make([]bool, len(rows))...)
	return nil
}

// Unused returns how many accuracies are of no point, of how many, and where
// the first of them is.
func (all *Accuracies) Unused() (unused, of int, first string) {
	for i, used := range all.used {
		if used {
			continue
		}
		if unused++; unused == 1 {
			first = all.rows[i].At
		}
	}
	return unused, len(all.rows), first
}

// known are accuracies beside the networks that they are of.
type known struct {
	*Accuracies
	of    []map[*Subject]bool // by row; nil is any
	bptts []string            // the rules that are BPTT at (T, N)
}

// of finds the networks of a plan that the accuracies are of.
func (all *Accuracies) of(p *Plan) (k known, err error) {
	k = known{all, make([]map[*Subject]bool, len(all.rows)), p.bptts()}
	for i, r := range all.rows {
		if k.of[i], err = meant(r, p.Subjects); err != nil {
			return k, fmt.Errorf("%s: %w", r.At, err)
		}
	}
	return k, nil
}

// meant returns the networks of a sweep that a row is of. A table names them as
// the command line does, or by their names, if only one has it; a training is
// of those that have its name and layers.
func meant(r accuracy.Row, subjects []*Subject) (map[*Subject]bool, error) {
	net, given := r.Inputs[axisNet]
	if r.Training == nil && !given {
		return nil, nil
	}
	of := map[*Subject]bool{}
	take := func(fits func(s *Subject) bool) {
		for _, s := range subjects {
			if fits(s) {
				of[s] = true
			}
		}
	}
	if r.Training == nil {
		if take(func(s *Subject) bool { return samePath(s.Given, net) }); len(of) > 0 {
			return of, nil
		}
		take(func(s *Subject) bool { return s.Name == net })
	} else {
		net = r.Training.Network
		take(func(s *Subject) bool {
			return s.Name == net && (r.Training.Layers == "" || r.Training.Layers == s.Layers)
		})
	}
	var one *Subject
	for _, s := range subjects {
		switch {
		case !of[s]:
		case one == nil:
			one = s
		case one.Given != s.Given && one.Content != s.Content:
			return nil, fmt.Errorf("%s may be %s or %s; write in a table, in the column net, which", net, one.Given, s.Given)
		}
	}
	return of, nil
}

// samePath tells whether two texts name the same input: a built-in, or a file.
func samePath(a, b string) bool {
	if a == b {
		return true
	}
	if !isPath(a) || !isPath(b) {
		return false
	}
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}

// isPath tells a file from a built-in's name.
func isPath(text string) bool { return strings.ContainsAny(text, `/\.`) }

// wanted is a design whose accuracy is looked for; the subject may learn by
// another rule.
type wanted struct {
	subject  *Subject
	inputs   map[string]string
	learning accuracy.Learning
}

// find returns the accuracy of a design.
func (all known) find(d wanted) (float64, bool, error) {
	found := -1
	for i := range all.rows {
		r := &all.rows[i]
		if all.of[i] != nil && !all.of[i][d.subject] || !d.fits(r) {
			continue
		}
		all.used[i] = true
		if found >= 0 && all.rows[found].Percent != r.Percent {
			other := all.rows[found]
			return 0, false, fmt.Errorf("two accuracies fit net %s, k = %s, n = %s: %v %% (%s) and %v %% (%s); add columns that tell them apart",
				d.inputs[axisNet], d.inputs[axisK], d.inputs[axisN], other.Percent, other.At, r.Percent, r.At)
		}
		found = i
	}
	if found < 0 {
		return 0, false, nil
	}
	return all.rows[found].Percent, true, nil
}

// fits tells whether a row has a design's inputs, apart from its network.
func (d wanted) fits(r *accuracy.Row) bool {
	if r.Training != nil && !d.trained(r.Training) {
		return false
	}
	for name, v := range r.Inputs {
		if name != axisNet && !sameInput(v, d.inputs[name]) {
			return false
		}
	}
	return true
}

// trained tells whether a training had a design's blocks and rule.
func (d wanted) trained(t *accuracy.Training) bool {
	n, err := strconv.Atoi(d.inputs[axisN])
	return err == nil && slices.EqualFunc(t.Blocks, d.subject.blocks(n), slices.Equal) && t.Learning == d.learning
}

// sameInput compares an input with what a file says, 1GiB with 1024MiB.
func sameInput(a, b string) bool {
	x, okX := Quantity(a)
	y, okY := Quantity(b)
	return okX && okY && x == y || samePath(a, b)
}
