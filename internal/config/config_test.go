package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/internal/input"
)

func parse(t *testing.T, text string) *Document {
	t.Helper()
	d, err := Parse([]byte(text), "f.yaml", "a file")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDocuments: what a text means, as the same in JSON-like form.
func TestDocuments(t *testing.T) {
	for text, want := range map[string]string{
		"a: 010":                      `{a: 010}`,
		"a: '010'":                    `{a: "010"}`,
		`{"a": [1, "b", null, true]}`: `{a: [1, "b", null, true]}`,
		"a:\n- 1\n- b: 2\n  c: 3":     `{a: [1, {b: 2, c: 3}]}`,
		"a: |\n  x\n  y\n":            `{a: "x\ny\n"}`,
		"a: >\n  x\n  y\n":            `{a: "x y\n"}`,
		"? a\n: 1":                    `{a: 1}`,
		"2024: x\ntrue: y\n~: z":      `{2024: x, true: y, ~: z}`,
		"a: &x {b: 1}\nc: *x":         `{a: {b: 1}, c: {b: 1}}`,
		"&k a: 1\nb: *k":              `{a: 1, b: a}`,
		"a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3": `{a: {b: 1, c: 2}, d: {c: 3, b: 1}}`,
		"a: {<<: [{b: 1, c: 2}, {c: 3, d: 4}]}":    `{a: {b: 1, c: 2, d: 4}}`,
		"a: !!str 1\nb: !!int 2":                   `{a: "1", b: 2}`,
		"\ufeffa: 1\r\nb: 2\r\n":                   `{a: 1, b: 2}`,
		"%YAML 1.2\n---\na: 1\n...\n":              `{a: 1}`,
		"# only\n---\na: 1\n---\n# end":            `{a: 1}`,
		"a: # nothing\nb: 1 # one":                 `{a: null, b: 1}`,
		"[1]":                                      `[1]`,
		"just text":                                `just text`,
	} {
		if got := show(parse(t, text).Root); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func show(n *Node) string {
	var parts []string
	switch n.Kind {
	case Null:
		return "null"
	case Scalar:
		if n.Quoted {
			return `"` + strings.ReplaceAll(n.Text, "\n", `\n`) + `"`
		}
		return n.Text
	case Sequence:
		for _, item := range n.Items {
			parts = append(parts, show(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	for _, p := range n.Pairs {
		parts = append(parts, p.Name+": "+show(p.Value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func TestWhatIsNoDocument(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "f.yaml: is empty",
		"# nothing":          "f.yaml: is empty",
		"~":                  "f.yaml: is empty",
		"a: 1\n---\nb: 2":    "f.yaml:3: a second document; a file is one",
		"a: 1\n--- \n- 2":    "f.yaml:3: a second document; a file is one",
		"a: 1\nb: 2\na: 3":   "f.yaml:3: a: is there twice; it is on line 1 too",
		"a: {b: 1,\n b: 2}":  "f.yaml:2: a.b: is there twice; it is on line 1 too",
		"2024: 1\n'2024': 2": "f.yaml:2: 2024: is there twice; it is on line 1 too",
		"a: *x":              "f.yaml:1: a: *x names nothing; write &x before a value above it",
		"a: &x [*x]":         "f.yaml:1: a[0]: *x names nothing; write &x before a value above it",
		"a: !mine 1":         "f.yaml:1: a: has the tag !mine; leave it out",
		"a: {<<: 1}":         "f.yaml:1: a.<<: is not a mapping, or a list of mappings",
		"\xff\xfea\x00":      "f.yaml: is text in UTF-16; save it as UTF-8",
		"a: 1\nb: \x00":      "f.yaml:2: has a zero byte; a text file in UTF-8 is wanted",
		"a: [1":              "f.yaml:1: ",
		"a:\n\tb: 1":         "f.yaml:2: ",
		"a: b: c":            "f.yaml:1: ",
		"a: \"x\nb: 1":       "f.yaml:1: ",
	} {
		d, err := Parse([]byte(text), "f.yaml", "a file")
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.HasSuffix(want, "too") && err.Error() != want {
			t.Errorf("%q: %v, %v; want %s", text, d, err, want)
		}
	}
}

// TestBounds: a text at its bound is read, and what is beyond is refused at once.
func TestBounds(t *testing.T) {
	repeat := strings.Repeat
	brackets := func(n int) string { return repeat("[", n) + "1" + repeat("]", n) }
	braces := func(n int) string { return repeat("{a: ", n) + "1" + repeat("}", n) }
	dashes := func(n int) string { return repeat("- ", n) + "1" }
	indented := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(repeat(" ", i) + "a:\n")
		}
		return b.String()
	}
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "k%d: 1\n", i)
		}
		return b.String()
	}
	anchors := func(n int) string { return "a: [" + repeat("&a 1,", n) + "1]" }
	items := func(n int) string { return "a: [" + repeat("1,", n) + "1]" }
	const deep, many, marks = "is nested more than 1000 deep", "has more than 10000 keys", "at most 250000 are read"
	for _, c := range []struct{ text, want string }{
		{brackets(input.MaxDepth), ""},
		{brackets(input.MaxDepth + 2), deep},
		{brackets(80_000), deep},
		{"input: " + repeat("[", 80_000), deep},
		{"input: " + repeat("[", input.MaxText-7), marks},
		{braces(input.MaxDepth), ""},
		{braces(input.MaxDepth + 2), deep},
		{dashes(input.MaxDepth), ""},
		{dashes(input.MaxDepth + 2), deep},
		{dashes(80_000), deep},
		{indented(input.MaxDepth), ""},
		{indented(input.MaxDepth + 2), deep},
		{keys(input.MaxKeys), ""},
		{keys(input.MaxKeys + 1), many},
		{keys(200_000), marks},
		{"a: {" + strings.ReplaceAll(keys(input.MaxKeys), "\n", ",") + "}", many},
		{anchors(input.MaxKeys - 1), ""},
		{anchors(input.MaxKeys), many},
		{"a: &a 1\nb: [" + repeat("*a,", input.MaxKeys) + "1]", many},
		{repeat("!a ", input.MaxKeys+1), many},
		{items(200_000), ""},
		{items(input.MaxMarks), marks},
		{repeat("\n", input.MaxMarks+1), marks},
		{repeat("#\n", input.MaxMarks), marks},
		{repeat("- ", input.MaxText/2), marks},
		{"a: 1\n#" + repeat("c", input.MaxText-6), ""},
		{"a: 1\n#" + repeat("c", input.MaxText), "is larger than 16 MiB"},
	} {
		began := time.Now()
		_, err := Parse([]byte(c.text), "f.yaml", "a file")
		if name := c.text[:min(len(c.text), 20)]; c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q... of %d bytes: %v, want %q", name, len(c.text), err, c.want)
		} else if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%q... of %d bytes: %v", name, len(c.text), took)
		}
	}
}

// TestAliasesDoNotMultiply: what an alias stands for is shared, not copied, and
// keys that are merged count.
func TestAliasesDoNotMultiply(t *testing.T) {
	text := "a0: &a0 [1, 1]\n"
	for i := range 60 {
		text += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	parse(t, text) // 2^60 values
	text = "a: &a {"
	for i := range 100 {
		text += fmt.Sprintf("k%d: 1, ", i)
	}
	text += "}\n"
	for i := range 100 {
		text += fmt.Sprintf("b%d: {<<: *a}\n", i)
	}
	if _, err := Parse([]byte(text), "f.yaml", "a file"); err == nil || !strings.Contains(err.Error(), "has more than 10000 keys") {
		t.Errorf("10,000 keys were merged: %v", err)
	}
}

func TestDecode(t *testing.T) {
	type inner struct {
		Rate *float64 `yaml:"rate"`
		Kind string   `yaml:"kind"`
	}
	type outer struct {
		Name  *string  `yaml:"name"`
		Size  float64  `yaml:"size"`
		Inner *inner   `yaml:"inner"`
		Plain inner    `yaml:"plain"`
		Any   *Node    `yaml:"any"`
		Other *float64 `yaml:"other,unlisted"`
	}
	var got outer
	if err := parse(t, "name: 010\nsize: 0x10\ninner: {rate: 1e3, kind: true}\nplain:\nany: [1]\nother: 3").Decode(&got); err != nil {
		t.Fatal(err)
	}
	name, rate, other := "010", 1000.0, 3.0
	want := outer{Name: &name, Size: 16, Inner: &inner{&rate, "true"}, Other: &other, Any: &Node{
		Kind: Sequence, Line: 5, Items: []*Node{{Kind: Scalar, Line: 5, Text: "1"}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for text, want := range map[string]string{
		"zz: 1\naa: 2\nmm: 3": "f.yaml:1: zz: is not a key; there are name, size, inner, plain, any",
		"aa: 1\nzz: 2":        "f.yaml:1: aa: is not a key; there are name, size, inner, plain, any",
		"plain:\n  kid: 1":    `f.yaml:2: plain.kid: is not a key (did you mean "kind"?); there are rate, kind`,
		"size: ten":           "f.yaml:1: size: is not a number",
		"size: 1_0":           "f.yaml:1: size: is not a number",
		"size: {}":            "f.yaml:1: size: is not a number",
		"name: [a]":           "f.yaml:1: name: is not text",
		"inner: 3":            "f.yaml:1: inner: is of type integer; write a mapping",
		"inner: 3.5":          "f.yaml:1: inner: is of type float; write a mapping",
		"inner: \"3\"":        "f.yaml:1: inner: is of type string; write a mapping",
		"inner: true":         "f.yaml:1: inner: is of type bool; write a mapping",
		"[1]":                 "f.yaml:1: is of type sequence; write a mapping",
	} {
		for range 10 { // the same every time
			if err := parse(t, text).Decode(&outer{}); err == nil || err.Error() != want {
				t.Errorf("%q:\n got %v\nwant %s", text, err, want)
				break
			}
		}
	}
}

// TestErrorsFindTheirLine, or that of the section around a key that is absent.
func TestErrorsFindTheirLine(t *testing.T) {
	d := parse(t, "a: 1\nb:\n  c: 2\n  d:\n  - 1\n  - {e:\n      3}\n")
	for key, want := range map[string]int{"a": 1, "b": 2, "b.c": 3, "b.d": 4, "b.d[1]": 6, "b.d[1].e": 6, "b.no": 2, "no": 1, "b.d[7]": 4, "a.x": 1} {
		if got := d.line(key); got != want {
			t.Errorf("%s is on line %d, want %d", key, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"a: [1, {b: 2}]\n", "a: &x 1\nb: *x\n", "<<: {a: 1}", "? [a]\n: |\n  y\n", "a: !!str x", "--- 1\n---\n2", "%YAML 1.2\n---\na: 1", "\ufeff- - 1",
		"a: \"\\u0041\"", "&a : 1", "? &a\n: *a", "!!map {a: 1}", "!", "a: >-\n", "- ? a", "{? a}", "{a}", "[a: 1]", "a: *", "a: &",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse([]byte(text), "f.yaml", "a file")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml:") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		var s struct {
			A *Node `yaml:"a"`
			B struct {
				C *float64 `yaml:"c"`
			} `yaml:"b"`
		}
		_ = d.Decode(&s)
		_, _ = d.Root.With([]string{"a", "0", "b"}, d.Root)
		d.line("a[0].b")
	})
}
