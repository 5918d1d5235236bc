package sweep

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/report"
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

// Table is points and what is known of them. A cell is text; "" is a value that
// a row does not have. Cells are read from the records when they are asked for,
// since there may be millions of rows.
type Table struct {
	Inputs  []string
	Columns []string

	plan    *Plan
	records *Records
	at      map[string]int   // of columns
	extra   int              // column of the first extra one
	results int              // column of the first result, behind those
	places  map[*shape][]int // of a record's values: their columns
	rows    []row
}

// row is a point and its record; extra are its cells that are in neither.
type row struct {
	point  *Point
	record int32
	extra  []string
}

// NewTable lays out the records that there are, in the plan's order, and
// returns the points that have none. Extra columns are empty for now.
func NewTable(p *Plan, records *Records, extra ...string) (t *Table, missing []*Point) {
	t = &Table{Inputs: p.Inputs, plan: p, records: records, at: map[string]int{}, places: map[*shape][]int{}}
	for _, point := range p.Points {
		i, ok := records.at[point.Key]
		if !ok {
			missing = append(missing, point)
			continue
		}
		r := row{point: point, record: i}
		if len(extra) > 0 {
			r.extra = make([]string, len(extra))
		}
		t.rows = append(t.rows, r)
	}
	t.Columns = slices.Concat(p.Inputs, []string{columnStatus, columnReason}, extra)
	t.extra = len(t.Columns) - len(extra)
	t.results = len(t.Columns)
	t.Columns = slices.Concat(t.Columns, t.resultColumns(), []string{columnKey, columnVersion})
	for i := len(t.Columns) - 1; i >= 0; i-- {
		t.at[t.Columns[i]] = i
	}
	for _, s := range t.shapes() {
		places := make([]int, len(s.names))
		for i, name := range s.names {
			places[i] = t.at[name]
		}
		t.places[s] = places
	}
	return t, missing
}

// shapes returns the shapes of the rows' records, in the rows' order.
func (t *Table) shapes() (all []*shape) {
	seen := map[*shape]bool{}
	for _, r := range t.rows {
		if s := t.records.list[r.record].shape; !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	return all
}

// resultColumns merges the names of all records' values, keeping their order.
// A hardware key that is an input already is left out.
func (t *Table) resultColumns() []string {
	var columns []string
	seen := map[string]bool{}
	for _, name := range t.Inputs {
		seen[name] = true
	}
	for _, s := range t.shapes() {
		after := 0 // where the next new name goes
		for _, name := range s.names {
			if !seen[name] {
				seen[name] = true
				columns = slices.Insert(columns, after, name)
			}
			if after < len(columns) && columns[after] == name {
				after++
			} else if i := slices.Index(columns, name); i >= 0 {
				after = i + 1
			}
		}
	}
	return columns
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Cell returns a row's value in a column, "" if there is none.
func (t *Table) Cell(row int, column string) string {
	i, ok := t.at[column]
	if !ok {
		return ""
	}
	r := &t.rows[row]
	record := &t.records.list[r.record]
	switch {
	case i < len(t.Inputs):
		return r.point.Value(i)
	case column == columnStatus:
		return string(record.status)
	case column == columnReason:
		return record.reason
	case i < t.results:
		return r.extra[i-t.extra]
	case column == columnKey:
		return r.point.Key.String()
	case column == columnVersion:
		return t.plan.Fixed.Version
	}
	return record.text(column)
}

// Row returns all cells of a row in the given slice, which is used again.
func (t *Table) Row(row int, cells []string) []string {
	cells = append(cells[:0], make([]string, len(t.Columns))...)
	r := &t.rows[row]
	record := &t.records.list[r.record]
	for i := range t.Inputs {
		cells[i] = r.point.Value(i)
	}
	cells[t.at[columnStatus]], cells[t.at[columnReason]] = string(record.status), record.reason
	copy(cells[t.extra:], r.extra)
	places := t.places[record.shape]
	for i, text := range record.texts(nil) {
		if place := places[i]; place >= t.results {
			cells[place] = text
		}
	}
	cells[t.at[columnKey]], cells[t.at[columnVersion]] = r.point.Key.String(), t.plan.Fixed.Version
	return cells
}

// set fills in a cell of an extra column.
func (t *Table) set(row int, column, text string) {
	t.rows[row].extra[t.at[column]-t.extra] = text
}

// keep reduces the table to rows, in that order.
func (t *Table) keep(rows []int) {
	kept := make([]row, len(rows))
	for i, r := range rows {
		kept[i] = t.rows[r]
	}
	t.rows = kept
}

// Select keeps the rows for which a condition holds.
func (t *Table) Select(w *Where) {
	var rows []int
	for i := range t.rows {
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
	if len(by) == 0 {
		return
	}
	cells := make([][]string, len(by)) // of a criterion: of all rows
	for j, c := range by {
		for i := range t.rows {
			cells[j] = append(cells[j], t.Cell(i, c.Column))
		}
	}
	rows := make([]int, len(t.rows))
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(a, b int) int {
		for j, c := range by {
			if o := compare(cells[j][a], cells[j][b], c.Down); o != 0 {
				return o
			}
		}
		return 0
	})
	t.keep(rows)
}

// Front marks the rows that no other is at least as good as in every
// criterion and better in one (the Pareto front) in the column pareto. Rows
// that lack a value are not on it.
func (t *Table) Front(by []Criterion) {
	type candidate struct {
		row  int
		cost []float64
	}
	var all []candidate
	for i := range t.rows {
		t.set(i, columnPareto, "false")
		cost, complete := make([]float64, len(by)), t.Cell(i, columnStatus) == string(OK)
		for j, c := range by {
			v, ok := Quantity(t.Cell(i, c.Column))
			complete = complete && ok
			if cost[j] = v; c.Down {
				cost[j] = -v
			}
		}
		if complete {
			all = append(all, candidate{i, cost})
		}
	}
	// In lexicographic order, only rows before can dominate a row, and of those
	// only rows of the front need be asked.
	slices.SortStableFunc(all, func(a, b candidate) int { return slices.Compare(a.cost, b.cost) })
	var front []candidate
	for _, c := range all {
		if !slices.ContainsFunc(front, func(f candidate) bool { return dominates(f.cost, c.cost) }) {
			front = append(front, c)
			t.set(c.row, columnPareto, "true")
		}
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
	for i := range t.rows {
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
		for _, c := range candidates(name) {
			if slices.Contains(known, c) || slices.ContainsFunc(open, func(p string) bool { return strings.HasPrefix(c, p) }) {
				return c, nil
			}
		}
		names := slices.Clone(known)
		for alias := range aliases {
			names = append(names, alias)
		}
		slices.Sort(names)
		return "", fmt.Errorf("there is no column %q%s; there are the inputs %s, and results such as cycles, time, energy, footprint, memory_access, "+
			"macs, reduction.cycles, or any that run --format json names", name, spelling.Suggest(name, names), strings.Join(inputs, ", "))
	}
}

// resultNames collects the JSON paths of numbers, in order.
func resultNames(t reflect.Type, path string, known, open *[]string) {
	if path != "" && t.Implements(reflect.TypeFor[json.Marshaler]()) { // a number that is more than a word
		*known = append(*known, path)
		return
	}
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
	var cells []string
	for i := range t.rows {
		cells = t.Row(i, cells)
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteJSON writes one object: the schema, a seed if one was given, and the points as
// objects from columns to values, without those that a row does not have.
func (t *Table) WriteJSON(w io.Writer, seed *uint64) error {
	provenance := ""
	if seed != nil {
		provenance = fmt.Sprintf("  \"provenance\": {\"seed\": %d},\n", *seed)
	}
	if _, err := fmt.Fprintf(w, "{\n  \"schema\": %q,\n%s  \"points\": [", schema, provenance); err != nil {
		return err
	}
	kinds := t.kinds()
	var row []string
	for i := range t.rows {
		row = t.Row(i, row)
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
	able := make([]abilities, len(t.Columns))
	for j := range able {
		able[j] = abilities{isInt: true, isFloat: true, isBool: true}
	}
	var row []string
	for i := range t.rows {
		row = t.Row(i, row)
		for j, cell := range row {
			if cell != "" {
				able[j].see(cell)
			}
		}
	}
	kinds := make([]kind, len(t.Columns))
	for j := range kinds {
		kinds[j] = able[j].narrowest()
	}
	return kinds
}

// abilities are the types that all cells of a column so far have.
type abilities struct{ any, isInt, isFloat, isBool bool }

func (a *abilities) see(cell string) {
	a.any = true
	if a.isInt {
		v, err := strconv.ParseInt(cell, 10, 64)
		a.isInt = err == nil && strconv.FormatInt(v, 10) == cell
	}
	if a.isFloat && !a.isInt {
		a.isFloat = json.Valid([]byte(cell)) && strings.ContainsAny(cell[:1], "-0123456789")
	}
	a.isBool = a.isBool && (cell == "true" || cell == "false")
}

func (a *abilities) narrowest() kind {
	switch {
	case !a.any:
		return textKind
	case a.isInt:
		return intKind
	case a.isFloat:
		return floatKind
	case a.isBool:
		return boolKind
	}
	return textKind
}
