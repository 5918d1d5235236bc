package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sweep"
	"github.com/accelsim-dev/accelsim/units"
)

// viewFlags ask questions of a sweep's points.
type viewFlags struct {
	seed                                                 *uint64
	whereText, sortText, paretoText, weightsText, format string
	accuracyFiles                                        []string
	top                                                  int

	where       *sweep.Where
	whereInputs bool     // the condition is on inputs only
	asked       []string // columns that the flags name
	order       []sweep.Criterion
	pareto      []sweep.Criterion
	accuracies  *sweep.Accuracies
	weights     analytic.Weights
}

func (f *viewFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.whereText, "where", "", "only points for which this holds: 'k <= 10 and time < 90s'; on inputs alone, others are not simulated")
	flags.StringVar(&f.sortText, "sort", "", "columns to sort by, largest first with a minus: time,-k")
	flags.StringVar(&f.paretoText, "pareto", "", "show the Pareto front of these columns, less is better, more with a minus: cycles,energy,-accuracy")
	flags.StringSliceVar(&f.accuracyFiles, "accuracy", nil, "CSV or JSON files with accuracies, or results of accelsim train, for the figure of merit (Eq. 18)")
	flags.StringVar(&f.weightsText, "fom-weights", "", "weights of Eq. 18 (default accuracy=1,memory=0.25,access=0.25,adds=0.25,macs=0.25)")
	flags.StringVar(&f.format, "format", "table", "table, json or csv")
	flags.IntVar(&f.top, "top", 40, "rows of the table to print, 0 for all")
}

// open checks the flags against the columns that there can be.
func (f *viewFlags) open(c *cobra.Command, inputs []string) (err error) {
	f.seed = seedOf(c)
	if err := (&outputFlags{format: f.format}).check(); err != nil {
		return err
	}
	if f.top < 0 {
		return usage(fmt.Errorf("--top %d; write a number of rows, or 0 for all", f.top))
	}
	resolve := sweep.Resolver(inputs)
	if f.whereText != "" {
		if f.where, err = sweep.ParseWhere(f.whereText); err != nil {
			return usage(fmt.Errorf("--where: %w", err))
		}
		columns, err := f.where.Bind(resolve)
		if err != nil {
			return usage(fmt.Errorf("--where: %w", err))
		}
		f.asked = append(f.asked, columns...)
		f.whereInputs = !slices.ContainsFunc(columns, func(name string) bool { return !slices.Contains(inputs, name) })
	}
	for _, list := range []struct {
		flag, text string
		to         *[]sweep.Criterion
	}{{"sort", f.sortText, &f.order}, {"pareto", f.paretoText, &f.pareto}} {
		if list.text == "" {
			continue
		}
		if *list.to, err = sweep.ParseCriteria(list.text, resolve); err != nil {
			return usage(fmt.Errorf("--%s: %w", list.flag, err))
		}
		for _, criterion := range *list.to {
			f.asked = append(f.asked, criterion.Column)
		}
	}
	for _, name := range f.accuracyFiles {
		text, err := input.Text(name)
		if err != nil {
			return usage(fmt.Errorf("--accuracy: %w", err))
		}
		if f.accuracies == nil {
			f.accuracies = &sweep.Accuracies{}
		}
		if err := f.accuracies.Add(text, name, inputs); err != nil {
			return usage(fmt.Errorf("--accuracy: %w", err))
		}
	}
	if f.weights, err = sweep.ParseWeights(f.weightsText); err != nil {
		return usage(fmt.Errorf("--fom-weights: %w", err))
	}
	if c.Flags().Changed("fom-weights") && f.accuracies == nil {
		return usage(errors.New("--fom-weights needs --accuracy: Eq. 18 weighs the loss of accuracy"))
	}
	return nil
}

// prune drops points that a condition on inputs rules out before they are
// simulated.
func (f *viewFlags) prune(p *sweep.Plan) error {
	if f.where == nil || !f.whereInputs {
		return nil
	}
	p.Points = slices.DeleteFunc(p.Points, func(point *sweep.Point) bool {
		return !f.where.Holds(func(column string) string { return point.Value(slices.Index(p.Inputs, column)) })
	})
	if len(p.Points) == 0 {
		return usage(fmt.Errorf("--where %q leaves zero points of the grid", f.whereText))
	}
	return nil
}

// sweepTables are the files of all points in a folder of results.
var sweepTables = []string{"results.csv", "results.parquet"}

// finish lays out what is finished, writes the result files and prints the
// answer. It fails if points failed.
func (f *viewFlags) finish(stdout io.Writer, p *sweep.Plan, records *sweep.Records, out string) error {
	var extra []string
	if f.accuracies != nil {
		extra = append(extra, "accuracy", "fom")
	}
	if f.pareto != nil {
		extra = append(extra, "pareto")
	}
	t, _ := sweep.NewTable(p, records, extra...)
	outcome := countOutcomes(t)
	if f.accuracies != nil {
		rated, err := t.Merit(f.accuracies, f.weights)
		if err != nil {
			return usage(fmt.Errorf("--accuracy: %w", err))
		}
		say("%d of %d points have a figure of merit: an accuracy, and one of BPTT beside it", rated, t.Len())
		if unused, of, first := f.accuracies.Unused(); unused > 0 {
			say("%d of %d accuracies fit no point, the first is at %s", unused, of, first)
		}
	}
	if f.where != nil {
		t.Select(f.where)
	}
	t.Order(f.order)
	if f.pareto != nil {
		t.Front(f.pareto)
	}
	failed := finish(func() error {
		if f.pareto != nil {
			t.KeepFront()
		}
		return f.print(stdout, t, outcome, out)
	}, toFolder("out", out, []output.File{{Name: sweepTables[0], Write: t.WriteCSV}, {Name: sweepTables[1], Write: t.WriteParquet}}))
	return join(failed, outcome.failure())
}

func (f *viewFlags) print(w io.Writer, t *sweep.Table, o outcomes, out string) error {
	switch f.format {
	case "json":
		return t.WriteJSON(w, f.seed)
	case "csv":
		return t.WriteCSV(w)
	}
	if t.Len() == 0 {
		_, err := fmt.Fprintf(w, "No point meets the condition (%s)\n", o)
		return err
	}
	return f.table(t, o, out).Write(w)
}

// shown are results that a table has room for.
var shown = []string{
	"memory_access", "macs", "cycles.total", "seconds", "energy_pj.total", "dram.footprint_bytes",
	"baseline.reduction_percent.cycles", "baseline.reduction_percent.energy",
}

// headings are shorter than the columns' names.
var headings = map[string]string{
	"memory_access": "memory access (words)", "macs": "MACs", "cycles.total": "cycles", "seconds": "time",
	"energy_pj.total": "energy", "dram.footprint_bytes": "DRAM footprint",
	"baseline.reduction_percent.cycles": "fewer cycles than BPTT", "baseline.reduction_percent.energy": "less energy",
}

// table prints the inputs that differ, the headline results and the columns
// that were asked for.
func (f *viewFlags) table(t *sweep.Table, o outcomes, out string) *report.Table {
	rows := t.Len()
	var columns, constant []string
	for _, name := range append(slices.Clone(t.Inputs), "status") {
		first, differs := t.Cell(0, name), false
		for i := range rows {
			differs = differs || t.Cell(i, name) != first
		}
		if differs {
			columns = append(columns, name)
		} else if first != "" && name != "status" {
			constant = append(constant, name+" "+first)
		}
	}
	columns = append(columns, shown...)
	for _, name := range append([]string{"accuracy", "fom"}, f.asked...) {
		if !slices.Contains(columns, name) && !slices.Contains(t.Inputs, name) && name != "status" && name != "pareto" {
			columns = append(columns, name)
		}
	}
	columns = slices.DeleteFunc(columns, func(name string) bool {
		for i := range rows {
			if t.Cell(i, name) != "" {
				return false
			}
		}
		return true
	})
	title := "Points"
	if f.pareto != nil {
		title = fmt.Sprintf("Pareto front of %s: points", f.paretoText)
	}
	if len(constant) > 0 {
		title += " of " + strings.Join(constant, ", ")
	}
	table := &report.Table{Title: title, Header: []string{"#"}}
	for i, name := range columns {
		heading := name
		if h, ok := headings[name]; ok {
			heading = h
		}
		table.Header = append(table.Header, heading)
		if slices.Contains(t.Inputs, name) && name != "k" && name != "n" || name == "status" || name == "reason" {
			table.Left = append(table.Left, i+1)
		}
	}
	for i := range rows {
		if f.top > 0 && i == f.top {
			where := ""
			if out != "" {
				where = ", all are in " + filepath.Join(out, "results.csv")
			}
			table.Notes = append(table.Notes, fmt.Sprintf("and %s more rows (--top 0 prints them)%s", report.Integer(rows-i), where))
			break
		}
		cells := []string{strconv.Itoa(i + 1)}
		for _, name := range columns {
			cells = append(cells, cellText(t, name, t.Cell(i, name)))
		}
		table.Add(cells...)
	}
	table.Notes = append(table.Notes, o.String())
	table.Notes = append(table.Notes, reasons(t)...)
	return table
}

// cellText prints a result with its unit and an input as it was written.
func cellText(t *sweep.Table, name, cell string) string {
	if cell == "" || slices.Contains(t.Inputs, name) {
		return cell
	}
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		return cell
	}
	integer, notInteger := strconv.ParseInt(cell, 10, 64)
	switch {
	case strings.Contains(name, "energy_pj."):
		return report.Joules(units.Picojoules(v))
	case name == "seconds" || strings.HasSuffix(name, ".seconds"):
		return report.Seconds(v)
	case strings.HasSuffix(name, "_bytes"):
		return report.Bytes(units.Bytes(v))
	case strings.Contains(name, "_percent."):
		return report.Percent(v)
	case notInteger == nil:
		return report.Integer(integer)
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

// reasons lists why points have no result, most frequent first.
func reasons(t *sweep.Table) (notes []string) {
	const most = 5
	count := map[string]int{}
	var order []string
	for i := range t.Len() {
		if r := t.Cell(i, "reason"); r != "" {
			r = t.Cell(i, "status") + ": " + r
			if count[r]++; count[r] == 1 {
				order = append(order, r)
			}
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return count[b] - count[a] })
	for i, r := range order {
		if i == most {
			return append(notes, fmt.Sprintf("and %d more reasons, in the column reason", len(order)-most))
		}
		notes = append(notes, fmt.Sprintf("%s (%s)", r, plural(count[r], "point")))
	}
	return notes
}

// plural prints "1 point", "2 points".
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return report.Integer(n) + " " + what
}

// outcomes counts points by status.
type outcomes struct {
	total int
	by    map[string]int
}

func countOutcomes(t *sweep.Table) outcomes {
	o := outcomes{t.Len(), map[string]int{}}
	for i := range t.Len() {
		o.by[t.Cell(i, "status")]++
	}
	return o
}

// String prints "20 points: 15 ok, 5 invalid".
func (o outcomes) String() string {
	var parts []string
	for _, s := range []sweep.Status{sweep.OK, sweep.Invalid, sweep.TooLarge, sweep.Mismatch, sweep.Failed} {
		if n := o.by[string(s)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", report.Integer(n), s))
		}
	}
	return fmt.Sprintf("%s: %s", plural(o.total, "point"), strings.Join(parts, ", "))
}

// failure tells whether the sweep as a whole failed.
func (o outcomes) failure() error {
	switch {
	case o.by[string(sweep.Mismatch)] > 0 || o.by[string(sweep.Failed)] > 0:
		return fmt.Errorf("%s; the column reason says why", o)
	case o.total > 0 && o.by[string(sweep.OK)] == 0:
		return fmt.Errorf("no point could be simulated (%s); the column reason says why", o)
	}
	return nil
}
