package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/units"
)

// ParseWhere parses a condition. Errors say at which byte of it, from 1, it stops
// making sense.
//
// The parser is ours: libraries of expressions (expr-lang/expr, PaesslerAG/gval, CEL)
// read numbers by the rules of their own languages, to which 2MiB, 4 s and
// ddr4-2400 are errors, and grammars (alecthomas/participle) would replace a hundred of
// these lines by as many of tags.
func ParseWhere(text string) (*Where, error) {
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &whereParser{tokens: tokens, end: len(text)}
	root, err := p.either()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		return nil, p.wrong("%q is not expected; write and, or, or a comparison", t.text)
	}
	if !root.truth() {
		return nil, errors.New("there is no comparison; write for example status = ok and cycles < 2e9")
	}
	return &Where{root}, nil
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
	at   int // place of its first byte
}

// scanner cuts a condition into tokens.
type scanner struct {
	text   string
	at     int
	tokens []token
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// signs are tried in this order.
var signs = []string{"==", "!=", "<=", ">=", "&&", "||", "=", "<", ">", "!", "(", ")", "+", "-", "*", "/"}

func scan(text string) ([]token, error) {
	s := scanner{text: text}
	for s.at < len(text) {
		if err := s.token(); err != nil {
			return nil, err
		}
	}
	return s.tokens, nil
}

// wrong is an error about the byte at a place of the text.
func wrong(at int, format string, args ...any) error {
	return fmt.Errorf("position %d: %w", at+1, fmt.Errorf(format, args...))
}

func (s *scanner) token() error {
	start, c := s.at, s.text[s.at]
	switch {
	case c == ' ' || c == '\t' || c == '\n':
		s.at++
		return nil
	case letter(c):
		s.word()
		s.add(wordToken, start, s.text[start:s.at])
		return nil
	case digit(c) || c == '.':
		return s.number()
	case c == '"' || c == '\'':
		length := strings.IndexByte(s.text[start+1:], c)
		if length < 0 {
			return wrong(start, "the quotation %s has no end", s.text[start:])
		}
		s.at += length + 2
		s.add(textToken, start, s.text[start+1:s.at-1])
		return nil
	}
	for _, sign := range signs {
		if strings.HasPrefix(s.text[start:], sign) {
			s.at += len(sign)
			s.add(signToken, start, sign)
			return nil
		}
	}
	return wrong(start, "%q is not expected", s.text[start:start+1])
}

func (s *scanner) add(kind tokenKind, start int, text string) {
	s.tokens = append(s.tokens, token{kind, text, start})
}

// word passes a word, which may have dots, and hyphens between letters or digits:
// ddr4-2400.
func (s *scanner) word() {
	for s.at++; s.at < len(s.text); s.at++ {
		c, next := s.text[s.at], byte(0)
		if s.at+1 < len(s.text) {
			next = s.text[s.at+1]
		}
		if !letter(c) && !digit(c) && c != '.' && (c != '-' || !letter(next) && !digit(next)) {
			return
		}
	}
}

// number reads a number, and a unit behind it or behind a space: 1e3, 2MiB, 4 s.
func (s *scanner) number() error {
	start := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		c, before := s.text[s.at], s.text[s.at-1]
		exponent := (c == '-' || c == '+') && before|0x20 == 'e' && !strings.ContainsAny(s.text[start:s.at-1], "xX")
		if !letter(c) && !digit(c) && c != '.' && !exponent {
			break
		}
	}
	number := s.text[start:s.at]
	if end := s.unit(); end > s.at {
		if _, _, ok := units.ParseQuantity(s.text[start:end]); ok {
			s.at, number = end, s.text[start:end]
		}
	}
	if _, _, ok := units.ParseQuantity(number); !ok {
		_, unit := units.CutUnit(number)
		return wrong(start, "%q is not a number%s; with a unit, write for example 2MiB, 4s or 12J", number, spelling.Suggest(unit, units.UnitNames()))
	}
	s.add(numberToken, start, number)
	return nil
}

// unit returns where a unit ends that stands here or behind spaces.
func (s *scanner) unit() int {
	end := s.at
	for end < len(s.text) && s.text[end] == ' ' {
		end++
	}
	if rest, ok := strings.CutPrefix(s.text[end:], "µ"); ok {
		end = len(s.text) - len(rest)
	}
	for end < len(s.text) && letter(s.text[end]) {
		end++
	}
	if strings.HasPrefix(s.text[end:], "/s") {
		end += len("/s")
	}
	if end < len(s.text) && (letter(s.text[end]) || digit(s.text[end])) {
		return s.at // a longer word
	}
	return end
}

type whereParser struct {
	tokens []token
	next   int
	depth  int
	end    int // behind the last token
}

// wrong is an error about the token that is looked at.
func (p *whereParser) wrong(format string, args ...any) error {
	at := p.end
	if p.next < len(p.tokens) {
		at = p.tokens[p.next].at
	}
	return wrong(at, format, args...)
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
		at := p.next
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
			return left, wrong(p.tokens[at].at, "%s joins %s", op, what)
		}
		left = expression{op: op, sides: []expression{left, right}, at: p.tokens[at].at}
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
		return expression{}, p.wrong("there are too many nested conditions")
	}
	defer func() { p.depth-- }()
	e, err := p.negation()
	if err == nil && !e.truth() {
		err = p.wrong("not needs a comparison")
	}
	return expression{op: "not", sides: []expression{e}}, err
}

func (p *whereParser) comparison() (expression, error) {
	left, err := p.sum()
	if err != nil {
		return left, err
	}
	at := p.next
	op := p.accept([]string{"=", "=="}, comparisons[1:2], comparisons[2:3], comparisons[3:4], comparisons[4:5], comparisons[5:6])
	if op == "" {
		return left, nil
	}
	right, err := p.sum()
	if err == nil && (left.truth() || right.truth()) {
		err = wrong(p.tokens[at].at, "%s compares values", op)
	}
	return expression{op: op, sides: []expression{left, right}, at: p.tokens[at].at}, err
}

func (p *whereParser) sum() (expression, error) {
	return p.chain(p.product, false, []string{"+"}, []string{"-"})
}

func (p *whereParser) product() (expression, error) {
	return p.chain(p.atom, false, []string{"*"}, []string{"/"})
}

func (p *whereParser) atom() (expression, error) {
	t := p.peek()
	if t.kind == endToken {
		return expression{}, p.wrong("the condition ends where a column or a value should be")
	}
	p.next++
	switch {
	case t.kind == wordToken:
		return expression{leaf: wordLeaf, text: t.text, at: t.at}, nil
	case t.kind == textToken:
		return textValue(t.text, t.at), nil
	case t.kind == numberToken:
		return number(t.text, t.at), nil
	case t.text == "-" && p.peek().kind == numberToken:
		p.next++
		return number("-"+p.tokens[p.next-1].text, t.at), nil
	case t.text == "(":
		if p.depth++; p.depth > maxDepth {
			return expression{}, p.wrong("there are too many nested brackets")
		}
		defer func() { p.depth-- }()
		e, err := p.either()
		if err == nil && p.accept([]string{")"}) == "" {
			err = p.wrong("a closing bracket is missing")
		}
		return e, err
	}
	return expression{}, wrong(t.at, "%q stands where a column or a value should be", t.text)
}
