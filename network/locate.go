package network

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"accelsim/internal/spelling"
)

// locate prefixes err with file, line and key.
func locate(text []byte, filename, key string, err error) error {
	if line := lineOf(text, key); line > 0 {
		return fmt.Errorf("%s:%d: %s: %w", filename, line, key, err)
	}
	return fmt.Errorf("%s: %s: %w", filename, key, err)
}

// locateIn prefixes err with file, the line of a key within another, and both
// keys; either may be empty.
func locateIn(text []byte, filename, key, path string, err error) error {
	switch {
	case path == "" && key == "":
		return fmt.Errorf("%s:1: %w", filename, err)
	case path == "":
		return locate(text, filename, key, err)
	case key == "":
		return locate(text, filename, path, err)
	}
	inner := fmt.Errorf("%s: %w", path, err)
	if line := lineOf(text, key+"."+path); line > 0 {
		return fmt.Errorf("%s:%d: %s: %w", filename, line, key, inner)
	}
	return fmt.Errorf("%s: %s: %w", filename, key, inner)
}

// lineOf returns the line of a key's value, or 0.
func lineOf(text []byte, key string) int {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return 0
	}
	path, err := yaml.PathString("$." + key)
	if err != nil {
		return 0
	}
	node, err := path.FilterFile(parsed)
	if err != nil || node.GetToken() == nil {
		return 0
	}
	return node.GetToken().Position.Line
}

// decode reads YAML strictly: unknown keys are errors. Errors name file and
// line, and the key where the YAML package knows it.
func decode(text []byte, filename string, into any) error {
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: is empty", filename)
	}
	var detailed yaml.Error
	if !errors.As(err, &detailed) {
		return fmt.Errorf("%s: %s", filename, oneLine(err.Error()))
	}
	at := detailed.GetToken()
	if at == nil || at.Position == nil {
		return fmt.Errorf("%s: %s", filename, oneLine(detailed.GetMessage()))
	}
	where := fmt.Sprintf("%s:%d: ", filename, at.Position.Line)
	key := keyOf(text, at.Position.Line, at.Position.Column)
	if key != "" {
		where += key + ": "
	}
	return errors.New(where + explain(detailed, key, reflect.TypeOf(into)))
}

// explain says in a user's words what is wrong with a key and what would be
// accepted.
func explain(err yaml.Error, key string, into reflect.Type) string {
	var (
		mismatch *yaml.TypeError
		node     *yaml.UnexpectedNodeTypeError
		unknown  *yaml.UnknownFieldError
	)
	switch {
	case errors.As(err, &unknown):
		accepted := keysBeside(key, into)
		return fmt.Sprintf("is not a key%s; there are %s", Suggest(err.GetToken().Value, accepted), strings.Join(accepted, ", "))
	case errors.As(err, &mismatch):
		return "is not " + kindName(mismatch.DstType)
	case errors.As(err, &node):
		return fmt.Sprintf("is of type %s; write a %s", strings.ToLower(node.Actual.String()), strings.ToLower(node.Expected.String()))
	}
	return oneLine(err.GetMessage())
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	}
	return "a mapping of keys to values"
}

// keysBeside lists the keys that a workload may have where the given key is.
func keysBeside(key string, t reflect.Type) []string {
	var accepted []string
	name, within, deeper := strings.Cut(key, ".")
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if deeper && tag == name {
			return keysBeside(within, f.Type)
		}
		if tag != "" && f.Tag.Get("in") == "" {
			accepted = append(accepted, tag)
		}
	}
	return accepted
}

// keyOf returns the key, with those around it, of the value at a position.
func keyOf(text []byte, line, column int) string {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return ""
	}
	f := &finder{line: line, column: column}
	for _, doc := range parsed.Docs {
		if doc.Body != nil {
			ast.Walk(f, doc.Body)
		}
	}
	return strings.TrimPrefix(strings.TrimPrefix(f.path, "$"), ".")
}

// finder is an [ast.Visitor] that looks for the innermost node at a position.
type finder struct {
	line, column int
	path         string
}

// Visit implements [ast.Visitor].
func (f *finder) Visit(n ast.Node) ast.Visitor {
	if t := n.GetToken(); t != nil && t.Position != nil && t.Position.Line == f.line && t.Position.Column == f.column {
		f.path = n.GetPath()
	}
	return f
}

// oneLine keeps a message to the one line that goes to stderr.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}

// Suggest returns ` (did you mean "x"?)` for the name nearest to a misspelt
// one, or "" if none is near.
func Suggest(name string, names []string) string { return spelling.Suggest(name, names) }
