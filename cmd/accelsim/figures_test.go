package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFiguresAreWritten writes a figure and nothing else, and leaves no
// temporary file.
func TestFiguresAreWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	status, stdout, stderr := commandLine(t, "figures", "--out", dir, "--only", "13")
	if status != exitDone || stdout != "" {
		t.Fatalf("exit %d, stdout %q\n%s", status, stdout, stderr)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "figure13.csv figure13.png figure13.svg index.md" {
		t.Errorf("wrote %s", got)
	}
}

// TestFiguresTakeAccuracies from a file.
func TestFiguresTakeAccuracies(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "acc.csv")
	if err := os.WriteFile(file, []byte("dataset,k,n,accuracy\ncifar10,10,8,80\ncifar10,1,1,76\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := commandLine(t, "figures", "--out", dir, "--only", "14", "--accuracy", file)
	if status != exitDone {
		t.Fatalf("exit %d: %s", status, stderr)
	}
	text, err := os.ReadFile(filepath.Join(dir, "figure14.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "alexnet,cifar10,LBP1,1,1,0.379577,5.00,0.429577,0.429577,false,"; !strings.Contains(string(text), want) {
		t.Errorf("no row %s in\n%s", want, text)
	}
}

func TestFiguresRefuse(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("dataset,k,n,loss\nmnist,1,1,0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"figures", "--out is missing"},
		{"figures --out " + file, "--out: " + file},
		{"figures --out " + filepath.Join(file, "below"), "--out: " + file},
		{"figures --out /proc/accelsim", "--out: no file can be made in the folder /proc"},
		{"figures --out /proc", "--out: no file can be made in the folder /proc"},
		{"figures --out " + dir + " --only 8", `--only: no figure "8"; there are 6, 7, 9,`},
		{"figures --out " + dir + " --accuracy " + file, file + `:2: dataset "mnist"`},
		{"figures --out " + dir + " --only capacity --capacities 512", `--capacities: "512" has no unit; write for example 2MiB`},
		{"figures --out " + dir + " --only capacity --capacities 1KiB", "does not fit in 1024 bytes on chip however it is cut; 19028 bytes would do"},
		{"figures --out " + dir + " --accuracy nowhere.csv", "--accuracy: open nowhere.csv"},
		{"figures --out " + dir + " --activity 1.5", "--activity: density"},
		{"figures --out " + dir + " --format png", `--format "png"`},
		{"figures --out " + dir + " --energy nowhere.yaml", "--energy: open nowhere.yaml"},
	} {
		status, stdout, stderr := commandLine(t, strings.Fields(c.args)...)
		if status != exitBadInput || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("accelsim %s: exit %d, %s\nwant %s", c.args, status, stderr, c.want)
		}
	}
}
