package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutWritesOnePage(t *testing.T) {
	folder := t.TempDir()
	succeed(t, "run", "--net", "lenet1", "--k", "1", "--n", "2", "--batch", "4", "--out", folder)
	page, err := os.ReadFile(filepath.Join(folder, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<!DOCTYPE html>", "lenet1 on emnist, (k, n) = (1, 2)", "Roofline", "Timeline", "twice the DRAM bandwidth"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("report.html has no %q", want)
		}
	}
}

func TestPerfettoFileSaysWhenItIsCut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace.json")
	args := []string{"run", "--net", "lenet1", "--k", "10", "--n", "2", "--batch", "4", "--perfetto", file}
	steps := func() (recorded, all int) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			OtherData struct {
				RecordedSteps int `json:"recorded_steps"`
				Steps         int
			}
		}
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		return f.OtherData.RecordedSteps, f.OtherData.Steps
	}
	succeed(t, args...)
	if recorded, all := steps(); recorded != all || all == 0 {
		t.Errorf("%d of %d steps without a limit that matters", recorded, all)
	}
	status, _, stderr := commandLine(t, append(args, "--perfetto-steps", "50", "--out", t.TempDir())...)
	if status != exitDone || !strings.Contains(stderr, "first 50 of ") {
		t.Errorf("exit %d, %q", status, stderr)
	}
	if recorded, all := steps(); recorded != 50 || all <= 50 {
		t.Errorf("%d of %d steps, want 50", recorded, all)
	}
}

func TestByLayerShowsPhases(t *testing.T) {
	args := []string{"run", "--net", "lenet1", "--k", "1", "--n", "2", "--batch", "4"}
	short, long := succeed(t, args...), succeed(t, append(args, "--by-layer")...)
	for _, want := range []string{"By layer", "bottleneck", "balance", "twice the PEs"} {
		if !strings.Contains(short, want) {
			t.Errorf("no %q by default", want)
		}
	}
	for _, want := range []string{"classifier 2", "   backward", "   update", "By tensor"} {
		if !strings.Contains(long, want) {
			t.Errorf("no %q with --by-layer", want)
		}
		if strings.Contains(short, want+" ") && want != "   backward" && want != "   update" {
			t.Errorf("%q without --by-layer", want)
		}
	}
}

func TestCompare(t *testing.T) {
	folder := t.TempDir()
	local, bptt, both := filepath.Join(folder, "local"), filepath.Join(folder, "bptt"), filepath.Join(folder, "both")
	succeed(t, "run", "--net", "lenet1", "--k", "1", "--n", "2", "--batch", "4", "--out", local)
	succeed(t, "run", "--net", "lenet1", "--k", "20", "--n", "4", "--batch", "4", "--out", bptt)
	out := succeed(t, "compare", bptt, filepath.Join(local, "result.json"), "--out", both)
	if !strings.Contains(out, "One training iteration; in brackets: against the first") {
		t.Error(out)
	}
	for _, name := range []string{"compare.html", "result.json", "result.csv", "result.txt"} {
		if _, err := os.Stat(filepath.Join(both, name)); err != nil {
			t.Error(err)
		}
	}
	if schema := valueAt(decodeJSON(t, "compare", bptt, local), "schema"); schema != "accelsim.compare/1" {
		t.Errorf("schema %v", schema)
	}
}

func TestBadInputOfShowing(t *testing.T) {
	folder := t.TempDir()
	broken := tempFile(t, "result.json", "{\n  \"schema\": \"accelsim.run/1\",\n  oops\n}")
	other := tempFile(t, "other.json", `{"schema": "accelsim.train/1"}`)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"needs --timing on", []string{"run", "--net", "lenet1", "--timing", "off", "--perfetto", filepath.Join(folder, "t.json")}},
		{"write 1 or more", []string{"run", "--net", "lenet1", "--perfetto-steps", "0"}},
		{"in a folder that exists", []string{"run", "--net", "lenet1", "--perfetto", filepath.Join(folder, "none", "t.json")}},
		{"two or more results", []string{"compare", folder}},
		{"result.json: no such file", []string{"compare", folder, folder}},
		{"line 3", []string{"compare", broken, broken}},
		{`"accelsim.run/1"`, []string{"compare", other, broken}},
	} {
		status, stdout, stderr := commandLine(t, c.args...)
		if status != exitBadInput || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit %d, %q, %q; want %q", c.args, status, stdout, stderr, c.want)
		}
	}
}
