package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryMutantIsALineOfTheProgram keeps lists in step with the program: the
// right line is there, once, and tests are named that exist.
func TestEveryMutantIsALineOfTheProgram(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	list, err := readLists("testdata")
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{}
	for i := range list {
		m := &list[i]
		if twin := titles[m.title]; twin != "" {
			t.Errorf("%s: %q is the title of %s, too", m.where(), m.title, twin)
		}
		titles[m.title] = m.where()
		text, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Errorf("%s: %v", m.where(), err)
			continue
		}
		if _, err := m.apply(string(text)); err != nil {
			t.Error(err)
		}
		packages := 0
		for _, arg := range m.tests {
			folder, ok := strings.CutPrefix(arg, "./")
			if !ok {
				continue
			}
			packages++
			if tests, _ := filepath.Glob(filepath.Join(root, strings.TrimSuffix(folder, "/..."), "*_test.go")); len(tests) == 0 {
				t.Errorf("%s: %s has no tests", m.where(), arg)
			}
		}
		if packages == 0 {
			t.Errorf("%s: tests: names no package; write ./%s", m.where(), filepath.Dir(m.file))
		}
	}
}

const row = "## p: adds\nfile: p/p.go\ntests: ./p -run X\n- return a - b\n+ return a + b\n"

func TestAMutantKeepsTheLinesBlanks(t *testing.T) {
	list, err := parse("p.txt", "// a note\n\n"+row)
	if err != nil {
		t.Fatal(err)
	}
	got, err := list[0].apply("func f() int {\n\treturn a - b\n}\n")
	if want := "func f() int {\n\treturn a + b\n}\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestARowThatDoesNotApplySaysWhy(t *testing.T) {
	for _, c := range []struct{ text, program, want string }{
		{row, "return a\n", `p.txt:1: p/p.go has 0 lines "return a - b"; one is wanted`},
		{row, "return a - b\n\treturn a - b\n", `p.txt:1: p/p.go has 2 lines "return a - b"; one is wanted`},
		{strings.Replace(row, "a + b", "a - b", 1), "return a - b\n", `p.txt:1: the "+" line is the "-" line`},
		{"file: p.go\n", "", `p.txt:1: a mutant starts with "## title"`},
		{row + "- x\n", "", `p.txt:6: a second "-" line; a mutant is one line`},
		{row + "+ x\n", "", `p.txt:6: a second "+" line; a mutant is one line`},
		{row + "why: x\n", "", `p.txt:6: "why:" is none of file:, tests:, equivalent:, -, +`},
		{"## p\nfile: p.go\n", "", `p.txt:1: needs file:, tests:, a "-" line that is not empty and a "+" line`},
	} {
		list, err := parse("p.txt", c.text)
		if err == nil {
			_, err = list[0].apply(c.program)
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%q in %q: %v, not %s", c.text, c.program, err, c.want)
		}
	}
}

// TestVerdicts tries three mutants of a program of two lines.
func TestVerdicts(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module m\n",
		"m.go":      "package m\n\nfunc sum(a, b int) int {\n\treturn a + b\n}\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif sum(2, 2) != 4 {\n\t\tt.Fail()\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := tester{root: root, timeout: 60e9, short: true}
	if err := tests.passes(t.Context(), []string{"."}); err != nil {
		t.Fatal(err)
	}
	if err := tests.passes(t.Context(), []string{".", "-run", "Nothing"}); err == nil {
		t.Error("a filter that matches no test is taken for tests that pass")
	}
	for wrong, want := range map[string]outcome{
		"return a - b": {verdict: killed, by: "TestSum"},
		"return a * b": {verdict: survived},
		"return c":     {verdict: broken},
	} {
		m := mutant{list: "m.txt", file: "m.go", tests: []string{"."}, old: "return a + b", wrong: wrong}
		got, err := tests.try(t.Context(), &m)
		if err != nil || got.verdict != want.verdict || got.by != want.by {
			t.Errorf("%s: %+v, %v", wrong, got, err)
		}
	}
}
