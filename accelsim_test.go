package accelsim

import (
	"encoding/json"
	"io/fs"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// Whatever a result depends on is part of the program's identity: a package
// that sweep begins to import must be embedded too.
func TestIdentityCoversAllThatSweepImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,GoFiles,SFiles,EmbedFiles", "./sweep").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct {
			ImportPath                  string
			Standard                    bool
			GoFiles, SFiles, EmbedFiles []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		folder, ours := strings.CutPrefix(p.ImportPath, "accelsim/")
		if !ours {
			continue
		}
		for _, files := range [][]string{p.GoFiles, p.SFiles, p.EmbedFiles} {
			for _, name := range files {
				if name = path.Join(folder, name); !fileExists(name) {
					t.Errorf("%s is not embedded; add it to go:embed in accelsim.go", name)
				}
			}
		}
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
