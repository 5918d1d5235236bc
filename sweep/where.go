package sweep

import (
	"math"
	"slices"

	"github.com/accelsim-dev/accelsim/units"
)

// Where is a condition on the columns of a row:
//
//	status = ok and cycles < 2e9 and onchip.capacity <= 2MiB
//	net = alexnet or k*n <= 20
//	not (energy > 12J) and dram.device != "hbm2"
//
// Numbers may have a unit as reports print it, which must be one that the column can
// have: time < 4 s, energy < 12J. A plain number is in the column's own unit. A
// comparison with a value that a row does not have is false.
type Where struct{ root expression }

// expression is a node of a condition: a column, a constant, or an operation.
type expression struct {
	op    string // "" for a leaf
	sides []expression
	leaf  leafKind
	text  string // leaf: the name of a column, or a text
	value value  // of a constant
	at    int    // place in the condition
}

type leafKind uint8

const (
	noLeaf leafKind = iota
	wordLeaf
	textLeaf
	numberLeaf
)

// value is a text and, if it is one, the number: in the base of its kind.
type value struct {
	text     string // "" is no value
	number   float64
	isNumber bool
}

func valueOf(text string) value {
	v, _, ok := units.ParseQuantity(text)
	return value{text, v, ok}
}

func number(text string, at int) expression {
	return expression{leaf: numberLeaf, text: text, value: valueOf(text), at: at}
}

func textValue(text string, at int) expression {
	return expression{leaf: textLeaf, text: text, value: valueOf(text), at: at}
}

var (
	comparisons = []string{"=", "!=", "<", "<=", ">", ">="}
	arithmetic  = []string{"+", "-", "*", "/"}
)

// truth tells whether an expression is a condition rather than a value.
func (e expression) truth() bool { return e.op != "" && !slices.Contains(arithmetic, e.op) }

// Bind resolves the columns that a condition names, checks the units and returns the
// columns. A word that is no column is a text if it is compared with a column by =
// or !=.
func (w *Where) Bind(resolve func(name string) (string, error)) ([]string, error) {
	b := binder{resolve: resolve}
	if err := b.bind(&w.root); err != nil {
		return nil, err
	}
	_, err := w.root.dimension()
	return b.columns, err
}

type binder struct {
	resolve func(name string) (string, error)
	columns []string
}

func (b *binder) bind(e *expression) error {
	if e.leaf == wordLeaf {
		name, err := b.resolve(e.text)
		if err != nil {
			return wrong(e.at, "%w", err)
		}
		e.text = name
		if !slices.Contains(b.columns, name) {
			b.columns = append(b.columns, name)
		}
		return nil
	}
	if e.op == "=" || e.op == "!=" {
		b.takeText(&e.sides[0], &e.sides[1])
		b.takeText(&e.sides[1], &e.sides[0])
	}
	for i := range e.sides {
		if err := b.bind(&e.sides[i]); err != nil {
			return err
		}
	}
	return nil
}

// takeText makes a word a text if it is no column and the other side is one.
func (b *binder) takeText(word, other *expression) {
	if word.leaf != wordLeaf || other.leaf != wordLeaf {
		return
	}
	_, mine := b.resolve(word.text)
	if _, theirs := b.resolve(other.text); mine != nil && theirs == nil {
		*word = textValue(word.text, word.at)
	}
}

// measured is the dimension of a value; a plain number or a text takes that of what
// it is compared with.
type measured struct {
	units.Dimension
	fits bool
}

// dimension checks that values which are compared or added are of one kind.
func (e *expression) dimension() (measured, error) {
	switch {
	case e.leaf == wordLeaf:
		return measured{Dimension: dimensionOf(e.text)}, nil
	case e.leaf != noLeaf:
		_, d, _ := units.ParseQuantity(e.text)
		return measured{d, d == units.Dimension{}}, nil
	case e.op == "not":
		return e.sides[0].dimension()
	}
	a, err := e.sides[0].dimension()
	if err != nil {
		return a, err
	}
	b, err := e.sides[1].dimension()
	if err != nil {
		return b, err
	}
	switch e.op {
	case "and", "or":
		return measured{}, nil
	case "*":
		return measured{a.Times(b.Dimension), a.fits && b.fits}, nil
	case "/":
		return measured{a.Over(b.Dimension), a.fits && b.fits}, nil
	}
	if !a.fits && !b.fits && a.Dimension != b.Dimension {
		return a, wrong(e.at, "the left of %s is %s, the right %s", e.op, a.Dimension, b.Dimension)
	}
	if a.fits {
		return b, nil
	}
	return a, nil
}

// Holds evaluates the condition for a row; cell returns "" for what is not there.
func (w *Where) Holds(cell func(column string) string) bool { return w.root.holds(cell) }

func (e *expression) holds(cell func(string) string) bool {
	switch e.op {
	case "and":
		return e.sides[0].holds(cell) && e.sides[1].holds(cell)
	case "or":
		return e.sides[0].holds(cell) || e.sides[1].holds(cell)
	case "not":
		return !e.sides[0].holds(cell)
	}
	a, b := e.sides[0].evaluate(cell), e.sides[1].evaluate(cell)
	switch {
	case a.text == "" || b.text == "":
		return false
	case a.isNumber && b.isNumber:
		return compares(e.op, a.number, b.number)
	}
	return e.op == "=" && a.text == b.text || e.op == "!=" && a.text != b.text
}

// compares tells whether a comparison of numbers holds.
func compares(op string, a, b float64) bool {
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// evaluate returns a value, the zero value if it has none.
func (e *expression) evaluate(cell func(string) string) value {
	switch e.leaf {
	case wordLeaf:
		return valueOf(cell(e.text))
	case textLeaf, numberLeaf:
		return e.value
	}
	a, b := e.sides[0].evaluate(cell), e.sides[1].evaluate(cell)
	if !a.isNumber || !b.isNumber {
		return value{}
	}
	v := a.number
	switch e.op {
	case "+":
		v += b.number
	case "-":
		v -= b.number
	case "*":
		v *= b.number
	case "/":
		v /= b.number
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return value{}
	}
	return value{"a number", v, true}
}

// Quantity reads a number that may have a unit: 2MiB.
func Quantity(text string) (float64, bool) {
	v, _, ok := units.ParseQuantity(text)
	return v, ok
}
