package config

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// Parse reads the one document of a file. What the file is, such as "a hardware
// file", is for the error where there are two.
func Parse(text []byte, file, what string) (*Document, error) {
	d := &Document{File: file}
	text, err := input.Plain(text, file)
	if err != nil {
		return nil, err
	}
	if err := checkMarks(text); err != nil {
		return nil, &Error{File: file, Err: err}
	}
	tokens := lexer.Tokenize(string(text))
	if err := d.checkTokens(tokens); err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, d.unreadable(err)
	}
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if d.Root != nil {
			return nil, d.At(lineOf(doc.Body), "", "a second document; %s is one", what)
		}
		c := converter{document: d, anchors: map[string]*Node{}}
		if d.Root, err = c.node(doc.Body, "", 0); err != nil {
			return nil, err
		}
	}
	if d.Root == nil {
		return nil, &Error{File: file, Err: errors.New("is empty")}
	}
	return d, nil
}

// checkMarks counts what may make a value of its own, so that no text makes more
// of them than there is room for.
func checkMarks(text []byte) error {
	marks := 0
	for _, c := range text {
		switch c {
		case '\n', '\r', ',', '[', ']', '{', '}', ':', '-', '?', '&', '*', '!', '#', '|', '>', '\'', '"', '%', '@', '`':
			marks++
		}
	}
	if marks > input.MaxMarks {
		return fmt.Errorf("has %d line ends, commas, brackets and other marks; at most %d are read", marks, input.MaxMarks)
	}
	return nil
}

// checkTokens holds a document to the bounds of keys and depth before anything
// is built that grows with them.
func (d *Document) checkTokens(tokens token.Tokens) error {
	var (
		keys, flow int   // keys seen, and open brackets
		columns    []int // of open block mappings and lists
		line       int
		starts     = true // something may start a block here
	)
	for _, t := range tokens {
		if t.Position == nil {
			continue
		}
		starts = starts || t.Position.Line != line
		line = t.Position.Line
		if starts && flow == 0 {
			for len(columns) > 0 && columns[len(columns)-1] >= t.Position.Column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, t.Position.Column)
		}
		starts = false
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			starts = true
		case token.MappingValueType, token.AnchorType, token.AliasType, token.TagType:
			keys++
		}
		if len(columns)+flow > input.MaxDepth+1 {
			return d.At(line, "", "is nested more than %d deep", input.MaxDepth)
		}
		if keys > input.MaxKeys {
			return d.At(line, "", "has more than %d keys", input.MaxKeys)
		}
	}
	return nil
}

// unreadable says where the text is no YAML.
func (d *Document) unreadable(err error) error {
	e := &Error{File: d.File, Err: errors.New(oneLine(err.Error()))}
	var detailed yaml.Error
	if errors.As(err, &detailed) {
		e.Err = errors.New(oneLine(detailed.GetMessage()))
		if t := detailed.GetToken(); t != nil && t.Position != nil {
			e.Line = t.Position.Line
		}
	}
	return e
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}
