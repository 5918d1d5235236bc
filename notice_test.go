package accelsim_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateNotice = flag.Bool("update-notice", false, "rewrite NOTICE from the modules' licences")

// module is a Go module that the program contains.
type module struct{ path, version, folder string }

// modules lists those of the program on every system that it is built for.
func modules(t *testing.T) []module {
	t.Helper()
	var list []module
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./cmd/accelsim")
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Skipf("the modules for %s are not all here (go mod download): %v", system, err)
		}
		for line := range strings.Lines(string(out)) {
			path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
			if version != "" && !slices.ContainsFunc(list, func(m module) bool { return m.path == path }) {
				folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
				if err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				list = append(list, module{path, version, strings.TrimSpace(string(folder))})
			}
		}
	}
	slices.SortFunc(list, func(a, b module) int { return strings.Compare(a.path, b.path) })
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return append([]module{{"Go's standard library and runtime", "", strings.TrimSpace(string(root))}}, list...)
}

// licence returns a module's terms. FreeType's come as a choice of two, of which
// the program takes the FreeType licence, not the GPL.
func (m module) licence(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*", "licenses/ftl.txt"} {
		names, _ := filepath.Glob(filepath.Join(m.folder, pattern)) // constant patterns: cannot fail
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(strings.ReplaceAll(string(data), "\r", "")) {
				text.WriteString(strings.TrimRight(line, " \t\n") + "\n")
			}
		}
	}
	if text.Len() == 0 {
		t.Errorf("%s has no licence in %s", m.path, m.folder)
	}
	return strings.Trim(text.String(), "\n") + "\n"
}

// notice is what NOTICE must be: each licence once, under those who give it.
func notice(t *testing.T) string {
	t.Helper()
	var texts []string
	users := map[string][]string{}
	for _, m := range modules(t) {
		text := m.licence(t)
		if users[text] == nil {
			texts = append(texts, text)
		}
		users[text] = append(users[text], strings.TrimSpace(m.path+" "+m.version))
	}
	var b strings.Builder
	b.WriteString("accelsim is under the Apache License, Version 2.0 (LICENSE). Its program contains what is listed here, under\n" +
		"these terms. To write this file again: go test -run Notice -update-notice .\n")
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s", strings.Repeat("=", 80), strings.Join(users[text], "\n"), strings.Repeat("=", 80), text)
	}
	return b.String()
}

// TestNoticeHasTheLicenceOfEveryModule: whoever passes the program on passes on
// the copyright and terms of all that is in it.
func TestNoticeHasTheLicenceOfEveryModule(t *testing.T) {
	want := notice(t)
	if *updateNotice {
		if err := os.WriteFile("NOTICE", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules(t) {
		if !strings.Contains(string(got), "\n"+strings.TrimSpace(m.path+" "+m.version)+"\n") {
			t.Errorf("NOTICE does not list %s %s; go test -run Notice -update-notice .", m.path, m.version)
		}
	}
	if string(got) != want {
		t.Error("NOTICE is not what the modules' licences are; go test -run Notice -update-notice .")
	}
}
