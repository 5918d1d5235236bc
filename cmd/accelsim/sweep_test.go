package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with a sweep is said before anything runs, with status 2.
func TestSweepRefusesBadInput(t *testing.T) {
	accelsim := program(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const hwkey = "../../sweep/testdata/hwkey.yaml"
	for _, c := range []struct{ args, want string }{
		{"", "net is missing"},
		{"--net lenet1 --k 1..20000", "20000 points or more; the limit is 10000; add --yes"},
		{"--net lenet1 --yes --k 1..20000 --n 1..20000", "400000000 points or more; the limit is 1000000"},
		{"--net lenet1 --yes --k 1..1000001", "1000001 points or more; the limit is 1000000"},
		{"--net lenet1 --hw " + hwkey + " --set pe.rows=8,16", hwkey + " with pe.rows=8: 2024: is not a key"},
		{"--net lenet1 --shards 100001", "write the number of parts, up to 100000"},
		{"--net lenet1 --emit slurm --shards 100001 --out x", "write the number of parts, up to 100000"},
		{"--net lenet1 --grid " + file("zero.yaml", "n: []"), "zero points"},
		{"--grid " + file("key.yaml", "net: lenet1\nkk: 1"), "key.yaml:2: kk: is not a key"},
		{"--grid " + filepath.Join(dir, "none.yaml"), "no such file"},
		{"--net lenet1 --set dram.devise=hbm2", `paper.yaml with dram.devise=hbm2: dram.devise: is not a key (did you mean "device"?)`},
		{"--net lenet1 --set dram.device", "is not KEY=VALUE"},
		{"--net lenet1 --where k<", "the condition ends"},
		{"--net lenet1 --where k>100", "leaves zero points"},
		{"--net lenet1 --sort cylces", `did you mean "cycles"?`},
		{"--net lenet1 --pareto net,nothing", `no column "nothing"`},
		{"--net lenet1 --accuracy " + file("a.csv", "k\n1"), "no column accuracy"},
		{"--net lenet1 --fom-weights macs=1", "needs --accuracy"},
		{"--net lenet1 --format xml", "write table, json or csv"},
		{"--net lenet1 --out " + file("file", ""), "--out"},
		{"--net lenet1 --shard 9/8 --out x", "is not a shard"},
		{"--net lenet1 --shard 1/8", "needs --out"},
		{"--net lenet1 --shards 8", "but not which"},
		{"--net lenet1 --emit slurm", "--emit needs --shards and --out"},
		{"--net lenet1 --emit cron --shards 2 --out x", "write slurm or kubernetes"},
		{"--net lenet1 --workers -1", "write a number from 1"},
		{"merge", "merge needs the folders"},
		{"merge " + filepath.Join(dir, "nothing"), "no such file"},
		{"merge " + dir, "there is no sweep"},
	} {
		said := invoke(t, exitBadInput, nil, accelsim, append([]string{"sweep"}, strings.Fields(c.args)...)...)
		if !strings.Contains(said, c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %q; want one line with %q", c.args, said, c.want)
		}
	}
}

// Results of another version are kept apart, and the sweep says so.
func TestSweepKeepsVersionsApart(t *testing.T) {
	accelsim := program(t)
	out := t.TempDir()
	args := []string{"sweep", "--net", "lenet1", "--k", "1,3", "--out", out}
	invoke(t, 0, nil, accelsim, args...)
	versions, err := filepath.Glob(filepath.Join(out, "points", "*"))
	if err != nil || len(versions) != 1 {
		t.Fatal(versions, err)
	}
	another := filepath.Join(out, "points", "0123456789ab")
	if err := os.Rename(versions[0], another); err != nil {
		t.Fatal(err)
	}
	said := invoke(t, 0, nil, accelsim, args...)
	if !strings.Contains(said, "other versions of the program (0123456789ab): kept apart") || !strings.Contains(said, "2 points, 2 to do") {
		t.Errorf("the sweep says: %s", said)
	}
	if said = invoke(t, 0, nil, accelsim, args...); !strings.Contains(said, "2 finished before, 0 to do") {
		t.Errorf("the second time it says: %s", said)
	}
	if said = invoke(t, 0, nil, accelsim, "sweep", "merge", out); !strings.Contains(said, "not merged") {
		t.Errorf("merge says: %s", said)
	}
}

func TestShellsCompleteCommandsAndValues(t *testing.T) {
	accelsim := program(t)
	for _, c := range []struct{ typed, want string }{
		{"sw", "sweep"},
		{"run --net le", "lenet2"},
		{"sweep --emit ", "kubernetes"},
		{"dram --device hb", "hbm2"},
	} {
		words := strings.Split(c.typed, " ")
		said, err := commandOutput(accelsim, append([]string{"__complete"}, words...)...)
		if err != nil || !strings.Contains(said, c.want) {
			t.Errorf("%q is completed to %q (%v), want %s", c.typed, said, err, c.want)
		}
	}
	if said, err := commandOutput(accelsim, "completion", "bash"); err != nil || !strings.Contains(said, "__start_accelsim") {
		t.Errorf("there is no completion for bash: %v", err)
	}
	if said, err := commandOutput(accelsim, "version"); err != nil || !strings.Contains(said, "identity ") {
		t.Errorf("version says %q: %v", said, err)
	}
}
