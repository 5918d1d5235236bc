package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// CompareSchema names the version of [CompareRecord].
const CompareSchema = "accelsim.compare/1"

// ReadRun reads what [WriteJSON] wrote of a [Run].
func ReadRun(text []byte) (*Run, error) {
	run := &Run{}
	if err := json.Unmarshal(text, run); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + strings.Count(string(text[:min(int(syntax.Offset), len(text))]), "\n")
			return nil, fmt.Errorf("line %d: %w; a result of accelsim run is wanted", line, err)
		}
		return nil, fmt.Errorf("%w; a result of accelsim run is wanted", err)
	}
	if run.Schema != RunSchema {
		return nil, fmt.Errorf("schema %q; a result of accelsim run has %q", run.Schema, RunSchema)
	}
	return run, nil
}

// Comparison is several results beside each other; the first is what the others
// are measured by.
type Comparison struct {
	Names []string
	Runs  []*Run
}

// Add appends a result under a name.
func (c *Comparison) Add(name string, r *Run) {
	c.Names = append(c.Names, name)
	c.Runs = append(c.Runs, r)
}

// CompareRecord is a comparison as data.
type CompareRecord struct {
	Schema     string             `json:"schema"`
	Results    []ComparedRun      `json:"results"`
	Quantities []ComparedQuantity `json:"quantities"`
}

// ComparedRun says what a result is of.
type ComparedRun struct {
	Name     string   `json:"name"`
	Workload string   `json:"workload"`
	Schedule Schedule `json:"schedule"`
	Hardware string   `json:"hardware"`
	Pass     bool     `json:"pass"`
}

// ComparedQuantity is one quantity of every result, null where it has none,
// and by how many percent each is less than the first.
type ComparedQuantity struct {
	Quantity  string     `json:"quantity"`
	Values    []*float64 `json:"values"`
	Reduction []*float64 `json:"reduction_percent"`
}

// Data returns the comparison as data.
func (c *Comparison) Data() CompareRecord {
	record := CompareRecord{Schema: CompareSchema}
	for i, r := range c.Runs {
		record.Results = append(record.Results, ComparedRun{c.Names[i], r.Workload.Name, r.Schedule, r.Hardware.Name, r.Crosscheck.Pass})
	}
	for _, q := range comparisons {
		row := ComparedQuantity{Quantity: q.key}
		first, _, measurable := q.of(c.Runs[0])
		for _, r := range c.Runs {
			v, _, ok := q.of(r)
			if !ok {
				row.Values, row.Reduction = append(row.Values, nil), append(row.Reduction, nil)
				continue
			}
			row.Values = append(row.Values, &v)
			if !measurable || first == 0 {
				row.Reduction = append(row.Reduction, nil)
				continue
			}
			less := Quantity{Run: v, Baseline: first}.Reduction()
			row.Reduction = append(row.Reduction, &less)
		}
		record.Quantities = append(record.Quantities, row)
	}
	return record
}

// Write prints the comparison as tables.
func (c *Comparison) Write(w io.Writer) error {
	for _, t := range []*Table{c.resultTable(), c.quantityTable()} {
		if err := t.Write(w); err != nil {
			return err
		}
	}
	return nil
}

func (c *Comparison) resultTable() *Table {
	t := &Table{
		Title:  "Results",
		Header: []string{"result", "network", "k", "n", "batch", "classifiers", "hardware", "DRAM", "cross-check"},
		Left:   []int{1, 5, 6, 7, 8},
	}
	for i, r := range c.Runs {
		s, check := r.Schedule, "pass"
		if !r.Crosscheck.Pass {
			check = "FAIL"
		}
		name := r.Workload.Name
		if r.Workload.Dataset != "" {
			name += " on " + r.Workload.Dataset
		}
		t.Add(c.Names[i], name, Integer(s.K), Integer(s.N), Integer(s.Batch), s.Classifier, r.Hardware.Name,
			fmt.Sprintf("%s, %d channel(s)", r.DRAM.Device, r.DRAM.Channels), check)
	}
	return t
}

func (c *Comparison) quantityTable() *Table {
	t := &Table{Title: "One training iteration; in brackets: against the first", Header: []string{"quantity"}}
	t.Header = append(t.Header, c.Names...)
	for _, q := range comparisons {
		row := []string{q.name}
		first, _, measurable := q.of(c.Runs[0])
		for i, r := range c.Runs {
			v, text, ok := q.of(r)
			switch {
			case !ok:
				text = "-"
			case i > 0 && measurable && first != 0:
				text += fmt.Sprintf(" (%+.2f %%)", 100*(v/first-1))
			}
			row = append(row, text)
		}
		t.Add(row...)
	}
	return t
}

// WriteHTML writes the comparison as one page that needs nothing else.
func (c *Comparison) WriteHTML(w io.Writer) error { return pageTemplate.Execute(w, c.page()) }

func (c *Comparison) page() page {
	p := page{
		Title:    fmt.Sprintf("%d results beside each other", len(c.Runs)),
		Footer:   "Made by accelsim from results that accelsim run wrote.",
		Subtitle: "One training iteration each, simulated by accelsim; percentages are against the first",
	}
	results, quantities := c.resultTable(), c.quantityTable()
	results.Title, quantities.Title = "", ""
	var times, energies, traffic, footprints []entry
	for i, r := range c.Runs {
		name := c.Names[i]
		if r.Cycles != nil {
			times = append(times, entry{name, Seconds(*r.Seconds), inSeconds(timeAmounts(r), r.Hardware.Clock)})
			energies = append(energies, entry{name, Joules(r.Energy.Total), energyAmounts(r.Energy)})
		}
		var moved Traffic
		for _, t := range r.Words {
			moved.Reads += t.Reads
			moved.Writes += t.Writes
		}
		traffic = append(traffic, entry{name, scaled(float64(moved.Reads+moved.Writes), "words"), trafficAmounts(moved)})
		footprints = append(footprints, entry{name, Bytes(r.DRAM.Footprint), []amount{{byteKey, float64(r.DRAM.Footprint), Integer(r.DRAM.Footprint) + " B"}}})
	}
	p.Sections = append(p.Sections,
		section{Title: "What was run", Tables: []*Table{results}},
		section{Title: "In figures", Tables: []*Table{quantities}})
	if times != nil {
		p.Sections = append(p.Sections,
			section{Title: "Time", Charts: []chart{newChart("", times)}},
			section{Title: "Energy", Charts: []chart{newChart("", energies)}})
	}
	footprint := newChart("", footprints)
	footprint.Legend = nil
	p.Sections = append(p.Sections,
		section{Title: "Traffic", Text: []string{"All words across the DRAM port, those beyond the equations too."}, Charts: []chart{newChart("", traffic)}},
		section{Title: "DRAM footprint", Charts: []chart{footprint}})
	return p
}

// inSeconds turns clocks into seconds, for runs whose clocks differ.
func inSeconds[T ~int64](amounts []amount, clock T) []amount {
	for i := range amounts {
		amounts[i].v = ratio(amounts[i].v, float64(clock))
	}
	return amounts
}
