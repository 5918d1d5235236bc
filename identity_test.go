package accelsim

import (
	"encoding/json"
	"io/fs"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// data are files that packages embed and that are no code, each with why the
// program's identity need not have them.
var data = map[string]string{
	"network/nets/*.yaml":     "a point's key has the workload",
	"network/datasets/*.yaml": "a point's key has what it made of the workload",
	"network/rules/*.yaml":    "a point's key has what it made of the workload",
	"hardware/presets/*.yaml": "a point's key has the hardware",
	"dram/devices/*.ini":      "a point's key has the device, in the hardware",
	"energy/45nm.yaml":        "a point's key has the energies",
	"report/page.html":        "a view of results",
}

// Whatever a result depends on is part of the program's identity: a package
// that sweep begins to import must be embedded too.
func TestIdentityCoversAllThatSweepImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,GoFiles,SFiles,EmbedFiles", "./sweep").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct {
			ImportPath                  string
			Standard                    bool
			GoFiles, SFiles, EmbedFiles []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		folder, ours := strings.CutPrefix(p.ImportPath, "github.com/accelsim-dev/accelsim/")
		if !ours {
			continue
		}
		found++
		for _, files := range [][]string{p.GoFiles, p.SFiles} {
			for _, name := range files {
				if name = path.Join(folder, name); !fileExists(name) {
					t.Errorf("%s is not embedded; add it to go:embed in identity.go", name)
				}
			}
		}
		for _, name := range p.EmbedFiles {
			if name = path.Join(folder, name); !fileExists(name) && !isData(t, name) {
				t.Errorf("%s is neither embedded in identity.go nor data that keys have", name)
			}
		}
	}
	if found < 10 {
		t.Errorf("sweep imports %d packages of this module", found)
	}
}

func isData(t *testing.T, name string) bool {
	t.Helper()
	for pattern := range data {
		match, err := path.Match(pattern, name)
		if err != nil {
			t.Fatal(err)
		}
		if match {
			return true
		}
	}
	return false
}

// The identity is of the code: comments and layout do not count, what the
// compiler sees does.
func TestCodeIsWhatTheCompilerSees(t *testing.T) {
	const text = "//go:build amd64\n\npackage p\n\nvar x = `a // b` + \"/* c */\"\n"
	seen := func(text string) string { return string(code([]byte(text))) }
	for _, same := range []string{
		"//go:build amd64\n\n// Package p is one.\npackage p // here\n\n/* so */ var x   = `a // b` + /* or */ \"/* c */\" // so\n",
		"//go:build amd64\npackage p; var x = `a // b` +\n\"/* c */\"",
	} {
		if seen(same) != seen(text) {
			t.Errorf("a comment or the layout counts: %s", same)
		}
	}
	for _, other := range []string{
		strings.Replace(text, "amd64", "arm64", 1), strings.Replace(text, "// b", "// B", 1),
		strings.Replace(text, "+", "-", 1), strings.Replace(text, "x", "y", 1), strings.Replace(text, "/* c */", "", 1),
		strings.Replace(text, "p\n\nvar", "p\n\nvar y int\nvar", 1),
	} {
		if seen(other) == seen(text) {
			t.Errorf("the code does not count: %s", other)
		}
	}
}

// What makes identities differ costs little beside one simulation.
func BenchmarkIdentity(b *testing.B) {
	for b.Loop() {
		_ = fs.WalkDir(sources, ".", func(name string, _ fs.DirEntry, err error) error {
			if text, err := sources.ReadFile(name); err == nil && strings.HasSuffix(name, ".go") {
				code(text)
			}
			return err
		})
	}
}

func fileExists(name string) bool {
	_, err := fs.Stat(sources, name)
	return err == nil
}

func TestIdentityIsStable(t *testing.T) {
	a, b := Identity(), Identity()
	if a != b || len(a) != 12 {
		t.Errorf("Identity is %q, then %q; it must be 12 digits that stay", a, b)
	}
	if Revision() == "" {
		t.Error("Revision is empty")
	}
}
