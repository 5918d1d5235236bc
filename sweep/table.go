package sweep

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"

	"accelsim/network"
	"accelsim/report"
)

// The columns that are neither inputs nor results.
const (
	columnStatus   = "status"
	columnReason   = "reason"
	columnAccuracy = "accuracy"
	columnFoM      = "fom"
	columnPareto   = "pareto"
	columnKey      = "key"
	columnVersion  = "version"
)

// aliases are short names of columns, for conditions and orders.
var aliases = map[string]string{
	"cycles":    "cycles.total",
	"energy":    "energy_pj.total",
	"footprint": "dram.footprint_bytes",
	"memory":    "analytic.memory_words",
}

const (
	reductionAlias  = "reduction."
	reductionColumn = "baseline.reduction_percent."
)

// Table is points and what is known of them. A cell is text; "" is a value that
// a row does not have.
type Table struct {
	Inputs  []string
	Columns []string
	Rows    [][]string

	points []*Point
	at     map[string]int
}

// NewTable lays out the records that there are, in the plan's order, and
// returns the points that have none. Extra columns are empty for now.
func NewTable(p *Plan, records map[string]Record, extra ...string) (t *Table, missing []*Point) {
	results := resultColumns(p, records)
	t = &Table{Inputs: p.Inputs}
	t.Columns = slices.Concat(p.Inputs, []string{columnStatus, columnReason}, extra, results, []string{columnKey, columnVersion})
	t.at = make(map[string]int, len(t.Columns))
	for i := len(t.Columns) - 1; i >= 0; i-- {
		t.at[t.Columns[i]] = i
	}
	for _, point := range p.Points {
		r, ok := records[point.Key]
		if !ok {
			missing = append(missing, point)
			continue
		}
		row := make([]string, len(t.Columns))
		copy(row, point.Values)
		row[t.at[columnStatus]], row[t.at[columnReason]] = string(r.Status), r.Reason
		row[t.at[columnKey]], row[t.at[columnVersion]] = r.Key, p.Fixed.Version
		for _, v := range r.Values {
			if i := t.at[v.Name]; i >= len(p.Inputs) {
				row[i] = v.Text
			}
		}
		t.Rows, t.points = append(t.Rows, row), append(t.points, point)
	}
	return t, missing
}

// resultColumns merges the names of all records' values, keeping their order.
// A hardware key that is an input already is left out.
func resultColumns(p *Plan, records map[string]Record) []string {
	var columns []string
	seen := map[string]bool{}
	for _, name := range p.Inputs {
		seen[name] = true
	}
	for _, point := range p.Points {
		after := 0 // where the next new name goes
		for _, v := range records[point.Key].Values {
			if !seen[v.Name] {
				seen[v.Name] = true
				columns = slices.Insert(columns, after, v.Name)
			}
			if after < len(columns) && columns[after] == v.Name {
				after++
			} else if i := slices.Index(columns, v.Name); i >= 0 {
				after = i + 1
			}
		}
	}
	return columns
}

// Cell returns a row's value in a column, "" if there is none.
func (t *Table) Cell(row int, column string) string {
	if i, ok := t.at[column]; ok {
		return t.Rows[row][i]
	}
	return ""
}

// number returns a cell's value if it is a number.
func (t *Table) number(row int, column string) (float64, bool) {
	return Quantity(t.Cell(row, column))
}

// keep reduces the table to rows, in that order.
func (t *Table) keep(rows []int) {
	kept, points := make([][]string, len(rows)), make([]*Point, len(rows))
	for i, r := range rows {
		kept[i], points[i] = t.Rows[r], t.points[r]
	}
	t.Rows, t.points = kept, points
}

// Select keeps the rows for which a condition holds.
func (t *Table) Select(w *Where) {
	var rows []int
	for i := range t.Rows {
		if w.Holds(func(column string) string { return t.Cell(i, column) }) {
			rows = append(rows, i)
		}
	}
	t.keep(rows)
}

// Criterion is a column to order by or to optimise.
type Criterion struct {
	Column string
	Down   bool // largest first; the larger the better
}

// ParseCriteria reads "cycles,-accuracy": a minus is for largest first, or for
// the larger the better.
func ParseCriteria(text string, resolve func(string) (string, error)) ([]Criterion, error) {
	var all []Criterion
	for _, name := range strings.Split(text, ",") {
		name, down := strings.CutPrefix(strings.TrimSpace(name), "-")
		column, err := resolve(name)
		if err != nil {
			return nil, err
		}
		all = append(all, Criterion{column, down})
	}
	return all, nil
}

// compare orders two cells: numbers before texts before what is not there.
func compare(a, b string, down bool) int {
	if a == "" || b == "" {
		return strings.Compare(b, a)
	}
	sign := 1
	if down {
		sign = -1
	}
	x, okX := Quantity(a)
	y, okY := Quantity(b)
	switch {
	case okX && okY && x < y:
		return -sign
	case okX && okY && x > y:
		return sign
	case okX && okY:
		return 0
	case okX:
		return -1
	case okY:
		return 1
	}
	return sign * strings.Compare(a, b)
}

// Order sorts the rows; equals stay in the plan's order.
func (t *Table) Order(by []Criterion) {
	rows := make([]int, len(t.Rows))
	for i := range rows {
		rows[i] = i
	}
	sort.SliceStable(rows, func(i, j int) bool {
		for _, c := range by {
			if o := compare(t.Cell(rows[i], c.Column), t.Cell(rows[j], c.Column), c.Down); o != 0 {
				return o < 0
			}
		}
		return false
	})
	t.keep(rows)
}

// Front marks the rows that no other is at least as good as in every
// criterion and better in one (the Pareto front) in the column pareto. Rows
// that lack a value are not on it.
func (t *Table) Front(by []Criterion) {
	var rows []int
	costs := map[int][]float64{}
	for i := range t.Rows {
		cost := make([]float64, len(by))
		complete := t.Cell(i, columnStatus) == string(OK)
		for j, c := range by {
			v, ok := t.number(i, c.Column)
			complete = complete && ok
			if cost[j] = v; c.Down {
				cost[j] = -v
			}
		}
		if complete {
			rows, costs[i] = append(rows, i), cost
		}
	}
	// In lexicographic order, only rows before can dominate a row, and of those
	// only rows of the front need be asked.
	sort.SliceStable(rows, func(i, j int) bool { return slices.Compare(costs[rows[i]], costs[rows[j]]) < 0 })
	var front []int
	for _, r := range rows {
		if !slices.ContainsFunc(front, func(f int) bool { return dominates(costs[f], costs[r]) }) {
			front = append(front, r)
		}
	}
	for i := range t.Rows {
		t.Rows[i][t.at[columnPareto]] = "false"
	}
	for _, r := range front {
		t.Rows[r][t.at[columnPareto]] = "true"
	}
}

// dominates tells whether a is nowhere worse than b and somewhere better.
func dominates(a, b []float64) bool {
	better := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		better = better || a[i] < b[i]
	}
	return better
}

// KeepFront reduces the table to the rows that [Table.Front] marked.
func (t *Table) KeepFront() {
	var rows []int
	for i := range t.Rows {
		if t.Cell(i, columnPareto) == "true" {
			rows = append(rows, i)
		}
	}
	t.keep(rows)
}

// Resolver returns what finds the column of a name: a column, an alias such as
// cycles, energy or reduction.cycles, or a name that "run --format json" gives.
// Columns need not exist yet: it knows which results can be.
func Resolver(inputs []string) func(name string) (string, error) {
	known := slices.Concat(inputs, []string{
		columnStatus, columnReason, columnAccuracy, columnFoM, columnPareto, columnKey, columnVersion,
		columnMemoryAccess, columnAdds, columnMACs,
	})
	var open []string // prefixes below which names depend on the network
	resultNames(reflect.TypeFor[report.Run](), "", &known, &open)
	return func(name string) (string, error) {
		candidates := []string{name, aliases[name], name + ".total"}
		if rest, ok := strings.CutPrefix(name, reductionAlias); ok {
			candidates = append(candidates, reductionColumn+rest)
		}
		for _, c := range candidates {
			if slices.Contains(known, c) || slices.ContainsFunc(open, func(p string) bool { return strings.HasPrefix(c, p) }) {
				return c, nil
			}
		}
		names := slices.Clone(known)
		for alias := range aliases {
			names = append(names, alias)
		}
		slices.Sort(names)
		return "", fmt.Errorf("there is no column %q%s; there are the inputs %s, and results such as cycles, energy, footprint, memory_access, "+
			"macs, reduction.cycles, or any that run --format json names", name, network.Suggest(name, names), strings.Join(inputs, ", "))
	}
}

// resultNames collects the JSON paths of numbers, in order.
func resultNames(t reflect.Type, path string, known, open *[]string) {
	switch t.Kind() {
	case reflect.Pointer:
		resultNames(t.Elem(), path, known, open)
	case reflect.Map:
		*open = append(*open, path+".")
	case reflect.Struct:
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous && name == "":
				resultNames(f.Type, path, known, open)
			case path == "":
				resultNames(f.Type, name, known, open)
			default:
				resultNames(f.Type, path+"."+name, known, open)
			}
		}
	case reflect.String, reflect.Slice:
	default:
		*known = append(*known, path)
	}
}

// WriteCSV writes the table with a header.
func (t *Table) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.Columns); err != nil {
		return err
	}
	if err := out.WriteAll(t.Rows); err != nil {
		return err
	}
	return out.Error()
}

// WriteJSON writes one object: the schema, and the points as objects from
// columns to values, without those that a row does not have.
func (t *Table) WriteJSON(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "{\n  \"schema\": %q,\n  \"points\": [", schema); err != nil {
		return err
	}
	kinds := t.kinds()
	for i, row := range t.Rows {
		separator := ","
		if i == 0 {
			separator = ""
		}
		line := separator + "\n    {"
		first := true
		for j, cell := range row {
			if cell == "" {
				continue
			}
			name, err := json.Marshal(t.Columns[j])
			if err != nil {
				return err
			}
			value := []byte(cell)
			if kinds[j] == textKind {
				if value, err = json.Marshal(cell); err != nil {
					return err
				}
			}
			if !first {
				line += ", "
			}
			first = false
			line += string(name) + ": " + string(value)
		}
		if _, err := io.WriteString(w, line+"}"); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n  ]\n}\n")
	return err
}

type kind uint8

const (
	intKind kind = iota
	floatKind
	boolKind
	textKind
)

// kinds finds each column's type: the narrowest that all its cells have. Empty
// columns are text.
func (t *Table) kinds() []kind {
	kinds := make([]kind, len(t.Columns))
	for j := range kinds {
		isInt, isFloat, isBool, any := true, true, true, false
		for _, row := range t.Rows {
			cell := row[j]
			if cell == "" {
				continue
			}
			any = true
			if isInt {
				v, err := strconv.ParseInt(cell, 10, 64)
				isInt = err == nil && strconv.FormatInt(v, 10) == cell
			}
			if isFloat {
				isFloat = json.Valid([]byte(cell)) && strings.ContainsAny(cell[:1], "-0123456789")
			}
			isBool = isBool && (cell == "true" || cell == "false")
		}
		switch {
		case !any:
			kinds[j] = textKind
		case isInt:
			kinds[j] = intKind
		case isFloat:
			kinds[j] = floatKind
		case isBool:
			kinds[j] = boolKind
		default:
			kinds[j] = textKind
		}
	}
	return kinds
}
