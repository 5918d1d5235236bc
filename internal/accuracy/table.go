package accuracy

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// readTable reads CSV: a header, then a design a line. Lines that begin with #
// are comments.
func readTable(text []byte, name string, c Columns) ([]Row, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, -1
	at := func() string {
		line, _ := r.FieldPos(0)
		return fmt.Sprintf("%s:%d", name, line)
	}
	header, err := r.Read()
	if err != nil {
		return nil, unreadable(name, err)
	}
	columns, err := readHeader(header, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at(), err)
	}
	var t table
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t.settle()
		}
		if err != nil {
			return nil, unreadable(name, err)
		}
		if len(record) != len(columns) {
			return nil, fmt.Errorf("%s: there are %d fields; the header has %d", at(), len(record), len(columns))
		}
		cells := map[string]string{}
		for i, column := range columns {
			cells[column] = strings.TrimSpace(record[i])
		}
		if err := t.add(at(), cells); err != nil {
			return nil, fmt.Errorf("%s: %w", at(), err)
		}
	}
}

// unreadable names the line of a text that is no CSV.
func unreadable(name string, err error) error {
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s:%d: %w", name, wrong.Line, wrong.Err)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("has only comments")
	}
	return fmt.Errorf("%s: %w", name, err)
}

func readHeader(header []string, c Columns) ([]string, error) {
	columns := make([]string, len(header))
	for i, field := range header {
		column := strings.ToLower(strings.TrimSpace(field))
		if err := c.check(column); err != nil {
			return nil, err
		}
		if slices.Contains(columns[:i], column) {
			return nil, fmt.Errorf("column %q is there twice", column)
		}
		columns[i] = column
	}
	return columns, c.complete(columns)
}

// readList reads a JSON list of objects, a design each.
func readList(text []byte, name string, c Columns) ([]Row, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if _, err := d.Token(); err != nil { // the bracket
		return nil, fmt.Errorf("%s: is no JSON: %w", name, err)
	}
	var t table
	for d.More() {
		at := fmt.Sprintf("%s: entry %d", name, len(t.rows)+1)
		cells, err := readObject(d)
		for _, column := range keys(cells) {
			if err == nil {
				err = c.check(column)
			}
		}
		if err == nil {
			err = c.complete(keys(cells))
		}
		if err == nil {
			err = t.add(at, cells)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%s: is no JSON: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is more after the list", name)
	}
	return t.settle()
}

func keys(cells map[string]string) (names []string) {
	for name := range cells {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// readObject reads one flat object; null is a cell left empty.
func readObject(d *json.Decoder) (map[string]string, error) {
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("is not an object of columns and values")
	}
	cells := map[string]string{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(fmt.Sprint(key))
		if _, twice := cells[name]; twice {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch v := value.(type) {
		case json.Delim:
			return nil, fmt.Errorf("%q is a list or an object; write a number or a text", name)
		case nil:
			cells[name] = ""
		default:
			cells[name] = strings.TrimSpace(fmt.Sprint(v))
		}
	}
	_, err := d.Token()
	return cells, err
}
