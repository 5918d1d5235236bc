package hdl

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
)

// A folder for a block is complete: its top lints clean, and its testbenches
// pass as they are written.
func TestFolderOfABlockIsComplete(t *testing.T) {
	need(t, "verilator", "iverilog")
	d := design(t, workload(t, small), 2, 2, "q4.12")
	if d.Block == nil {
		t.Fatal(d.NoBlock)
	}
	for _, a := range d.Block.Accuracy {
		if a.Largest == 0 {
			t.Errorf("%s is all zero: the block's test shows little", a.Tensor)
		}
	}
	dir := t.TempDir()
	if err := d.Write(dir, false); err != nil {
		t.Fatal(err)
	}
	clean(t, limited(t), dir, "verilator", "--lint-only", "-Wall", "-I.", "-y", "rtl", "--top-module", "accelsim_top", "accelsim_top.v")
	clean(t, limited(t), dir, "iverilog", "-g2005", "-Wall", "-I.", "-y", "rtl", "-s", "accelsim_top", "-o", filepath.Join(t.TempDir(), "checked"), "accelsim_top.v")
	for _, module := range d.Testbenches() {
		if out, err := Icarus.Simulate(limited(t), dir, module); err != nil {
			t.Error(out, err)
		}
	}
}

func TestCoreAndJSONAreWellFormedAndNameFilesThatExist(t *testing.T) {
	d := design(t, workload(t, small), 2, 2, "q4.12")
	dir := t.TempDir()
	if err := d.Write(dir, false); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(d.json(nil)), new(jsonDesign)); err != nil {
		t.Error(err)
	}
	var core struct {
		Filesets map[string]struct{ Files []any }
	}
	if err := yaml.Unmarshal([]byte(d.core()[len("CAPI=2:\n"):]), &core); err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, set := range core.Filesets {
		for _, f := range set.Files {
			name, plain := f.(string)
			if !plain {
				for key := range f.(map[string]any) {
					name = key
				}
			}
			files++
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
	if files < 40 {
		t.Errorf("the core names %d files", files)
	}
}

func TestAFolderInUseIsLeftAlone(t *testing.T) {
	d := design(t, workload(t, small), 2, 2, "q4.12")
	dir := t.TempDir()
	if err := d.Write(dir, false); err != nil {
		t.Fatal(err)
	}
	var used *NotEmpty
	if err := d.Write(dir, false); !errors.As(err, &used) {
		t.Errorf("written over: %v", err)
	}
	if err := d.Write(dir, true); err != nil {
		t.Error(err)
	}
}
