package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sim"
)

// Status tells what became of a point.
type Status string

// The statuses.
const (
	OK       Status = "ok"
	Mismatch Status = "mismatch"  // a counter differs from its equation
	Invalid  Status = "invalid"   // the combination makes no sense: k does not divide T
	TooLarge Status = "too_large" // it does not fit in the DRAM
	Failed   Status = "failed"    // the simulation refused or failed
)

var statuses = []Status{OK, Mismatch, Invalid, TooLarge, Failed}

// Record is what is known of a finished point: one line of a journal.
type Record struct {
	Key    Key     `json:"key"`
	Status Status  `json:"status"`
	Reason string  `json:"reason,omitempty"`
	Values []Value `json:"values,omitempty"`
}

// Value is one number of a result under the path that `run --format json`
// gives it: "cycles.total".
type Value struct {
	Name string
	Text string // as JSON writes it; integers stay integers
}

// MarshalJSON writes ["cycles.total", 123].
func (v Value) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{v.Name, json.RawMessage(v.Text)})
}

// UnmarshalJSON reads ["cycles.total", 123]. A value is a number or a truth.
func (v *Value) UnmarshalJSON(text []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("%s is not a name and a value", text)
	}
	if err := json.Unmarshal(pair[0], &v.Name); err != nil || v.Name == "" || strings.Contains(v.Name, separator) {
		return fmt.Errorf("%s is not the name of a value", pair[0])
	}
	v.Text = string(pair[1])
	if v.Text != "true" && v.Text != "false" && !strings.Contains("-0123456789", v.Text[:1]) {
		return fmt.Errorf("%s is %s; it must be a number or a truth", v.Name, v.Text)
	}
	return nil
}

// check refuses what no sweep writes.
func (r *Record) check() error {
	switch {
	case r.Key == Key{}:
		return errors.New("the point has no key")
	case !slices.Contains(statuses, r.Status):
		return fmt.Errorf("status %q is none of %v", r.Status, statuses)
	case r.Status == OK && len(r.Values) == 0:
		return errors.New("the point is ok, but has no values")
	}
	return nil
}

// left out of records: inputs, which are columns of their own, and what the
// cross-check has found equal to the counts.
var leftOut = []string{"schema", "workload.", "schedule.", "hardware.", "analytic.forward.", "analytic.backward.", "crosscheck.rows", "residency.skip_unread", "baseline.k", "baseline.n"}

// The sums that CONTRACT.md's reductions are taken of.
const (
	columnMemoryAccess = "memory_access"
	columnAdds         = "adds"
	columnMACs         = "macs"
)

// record turns a point's evaluation, or its failure, into a record.
func record(p *Point, e *design.Evaluation, err error) (Record, error) {
	r := Record{Key: p.Key, Status: OK}
	switch {
	case errors.As(err, new(*design.TooLarge)):
		r.Status, r.Reason = TooLarge, oneLine(err)
		return r, nil
	case errors.As(err, new(*sim.StepTooLong)) || errors.As(err, new(*design.TooManySteps)) || errors.Is(err, sim.ErrAcross):
		r.Status, r.Reason = Invalid, oneLine(err)
		return r, nil
	case err != nil:
		r.Status, r.Reason = Failed, oneLine(err)
		return r, nil
	case !e.Check.Pass:
		r.Status = Mismatch
		for _, row := range e.Check.Rows {
			if row.Decides && row.Difference != 0 {
				r.Reason = fmt.Sprintf("%s are %d, Eq. %s gives %d", row.Quantity, row.Simulated, row.Equation, row.Analytic)
				break
			}
		}
		if r.Reason == "" && len(e.Check.Late) > 0 {
			r.Reason = e.Check.Late[0]
		}
	}
	text, err := json.Marshal(report.NewRun(e))
	if err != nil {
		return r, err
	}
	c := e.Run.Counts
	r.Values = []Value{
		{columnMemoryAccess, fmt.Sprint(c.Forward.Reads + c.Forward.Writes + c.Backward.Reads + c.Backward.Writes)},
		{columnAdds, fmt.Sprint(c.Forward.Adds + c.Backward.Adds)},
		{columnMACs, fmt.Sprint(c.Backward.MACs)},
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = flatten(decoder, "", &r.Values)
	return r, err
}

// flatten appends the numbers and truths of a JSON value, in its order, by
// path. Texts and lists are left out.
func flatten(d *json.Decoder, path string, into *[]Value) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	keep := true
	for _, prefix := range leftOut {
		keep = keep && !strings.HasPrefix(path, prefix)
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			return skip(d)
		}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			if path != "" {
				name = path + "." + name
			}
			if err := flatten(d, name, into); err != nil {
				return err
			}
		}
		_, err := d.Token()
		return err
	case json.Number:
		if keep {
			*into = append(*into, Value{path, v.String()})
		}
	case bool:
		if keep {
			*into = append(*into, Value{path, fmt.Sprint(v)})
		}
	}
	return nil
}

// skip reads to the end of a list.
func skip(d *json.Decoder) error {
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return nil
}
