package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestTablesDoNotObey what is in a user's file: a terminal sees it escaped.
func TestTablesDoNotObey(t *testing.T) {
	const title, cell, note = "\x1b]0;title\a", "\x1b[2J\u202e", "a\nb\u009b31m"
	table := Table{Title: title, Header: []string{"h\x1b", "v"}, Notes: []string{note}}
	table.Add(cell, "line\nbreak")
	var b bytes.Buffer
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if i := strings.IndexAny(text, "\x1b\a\u202e\u009b"); i >= 0 {
		t.Errorf("raw at %d: %q", i, text)
	}
	for _, want := range []string{`\x1b]0;title\a`, `\x1b[2J\u202e`, `a\nb\u009b31m`, `h\x1b`, `line\nbreak`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %q", want, text)
		}
	}
}
