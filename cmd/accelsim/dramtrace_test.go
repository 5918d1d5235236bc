package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What `run --dram-trace` writes is what `dram --trace` reads: a bounded window
// of requests, all of them served.
func TestTheDRAMReplaysARunsRequests(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lenet1.trace")
	status, _, stderr := commandLine(t, "run", "--net", "lenet1", "--k", "4", "--n", "1",
		"--dram-trace", file, "--dram-trace-requests", "200000")
	if status != exitDone || !strings.Contains(stderr, "first 200000 requests") {
		t.Fatalf("exit %d: %s", status, stderr)
	}
	replayed := decodeJSON(t, "dram", "--device", "ddr4-2400", "--trace", file)
	total := int64(0)
	for _, key := range []string{"reads", "writes"} {
		n, err := replayed[key].(json.Number).Int64()
		if err != nil || n == 0 {
			t.Errorf("%s is %v", key, replayed[key])
		}
		total += n
	}
	if total != 200000 {
		t.Errorf("%d requests served, of 200000", total)
	}
}

// Without a bound that cuts, the trace has every burst of the run.
func TestATraceHasEveryBurstOfASmallRun(t *testing.T) {
	dir := t.TempDir()
	net := filepath.Join(dir, "small.yaml")
	text := "input: {channels: 2, height: 8, width: 8, encoding: event}\nlayers: 4C3-5FC\ntimesteps: 2\nbatch: 2\n"
	if err := os.WriteFile(net, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "small.trace")
	run := decodeJSON(t, "run", "--net", net, "--dram-trace", file)
	memory := run["dram"].(map[string]any)
	lines, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ word, key string }{{" READ ", "reads"}, {" WRITE ", "writes"}} {
		if got, want := strings.Count(string(lines), c.word), memory[c.key].(json.Number).String(); want != strconv.Itoa(got) {
			t.Errorf("%d %s, the run has %s", got, c.key, want)
		}
	}
}

func TestATraceNeedsTiming(t *testing.T) {
	status, stdout, stderr := commandLine(t, "run", "--net", "lenet1", "--timing", "off", "--dram-trace", "x")
	if status != exitBadInput || stdout != "" || !strings.Contains(stderr, "--timing on") {
		t.Errorf("exit %d, %q, %q", status, stdout, stderr)
	}
}
