package sweep

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Where is a condition on the columns of a row:
//
//	status = ok and cycles < 2e9 and onchip.capacity <= 2MiB
//	net = alexnet or k*n <= 20
//	not (energy > 1e12) and dram.device != "hbm2"
//
// Numbers may have a unit of the hardware file. A comparison with a value that
// a row does not have is false.
type Where struct{ root expression }

// expression is a node of a condition: a constant, a column, or an operation.
type expression struct {
	op    string // "" for a leaf
	sides []expression
	word  string // leaf: a bare word, a column or a text
	text  string // leaf: a quoted text or a number as written
	leaf  leafKind
}

type leafKind uint8

const (
	noLeaf leafKind = iota
	wordLeaf
	textLeaf
	numberLeaf
)

// ParseWhere parses a condition.
func ParseWhere(text string) (*Where, error) {
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &whereParser{tokens: tokens}
	root, err := p.either()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		return nil, fmt.Errorf("%q is not expected; write and, or, or a comparison", t.text)
	}
	if !root.truth() {
		return nil, errors.New("there is no comparison; write for example status = ok and cycles < 2e9")
	}
	return &Where{root}, nil
}

// truth tells whether an expression is a condition rather than a value.
func (e expression) truth() bool { return e.op != "" && !slices.Contains(arithmetic, e.op) }

var (
	comparisons = []string{"=", "!=", "<", "<=", ">", ">="}
	arithmetic  = []string{"+", "-", "*", "/"}
)

// Bind resolves the columns that a condition names and returns them. A word
// that is no column is a text if it is compared with a column by = or !=.
func (w *Where) Bind(resolve func(name string) (string, error)) ([]string, error) {
	var columns []string
	var bind func(e *expression) error
	column := func(e *expression) error {
		name, err := resolve(e.word)
		if err != nil {
			return err
		}
		e.word = name
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
		return nil
	}
	bind = func(e *expression) error {
		if e.leaf == wordLeaf {
			return column(e)
		}
		if e.op == "=" || e.op == "!=" {
			for i := range 2 {
				mine, other := &e.sides[i], e.sides[1-i]
				if mine.leaf != wordLeaf || other.leaf != wordLeaf {
					continue
				}
				_, errMine := resolve(mine.word)
				if _, errOther := resolve(other.word); errMine != nil && errOther == nil {
					*mine = expression{leaf: textLeaf, text: mine.word}
				}
			}
		}
		for i := range e.sides {
			if err := bind(&e.sides[i]); err != nil {
				return err
			}
		}
		return nil
	}
	err := bind(&w.root)
	return columns, err
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
	a, b := e.sides[0].value(cell), e.sides[1].value(cell)
	if a == "" || b == "" {
		return false
	}
	x, okX := Quantity(a)
	y, okY := Quantity(b)
	if !okX || !okY {
		switch e.op {
		case "=":
			return a == b
		case "!=":
			return a != b
		}
		return false
	}
	switch e.op {
	case "=":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

// value returns a value as text, "" if it has none.
func (e *expression) value(cell func(string) string) string {
	switch e.leaf {
	case wordLeaf:
		return cell(e.word)
	case textLeaf, numberLeaf:
		return e.text
	}
	x, okX := Quantity(e.sides[0].value(cell))
	y, okY := Quantity(e.sides[1].value(cell))
	if !okX || !okY {
		return ""
	}
	switch e.op {
	case "+":
		x += y
	case "-":
		x -= y
	case "*":
		x *= y
	case "/":
		x /= y
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// suffixes are the units of hardware files.
var suffixes = []struct {
	text  string
	scale float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}, {"Hz", 1}, {"B", 1},
}

// Quantity reads a number that may have a unit of the hardware file: 2MiB.
func Quantity(text string) (float64, bool) {
	scale := 1.0
	for _, s := range suffixes {
		if number, ok := strings.CutSuffix(text, s.text); ok {
			text, scale = strings.TrimSpace(number), s.scale
			break
		}
	}
	if text == "" || !strings.ContainsAny(text[:1], "0123456789+-.") {
		return 0, false // "Inf", "nan"
	}
	v, err := strconv.ParseFloat(text, 64)
	return v * scale, err == nil && !math.IsNaN(v) && !math.IsInf(v*scale, 0)
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	textToken
	numberToken
	signToken
)

type token struct {
	kind tokenKind
	text string
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// scan cuts a condition into tokens. A word may have dots, and hyphens between
// letters or digits: ddr4-2400.
func scan(s string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(s); {
		start, c := i, s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n':
			i++
		case letter(c):
			for i++; i < len(s) && (letter(s[i]) || digit(s[i]) || s[i] == '.' ||
				s[i] == '-' && i+1 < len(s) && (letter(s[i+1]) || digit(s[i+1]))); i++ {
			}
			tokens = append(tokens, token{wordToken, s[start:i]})
		case digit(c) || c == '.':
			for i++; i < len(s) && (letter(s[i]) || digit(s[i]) || s[i] == '.' ||
				(s[i] == '-' || s[i] == '+') && s[i-1]|0x20 == 'e' && !strings.ContainsAny(s[start:i-1], "xX")); i++ {
			}
			if _, ok := Quantity(s[start:i]); !ok {
				return nil, fmt.Errorf("%q is not a number; with a unit, write for example 2MiB", s[start:i])
			}
			tokens = append(tokens, token{numberToken, s[start:i]})
		case c == '"' || c == '\'':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("the quotation %s has no end", s[i:])
			}
			i += end + 2
			tokens = append(tokens, token{textToken, s[start+1 : i-1]})
		default:
			sign := ""
			for _, candidate := range []string{"==", "!=", "<=", ">=", "&&", "||", "=", "<", ">", "!", "(", ")", "+", "-", "*", "/"} {
				if strings.HasPrefix(s[i:], candidate) {
					sign = candidate
					break
				}
			}
			if sign == "" {
				return nil, fmt.Errorf("%q at position %d is not expected", s[i:i+1], i+1)
			}
			i += len(sign)
			tokens = append(tokens, token{signToken, sign})
		}
	}
	return tokens, nil
}

type whereParser struct {
	tokens []token
	next   int
	depth  int
}

func (p *whereParser) peek() token {
	if p.next < len(p.tokens) {
		return p.tokens[p.next]
	}
	return token{}
}

// accept takes the next token if it is one of the given, and returns the first
// of its spellings.
func (p *whereParser) accept(spellings ...[]string) string {
	t := p.peek()
	if t.kind != signToken && t.kind != wordToken {
		return ""
	}
	for _, s := range spellings {
		if slices.Contains(s, t.text) {
			p.next++
			return s[0]
		}
	}
	return ""
}

// chain parses operands that operators of one level join.
func (p *whereParser) chain(operand func() (expression, error), conditions bool, operators ...[]string) (expression, error) {
	left, err := operand()
	for err == nil {
		op := p.accept(operators...)
		if op == "" {
			return left, nil
		}
		var right expression
		if right, err = operand(); err != nil {
			break
		}
		if left.truth() != conditions || right.truth() != conditions {
			what := "values"
			if conditions {
				what = "comparisons"
			}
			return left, fmt.Errorf("%s joins %s", op, what)
		}
		left = expression{op: op, sides: []expression{left, right}}
	}
	return left, err
}

func (p *whereParser) either() (expression, error) {
	return p.chain(p.both, true, []string{"or", "||"})
}

func (p *whereParser) both() (expression, error) {
	return p.chain(p.negation, true, []string{"and", "&&"})
}

// maxDepth bounds brackets within brackets.
const maxDepth = 100

func (p *whereParser) negation() (expression, error) {
	if p.accept([]string{"not", "!"}) == "" {
		return p.comparison()
	}
	if p.depth++; p.depth > maxDepth {
		return expression{}, errors.New("there are too many nested conditions")
	}
	defer func() { p.depth-- }()
	e, err := p.negation()
	if err == nil && !e.truth() {
		err = errors.New("not needs a comparison")
	}
	return expression{op: "not", sides: []expression{e}}, err
}

func (p *whereParser) comparison() (expression, error) {
	left, err := p.sum()
	if err != nil {
		return left, err
	}
	op := p.accept([]string{"=", "=="}, comparisons[1:2], comparisons[2:3], comparisons[3:4], comparisons[4:5], comparisons[5:6])
	if op == "" {
		return left, nil
	}
	right, err := p.sum()
	if err == nil && (left.truth() || right.truth()) {
		err = fmt.Errorf("%s compares values", op)
	}
	return expression{op: op, sides: []expression{left, right}}, err
}

func (p *whereParser) sum() (expression, error) {
	return p.chain(p.product, false, []string{"+"}, []string{"-"})
}

func (p *whereParser) product() (expression, error) {
	return p.chain(p.atom, false, []string{"*"}, []string{"/"})
}

func (p *whereParser) atom() (expression, error) {
	t := p.peek()
	p.next++
	switch {
	case t.kind == wordToken:
		return expression{leaf: wordLeaf, word: t.text}, nil
	case t.kind == textToken:
		return expression{leaf: textLeaf, text: t.text}, nil
	case t.kind == numberToken:
		return expression{leaf: numberLeaf, text: t.text}, nil
	case t.text == "-" && p.peek().kind == numberToken:
		p.next++
		return expression{leaf: numberLeaf, text: "-" + p.tokens[p.next-1].text}, nil
	case t.text == "(" && t.kind == signToken:
		if p.depth++; p.depth > maxDepth {
			return expression{}, errors.New("there are too many nested brackets")
		}
		defer func() { p.depth-- }()
		e, err := p.either()
		if err == nil && p.accept([]string{")"}) == "" {
			err = errors.New("a closing bracket is missing")
		}
		return e, err
	case t.kind == endToken:
		return expression{}, errors.New("the condition ends where a column or a value should be")
	}
	return expression{}, fmt.Errorf("%q stands where a column or a value should be", t.text)
}
